"""Tables of rewards that are edited on screens. Redemptions are reached by SQL text only."""

from uuid import UUID

from sqlalchemy import Text
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
    kind: Mapped[str]
    points_cost: Mapped[int]
    value_minor: Mapped[int | None]
    percent_bp: Mapped[int | None]
    variant_gid: Mapped[str | None]
    minimum_subtotal_minor: Mapped[int | None]
    valid_days: Mapped[int | None]
    per_member_limit: Mapped[int | None]
    combines_with: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    code_prefix: Mapped[str] = mapped_column(default="LN")
    status: Mapped[str] = mapped_column(default="active")
    position: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
