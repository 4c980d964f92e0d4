"""Tables of referrals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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
    advocate_reward_id: Mapped[UUID | None]
    friend_reward_id: Mapped[UUID | None]
    minimum_purchase_minor: Mapped[int] = mapped_column(default=0)
    maximum_per_advocate: Mapped[int | None]
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reward_on: Mapped[str] = mapped_column(default="first_order")
    share_texts: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    sharing_channels: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
