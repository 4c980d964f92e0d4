"""Tables of referrals."""

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, ShopOwned


class ReferralCampaign(ShopOwned, Base):
    """An offer to advocates and friends. At most one is active."""

    __tablename__ = "referral_campaigns"

    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="draft")
    advocate_points: Mapped[int] = mapped_column(default=0)
    friend_points: Mapped[int] = mapped_column(default=0)
    minimum_purchase_minor: Mapped[int] = mapped_column(default=0)
    maximum_per_advocate: Mapped[int | None]
    sharing_channels: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
