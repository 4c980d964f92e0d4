"""Tables of tiers."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, ShopOwned


class Tier(ShopOwned, Base):
    """One level of a program's ladder."""

    __tablename__ = "tiers"

    program_id: Mapped[UUID]
    name: Mapped[str]
    names: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    threshold_points: Mapped[int]
    multiplier_bp: Mapped[int] = mapped_column(default=10_000)
    color: Mapped[str] = mapped_column(default="#8a8a8a")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    def localized(self, locale: str) -> str:
        """The name in a locale."""
        return self.names.get(locale) or self.name
