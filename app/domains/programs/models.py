"""Tables of programs."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Numeric
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, ShopOwned


class Program(ShopOwned, Base):
    """A loyalty program of a shop. At most one is active."""

    __tablename__ = "programs"

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    type: Mapped[str] = mapped_column(default="tiered")
    status: Mapped[str] = mapped_column(default="draft")
    points_per_unit: Mapped[Decimal] = mapped_column(Numeric(12, 4))
    signup_bonus: Mapped[int] = mapped_column(default=0)
    earn_trigger: Mapped[str] = mapped_column(default="paid")
    holding_days: Mapped[int] = mapped_column(default=0)
    expiry_months: Mapped[int | None]
    expiry: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    rounding: Mapped[str] = mapped_column(default="down")
    earn_on_tax: Mapped[bool] = mapped_column(default=True)
    minimum_redemption: Mapped[int] = mapped_column(default=0)
    step: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    zone: Mapped[str] = mapped_column(default="")
    debt_policy: Mapped[str] = mapped_column(default="negative")
    multiplier_mode: Mapped[str] = mapped_column(default="multiply")
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    multipliers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    caps: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    eligibility: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    pause_notes: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    after_end: Mapped[str] = mapped_column(default="paused")
    hands_back: Mapped[bool] = mapped_column(default=True)
    rewards_at_start: Mapped[bool] = mapped_column(default=False)
    took_over_from: Mapped[UUID | None]
    current_version_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class ProgramVersion(ShopOwned, Base):
    """The terms of a program as they stood from one change to the next; never changed."""

    __tablename__ = "program_versions"

    updated_at = None  # type: ignore[assignment]
    program_id: Mapped[UUID]
    number: Mapped[int]
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
