"""Tables of rewards that are edited on screens. Redemptions are reached by SQL text only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, ShopOwned


class Reward(ShopOwned, Base):
    """An item of the catalog. Amounts are minor units of the shop's currency, the percentage is in basis points."""

    __tablename__ = "rewards"

    program_id: Mapped[UUID]
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    description: Mapped[str] = mapped_column(default="")
    descriptions: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    conditions: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    image_url: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    points_cost: Mapped[int]
    value_minor: Mapped[int | None]
    percent_bp: Mapped[int | None]
    variant_gid: Mapped[str | None]
    minimum_subtotal_minor: Mapped[int | None]
    valid_days: Mapped[int | None]
    per_member_limit: Mapped[int | None]
    limit_days: Mapped[int | None]
    cost_minor: Mapped[int | None]
    stock: Mapped[int | None]
    stock_taken: Mapped[int] = mapped_column(default=0)
    tiers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    segments: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    least_points: Mapped[int | None]
    most_points: Mapped[int | None]
    access_tag: Mapped[str] = mapped_column(default="")
    returns_expired: Mapped[bool] = mapped_column(default=True)
    returns_canceled: Mapped[bool] = mapped_column(default=True)
    combines_with: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    code_prefix: Mapped[str] = mapped_column(default="LN")
    status: Mapped[str] = mapped_column(default="active")
    position: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
