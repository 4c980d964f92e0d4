import itertools

import pytest

from devstore.faults import Faults
from devstore.webhooks import MORE_ATTEMPTS, wait_before


def test_a_fault_ends_with_its_time_or_its_count():
    now = 100.0
    faults = Faults(clock=lambda: now, chance=lambda: 0.0)
    faults.add("graphql", "429", 1, 10)
    faults.add("token", "5xx", 1, 10, left=2)
    assert faults.strike("graphql", "s", None).kind == "429"
    assert [bool(faults.strike("token", "s", None)) for _ in range(3)] == [True, True, False]
    now = 110.1
    assert faults.strike("graphql", "s", None) is None and faults.listed() == []


def test_a_fault_hits_its_share_of_its_targets_only():
    rolls = iter([0.29, 0.3])
    faults = Faults(chance=lambda: next(rolls))
    faults.add("webhooks", "drop", 0.3, 60, shop="a", only="orders/paid")
    assert faults.strike("webhooks", "b", "orders/paid") is None
    assert faults.strike("webhooks", "a", "orders/create") is None
    assert faults.strike("webhooks", "a", "orders/paid", "delay") is None
    assert faults.strike("webhooks", "a", "orders/paid") is not None
    assert faults.strike("webhooks", "a", "orders/paid") is None


def test_retries_double_and_span_four_hours():
    waits = [wait_before(attempt, 1) for attempt in range(1, MORE_ATTEMPTS + 1)]
    assert len(waits) == 8 and sum(waits) == pytest.approx(4 * 3600)
    assert all(later == pytest.approx(2 * earlier) for earlier, later in itertools.pairwise(waits))
    assert wait_before(1, 60) == pytest.approx(waits[0] / 60)
