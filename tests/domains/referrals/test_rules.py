"""What a referral has come to, by tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.referrals import rules
from app.domains.referrals.rules import Case, Purchase

CAME = datetime(2026, 11, 1, tzinfo=UTC)
BOUGHT = Purchase(CAME + timedelta(hours=1), 1, True, False, 10_000, 10_000)
CASE = Case(CAME, "first_order", 5_000, None, False, True, False, 0, [BOUGHT])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("earned", "")),
        ({"purchases": []}, ("recorded", "")),
        ({"purchases": [], "reward_on": "account"}, ("earned", "")),
        ({"same_person": True}, ("rejected", "same_person")),
        ({"may_earn": False}, ("rejected", "member_blocked")),
        ({"may_earn": False, "given": True}, ("earned", "")),
        ({"maximum_per_advocate": 2, "others": 1}, ("earned", "")),
        ({"maximum_per_advocate": 2, "others": 2}, ("rejected", "maximum_reached")),
        ({"maximum_per_advocate": 2, "others": 2, "given": True}, ("earned", "")),
        ({"purchases": [replace(BOUGHT, placed_at=CAME - timedelta(seconds=1))]}, ("rejected", "not_new")),
        ({"purchases": [replace(BOUGHT, placed_at=CAME)]}, ("earned", "")),
        (
            {"recorded_at": CAME + timedelta(microseconds=1), "purchases": [replace(BOUGHT, placed_at=CAME)]},
            ("earned", ""),
        ),
        ({"purchases": [replace(BOUGHT, paid=False)]}, ("recorded", "")),
        ({"purchases": [replace(BOUGHT, void=True)]}, ("reversed", "order_taken_back")),
        ({"purchases": [replace(BOUGHT, kept_minor=4_999)]}, ("reversed", "order_taken_back")),
        ({"purchases": [replace(BOUGHT, kept_minor=5_000)]}, ("earned", "")),
        ({"purchases": [replace(BOUGHT, gross_minor=4_999, kept_minor=4_999)]}, ("recorded", "")),
    ],
)
def test_a_verdict(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    found = rules.judge(replace(CASE, **changes))
    assert (found.status, found.reason) == expected


def test_the_first_order_that_counts_is_named() -> None:
    small = replace(BOUGHT, order_id=2, gross_minor=10, kept_minor=10)
    later = replace(BOUGHT, order_id=3, placed_at=CAME + timedelta(hours=2))
    assert rules.judge(replace(CASE, purchases=[later, BOUGHT, small])).order_id == 1


@given(
    prices=st.lists(st.integers(0, 10_000), max_size=5),
    back=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 10_000)), max_size=5),
    amounts=st.lists(st.integers(-5_000, 5_000), max_size=3),
)
def test_what_is_left_lies_between_nothing_and_all(
    prices: list[int], back: list[tuple[int, int]], amounts: list[int]
) -> None:
    lines = [{"id": number, "net": price, "gift_card": False} for number, price in enumerate(prices)]
    refunds: list[dict[str, Any]] = [{"lines": [[line, net, 0, 1]], "amount": 0} for line, net in back]
    refunds += [{"lines": [], "amount": amount} for amount in amounts]
    gross, kept = rules.worth(lines, refunds)
    assert 0 <= kept <= gross == sum(prices)
    assert (gross, kept) == rules.worth(lines[::-1], refunds[::-1])


@pytest.mark.parametrize(
    ("email", "shown"), [("grace@example.com", "g•••@example.com"), (None, ""), ("", ""), ("nobody", "")]
)
def test_an_address_is_masked(email: str | None, shown: str) -> None:
    assert rules.masked(email) == shown
