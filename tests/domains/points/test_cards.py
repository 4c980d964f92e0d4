"""Where members stand on punch cards and spending goals: the arithmetic, the real counts, and what is said."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core.i18n import translations
from app.domains.members import service as members
from app.domains.points import rules
from app.domains.points import service as points
from app.domains.points.schemas import Card
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms
from tests.domains.points.terms import rule, terms
from tests.domains.points.test_earning import change, of_rule, pay, refund
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

TODAY = date(2026, 11, 21)


def stamps(shop: TestShop, step: int = 3) -> None:
    change(shop, type="punch_card", points_per_unit=Decimal(100), step=Decimal(step))


def seen(shop: TestShop, customer: int = 77, locale: str = "en") -> list[Card]:
    """A member's cards."""
    with shop.work() as uow:
        member = members.by_customer(uow, customer)
        assert member is not None
        return points.cards(uow, member.id, locale)


def told(shop: TestShop, customer: int = 77) -> list[str]:
    return [
        " | ".join(part for part in (one.text, one.rest, one.note) if part) for one in seen(shop, customer)
    ]


def at(under: ProgramTerms, counts: tuple[int, int], day: date = TODAY, **who: Any) -> rules.Progress | None:
    """Where somebody with these units and completions is on the first counting rule."""
    counting = next(one for one in under.on_orders if one.counts)
    return rules.progress(counting, under, rules.MemberState(counts={counting.id: counts}, **who), day, 2)


def test_an_order_that_fills_no_card_is_said_to_be_counted(shop: TestShop) -> None:
    for kind, step, says in (
        ("punch_card", 3, "is counted"),
        ("punch_card", 1, "100 points"),
        ("spend_based", 500, "is counted"),
        ("spend_based", 100, "100 points"),
    ):
        change(shop, type=kind, points_per_unit=Decimal(100), step=Decimal(step))
        with shop.work() as uow:
            under = programs.active_terms(uow)
            assert under is not None
            points_given, why = programs.engine().preview(uow, under, "purchase", "en")
        assert says in why and bool(points_given) == ("points" in says), (kind, step, why)


# arithmetic ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("counts", "filled", "missing"),
    [
        ((0, 0), 0, 10),
        ((3, 0), 3, 7),
        ((10, 1), 0, 10),
        ((14, 1), 4, 6),
        ((9, 1), 0, 11),  # a stamp of the full card was refunded after it had given its points
        ((25, 1), 10, 1),  # the card became smaller: the next order fills it
    ],
)
def test_stamps_are_counted_on_the_card_that_is_not_full_yet(
    counts: tuple[int, int], filled: int, missing: int
) -> None:
    found = at(terms(type="punch_card", points_per_unit="100", step="10"), counts)
    assert found is not None
    assert (found.filled, found.size, found.missing, found.points) == (filled, 10, missing, 100)


def test_the_next_order_gives_what_the_card_promises() -> None:
    under = terms(type="punch_card", points_per_unit="100", step="3")
    for counts in [(0, 0), (2, 0), (3, 1), (2, 1), (5, 1)]:
        found = at(under, counts)
        assert found is not None
        units, completed = counts
        full = (units + found.missing) // 3 - completed
        before = (units + found.missing - 1) // 3 - completed
        assert (max(before, 0), full) == (0, 1), counts


def test_a_goal_ends_when_it_is_reached_and_begins_again_with_its_period() -> None:
    goal = rule("goal", 500, kind="goal_spend", step="200", goal_period="month")
    under = terms(rules=[goal])
    near, done = at(under, (15_000, 0)), at(under, (25_000, 1))
    assert near is not None and done is not None
    assert (near.filled, near.size, near.missing, near.last_day) == (
        15_000,
        20_000,
        5_000,
        date(2026, 11, 30),
    )
    assert (done.reached, done.filled, done.missing, done.begins_again) == (
        True,
        20_000,
        0,
        date(2026, 12, 1),
    )


def test_a_rule_that_is_not_for_the_member_or_the_day_shows_nothing() -> None:
    tier = UUID(int=7)

    def under(**conditions: Any) -> ProgramTerms:
        return terms(rules=[rule("goal", 500, kind="goal_spend", step="200", conditions=conditions)])

    assert at(under(tiers=[str(tier)]), (0, 0)) is None
    assert at(under(tiers=[str(tier)]), (0, 0), tier=tier) is not None
    assert at(under(starts_on="2026-11-22"), (0, 0)) is None
    assert at(under(ends_on="2026-11-20"), (0, 0)) is None
    assert at(under(ends_on="2026-11-21"), (0, 0)) is not None
    assert at(terms(rules=[rule("goal", 0, kind="goal_spend", step="200")]), (0, 0)) is None


def test_the_tier_multiplies_what_is_promised() -> None:
    found = at(terms(rules=[rule("goal", 500, kind="goal_spend", step="200")]), (0, 0), tier_bp=12_500)
    assert found is not None and found.points == 625


# the real counts -----------------------------------------------------------------------------------------------------
def test_a_card_fills_gives_and_begins_again_and_a_refund_takes_its_stamp_back(shop: TestShop) -> None:
    pay(shop, 4)
    stamps(shop)
    assert told(shop) == ["0 of 3 stamps | 3 more orders until 100 points"]
    for number in (5, 6):
        pay(shop, number)
    assert told(shop) == ["2 of 3 stamps | 1 more order until 100 points"]
    refund(shop, 6)
    assert told(shop) == ["1 of 3 stamps | 2 more orders until 100 points"]
    for number in (7, 8):
        pay(shop, number)
    assert told(shop) == ["0 of 3 stamps | 3 more orders until 100 points"]
    pay(shop, 9)
    assert told(shop) == ["1 of 3 stamps | 2 more orders until 100 points"]


def test_everybody_has_a_card_of_their_own_and_another_shop_sees_none(
    shop: TestShop, other_shop: TestShop
) -> None:
    stamps(shop)
    stamps(other_shop)
    pay(shop, 5)
    pay(shop, 6, customer=78)
    pay(shop, 7, customer=78)
    assert [seen(shop, one)[0].filled for one in (77, 78)] == [1, 2]
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
    with other_shop.work() as uow:
        assert [one.filled for one in points.cards(uow, member.id, "en")] == [0]


def test_the_stamps_of_a_merged_account_count(shop: TestShop) -> None:
    stamps(shop)
    pay(shop, 5)
    pay(shop, 6, customer=78)
    with shop.work() as uow:
        one, two = (members.by_customer(uow, customer) for customer in (77, 78))
        assert one is not None and two is not None
        members.merge(uow, one.id, two.id)
        assert [card.filled for card in points.cards(uow, one.id, "en")] == [2]


def test_money_counts_in_the_shops_currency_and_only_in_its_period(shop: TestShop) -> None:
    goal = rule("goal", 500, kind="goal_spend", step="250", goal_period="year", name="Big year")
    change(shop, type="points", rules=of_rule(goal))
    now = datetime.now(UTC)
    pay(shop, 5, created_at=(now - timedelta(days=400)).isoformat())
    [before] = seen(shop)
    assert (before.name, before.money, before.filled) == ("Big year", True, 0)
    pay(shop, 6, created_at=now.isoformat())
    [card] = seen(shop)
    assert (card.text, card.rest) == ("$100.00 of $250.00 spent", "$150.00 more until 500 points")
    assert card.note == f"Counts until December 31, {now.year}."
    pay(shop, 7, "200.00", created_at=now.isoformat())
    assert told(shop) == [f"Goal reached: 500 points | It starts again on January 1, {now.year + 1}."]


def test_without_such_a_rule_or_a_program_there_is_nothing(shop: TestShop) -> None:
    pay(shop, 5)
    assert seen(shop) == []
    stamps(shop)
    assert len(seen(shop)) == 1
    change(shop, eligibility={"account_days": 3_000})
    assert seen(shop) == []
    with shop.work() as uow:
        uow.execute("UPDATE programs SET status = 'paused'")
    assert seen(shop) == []


def test_terms_that_are_not_saved_are_shown_too(shop: TestShop) -> None:
    pay(shop, 5)
    with shop.work() as uow:
        member, program = members.by_customer(uow, 77), programs.active(uow)
        assert member is not None and program is not None
        wanted = programs.settings(uow, program.id) | {"type": "punch_card", "step": "4"}
        found = points.cards(uow, member.id, "en", programs.draft_terms(program.id, wanted))
    assert [one.text for one in found] == ["0 of 4 stamps"]


def test_staff_see_the_card_on_the_members_page(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    stamps(shop)
    pay(shop, 5)
    with shop.work() as uow:
        member = members.by_customer(uow, 77)
        assert member is not None
    page = f"/app/members/{member.id}"
    merchant = call_as(staff(shop.id))
    assert "1 of 3 stamps · 2 more orders until 100 points" in merchant.get(page).text
    change(shop, type="points")
    assert "stamps" not in merchant.get(page).text


@pytest.mark.parametrize("locale", ["es", "fr", "ar", "he"])
@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("{filled} of {size} stamp", "{filled} of {size} stamps"),
        ("{orders} more order until {points}", "{orders} more orders until {points}"),
        ("{items} more item until {points}", "{items} more items until {points}"),
    ],
)
def test_every_language_has_its_plural_forms(locale: str, one: str, many: str) -> None:
    texts = translations(locale)
    found = {texts.ngettext(one, many, count) for count in (0, 1, 2, 3, 11, 100)}
    assert not found & {one, many}
    assert len(found) >= (4 if locale == "ar" else 2)


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_numbers_stand_in_every_language(shop: TestShop, locale: str) -> None:
    stamps(shop, 11)
    pay(shop, 5)
    [card] = seen(shop, locale=locale)
    assert "1" in card.text and "11" in card.text and "10" in card.rest and "100" in card.rest
