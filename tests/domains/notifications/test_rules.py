"""Which tier an order led to."""

from uuid import uuid4

import pytest

from app.domains.notifications import rules
from app.domains.tiers.schemas import Level


def level(name: str, threshold: int) -> Level:
    """A tier."""
    return Level(uuid4(), name, {}, threshold, 10_000, "#000000")


BRONZE, SILVER, GOLD = LADDER = [level("Bronze", 0), level("Silver", 1000), level("Gold", 5000)]


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        (0, 999, None),
        (999, 1000, SILVER),
        (0, 6000, GOLD),
        (1000, 4999, None),
        (6000, 900, None),
        (1000, 1000, None),
        (-5, 0, BRONZE),
    ],
)
def test_a_tier_is_reached_by_rising_into_it(before: int, after: int, reached: Level | None) -> None:
    assert rules.reached(LADDER, before, after) == reached


def test_a_ladder_without_a_first_step() -> None:
    assert rules.reached([SILVER, GOLD], 0, 500) is None
    assert rules.reached([SILVER, GOLD], 0, 1500) == SILVER
    assert rules.reached([], 0, 1500) is None
