"""Facts about referrals."""

from dataclasses import dataclass
from uuid import UUID

from app.core.events import Event


@dataclass(frozen=True)
class ReferralRecorded(Event):
    """A friend came through an advocate's code. `advocate_points` is what the advocate gets once
    the friend buys."""

    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    advocate_points: int


@dataclass(frozen=True)
class ReferralRewarded(Event):
    """Advocate and friend can spend what the referral gave them. The points may be zero on a side."""

    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    advocate_points: int
    friend_points: int
    advocate_coupon: bool
    friend_coupon: bool


@dataclass(frozen=True)
class ReferralReversed(Event):
    """What a referral gave was taken back."""

    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
