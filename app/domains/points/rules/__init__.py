"""What members earn: pure arithmetic, the same functions for preview, award, reversal and rehearsal."""

from app.domains.points.rules.calendar import birthday_in, period_of
from app.domains.points.rules.cards import Progress, progress
from app.domains.points.rules.deeds import ONCE_IN_A_LIFETIME, occasion, price_deed
from app.domains.points.rules.expiry import (
    Earned,
    Standing,
    end_of,
    ends,
    idle_until,
    lasts_until,
    redated,
    restored,
)
from app.domains.points.rules.matching import ineligible
from app.domains.points.rules.orders import (
    BASIS_POINTS,
    SHIPPING,
    TIP,
    Line,
    MemberState,
    OrderState,
    Refunded,
    money_back,
    refusal,
)
from app.domains.points.rules.pricing import Count, Pricing, price
from app.domains.points.rules.shares import rounded, split

__all__ = [
    "BASIS_POINTS",
    "ONCE_IN_A_LIFETIME",
    "SHIPPING",
    "TIP",
    "Count",
    "Earned",
    "Line",
    "MemberState",
    "OrderState",
    "Pricing",
    "Progress",
    "Refunded",
    "Standing",
    "birthday_in",
    "end_of",
    "ends",
    "idle_until",
    "ineligible",
    "lasts_until",
    "money_back",
    "occasion",
    "period_of",
    "price",
    "price_deed",
    "progress",
    "redated",
    "refusal",
    "restored",
    "rounded",
    "split",
]
