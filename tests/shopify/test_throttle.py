"""What is remembered of call budgets."""

from typing import Any

import pytest

from app.shopify import throttle
from app.shopify.throttle import Throttle
from tests.shopify.conftest import cost


def test_points_come_back_with_time() -> None:
    now = [0.0]
    known = Throttle(clock=lambda: now[0])
    assert known.wait_for("a", "Op") == 0
    known.learn("a", "Op", cost(500, 100))
    assert 4.0 <= known.wait_for("a", "Op") <= 4.3
    now[0] = 3
    assert 1.0 <= known.wait_for("a", "Op") <= 1.3
    now[0] = 4
    assert known.wait_for("a", "Op") == 0


def test_an_operation_above_the_bucket_waits_for_a_full_bucket() -> None:
    known = Throttle(clock=lambda: 0.0)
    known.learn("a", "Op", cost(9000, 1900))
    assert 1.0 <= known.wait_for("a", "Op", reserve_share=0.9) <= 1.3


@pytest.mark.parametrize(
    "extensions",
    [None, {}, {"cost": None}, {"cost": {"requestedQueryCost": 1}}, {"cost": {"requestedQueryCost": "x"}},
     {"cost": {"requestedQueryCost": 1, "throttleStatus": {"maximumAvailable": None}}}],
)  # fmt: skip
def test_malformed_costs_are_ignored(extensions: Any) -> None:
    known = Throttle()
    known.learn("a", "Op", extensions)
    assert known.wait_for("a", "Op") == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_MOST_SHOPS", 3)
    known = Throttle(clock=lambda: 0.0)
    for name in "abcde":
        known.learn(name, "Op", cost(500, 0))
    assert [bool(known.wait_for(name, "Op")) for name in "abcde"] == [False, False, True, True, True]
