"""Pure rules of tiers: windows of time, where a member belongs, what an order counts, drafts of a ladder."""

from app.domains.tiers.rules.drafts import (
    check,
    differences,
    from_json,
    moves_members,
    to_json,
    with_settings,
    with_tier,
    without_tier,
)
from app.domains.tiers.rules.foreseeing import Foreseen, foresee, known_tiers, outcome
from app.domains.tiers.rules.placing import band, decide, ends_at, place, standing
from app.domains.tiers.rules.windows import gift_period, lapses, window
from app.domains.tiers.rules.worth import order_worth

__all__ = [
    "Foreseen",
    "band",
    "check",
    "decide",
    "differences",
    "ends_at",
    "foresee",
    "from_json",
    "gift_period",
    "known_tiers",
    "lapses",
    "moves_members",
    "order_worth",
    "outcome",
    "place",
    "standing",
    "to_json",
    "window",
    "with_settings",
    "with_tier",
    "without_tier",
]
