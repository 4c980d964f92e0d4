"""Rehearsals: unchanged terms give exactly what history gave, changed ones say who gains and who loses."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.liability import service as liability
from app.domains.liability.schemas import SettingsForm
from app.domains.liability.service.valuing import ACCOUNTS
from app.domains.members import service as members
from app.domains.points import jobs
from app.domains.points import service as points
from app.domains.points.errors import RehearsalNotFound
from app.domains.points.service import rehearsing
from app.domains.programs import service as programs
from app.domains.programs.schemas import Caps
from tests.domains.points.terms import rule
from tests.domains.points.test_earning import change, of_rule, pay, refund
from tests.factories import payloads
from tests.fixtures.shop import TestShop


def rehearse(shop: TestShop, **changes: Any) -> dict[str, Any]:
    """The result of a rehearsal of the active program with some settings changed."""
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        wanted = programs.settings(uow, program.id) | changes
        found = points.rehearse(uow, program.id, wanted, months=12, version=program.version)
    jobs.rehearse(str(shop.id), str(found))
    with shop.work() as uow:
        row = points.rehearsal(uow, found)
    assert (row["status"], row["seen"]) == ("done", row["total"])
    result: dict[str, Any] = row["result"]
    return result


def history(shop: TestShop) -> int:
    with shop.work() as uow:
        return int(
            uow.scalar("SELECT sum(points)::bigint FROM points_entries WHERE kind IN ('award', 'reverse')")
        )


_made = iter(range(10**9))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(75, 77), st.integers(1, 20_000), st.booleans()), min_size=1, max_size=8),
    st.sampled_from(["tiered", "points", "punch_card", "spend_based"]),
    st.integers(1, 3_000),
    st.sampled_from([1, 3, 500]),
)
def test_unchanged_terms_give_exactly_what_history_gave(
    new_shop: Callable[..., TestShop], sales: list[tuple[int, int, bool]], kind: str, cap: int, page: int
) -> None:
    shop = new_shop(f"rehearsal{next(_made)}.myshopify.com")
    change(
        shop,
        type=kind,
        step=Decimal(2),
        caps=Caps(per_day=cap),
        rules=of_rule(
            rule("more", "1.5", conditions={"minimum_subtotal": "20"}), rule("news", 30, "newsletter")
        ),
    )
    shop.tell("customers/create", payloads.customer(75, email_marketing_consent={"state": "subscribed"}))
    for number, (customer, cents, back) in enumerate(sales, 5):
        amount = f"{cents / 100:.2f}"
        pay(shop, number, amount, customer)
        if back:
            refund(shop, number, amount)
    before, rehearsing._PAGE = rehearsing._PAGE, page
    try:
        result = rehearse(shop)
    finally:
        rehearsing._PAGE = before
    assert result["before"] == result["after"] == history(shop)
    assert (result["winners"], result["losers"], result["moves"]) == ([], [], [])
    assert all(line["before"] == line["after"] for line in result["by_rule"])


def say_worth(shop: TestShop, value: str) -> None:
    """The shop says what 1,000 points are worth."""
    with shop.work() as uow:
        liability.save_settings(uow, SettingsForm(value=Decimal(value), accounts=ACCOUNTS))


def test_without_a_value_of_points_a_change_costs_nothing_known(shop: TestShop) -> None:
    pay(shop, 5)
    assert rehearse(shop, points_per_unit="20")["cost_minor"] == 0
    with shop.work() as uow:
        assert uow.scalar("SELECT worth_minor FROM rehearsals") == 0


def test_a_change_says_what_it_costs_and_whom_it_touches(shop: TestShop) -> None:
    say_worth(shop, "10.00")
    pay(shop, 5, "50.00", 77)
    pay(shop, 6, "200.00", 78)
    shop.tell("customers/create", payloads.customer(77))
    shop.drain()
    result = rehearse(shop, points_per_unit="25", signup_bonus=100)
    assert (result["orders"], result["members"]) == (2, 2)
    assert (result["before"], result["after"]) == (500 + 2_000 + 200, 1_250 + 5_000 + 100)
    assert result["cost_minor"] == 3_650
    assert [(line["before"], line["after"]) for line in result["winners"]] == [(2_000, 5_000), (700, 1_350)]
    assert result["by_rule"] == [
        {"rule": "purchase", "before": 2_500, "after": 6_250},
        {"rule": "signup", "before": 200, "after": 100},
    ]
    assert result["moves"] == [
        {"from": "Bronze", "to": "Silver", "members": 1},
        {"from": "Silver", "to": "Gold", "members": 1},
    ]
    assert rehearse(shop, points_per_unit="0")["lose"] == 2
    assert history(shop) == 2_700


def test_a_rehearsal_belongs_to_its_shop_and_changes_nothing(shop: TestShop, other_shop: TestShop) -> None:
    pay(shop, 5)
    before = history(shop)
    rehearse(shop, caps={"budget": 5, "per_day": 7}, type="punch_card", step="2")
    assert history(shop) == before
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM earning_counts") == 0
        assert uow.scalar("SELECT count(*) FROM earning_budgets") == 0
        mine: UUID = uow.scalar("SELECT id FROM rehearsals")
        assert members.by_customer(uow, 77) is not None
    with other_shop.work() as uow, pytest.raises(RehearsalNotFound):
        points.rehearsal(uow, mine)
