"""Tables of tiers."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, ShopOwned


class TierLadder(ShopOwned, Base):
    """What counts for a program's tiers, for how long, and how they are lost."""

    __tablename__ = "tier_ladders"

    program_id: Mapped[UUID]
    name: Mapped[str]
    metric: Mapped[str] = mapped_column(default="points")
    period: Mapped[str] = mapped_column(default="lifetime")
    months: Mapped[int] = mapped_column(default=12)
    grace_days: Mapped[int] = mapped_column(default=0)
    downgrade: Mapped[str] = mapped_column(default="to_earned")
    take_back: Mapped[bool] = mapped_column(default=True)
    notice_days: Mapped[int | None]
    main: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)


class Tier(ShopOwned, Base):
    """One level of a ladder. `threshold` is in the unit of the ladder's metric."""

    __tablename__ = "tiers"

    program_id: Mapped[UUID]
    ladder_id: Mapped[UUID]
    name: Mapped[str]
    names: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    threshold: Mapped[int] = mapped_column(BigInteger)
    multiplier_bp: Mapped[int] = mapped_column(default=10_000)
    color: Mapped[str] = mapped_column(default="#8a8a8a")
    entry_points: Mapped[int | None]
    entry_reward_id: Mapped[UUID | None]
    gift_reward_id: Mapped[UUID | None]
    gift_every: Mapped[str] = mapped_column(default="month")
    early_days: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    def localized(self, locale: str) -> str:
        """The name in a locale."""
        return self.names.get(locale) or self.name
