"""A program's life: templates, copies, planned starts and ends, pauses; who may, and what is refused."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.permissions import Permission
from app.domains.programs import jobs, rules, service
from app.domains.programs.models import Program
from app.domains.programs.rules import trades
from app.domains.programs.schemas import Multiplier, ProgramCreate
from app.domains.programs.service import wording
from app.domains.rewards import service as rewards
from app.domains.rewards.schemas import RewardForm
from app.domains.tiers import service as tiers
from tests.domains.points.test_earning import balance, pay
from tests.domains.programs.test_rules_editor import TAB, program_of
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("weekdays", "1, 2", "الاثنين والثلاثاء"),
        ("tiers", "a, b", "Gold وSilver"),
        ("countries", "FR, JO", "فرنسا والأردن"),
        ("excluded_countries", "XX", "XX"),
        ("currencies", "EUR", "يورو"),
        ("products", "12, 345", "12 و345"),
        ("name", "Spring, early", "Spring, early"),
    ],
)
def test_a_changed_list_is_joined_as_the_language_joins_it(field: str, value: str, said: str) -> None:
    change = {"field": field, "part": "", "before": None, "after": value}
    (told,) = wording.told([change], "ar", {"a": "Gold", "b": "Silver"})
    assert (told["before"], told["after"]) == (None, said)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with clock.use_clock(lambda: moment):
        yield


def draft(shop: TestShop, name: str = "Winter", **settings: Any) -> UUID:
    with shop.work() as uow:
        return service.create(uow, ProgramCreate(name=name, **settings)).id


def read(shop: TestShop, program_id: UUID) -> Program:
    with shop.work() as uow:
        return service.get(uow, program_id)


def plan(shop: TestShop, program_id: UUID, **form: Any) -> None:
    version = read(shop, program_id).version
    with shop.work() as uow:
        service.schedule(uow, program_id, service.ScheduleForm(version=version, **form))


def test_a_planned_program_takes_over_at_its_minute_and_gives_back(shop: TestShop) -> None:
    regular, _ = program_of(shop)
    winter = draft(shop, points_per_unit=Decimal(20))
    with at(NOON):
        plan(
            shop,
            winter,
            starts_at=NOON + timedelta(hours=1),
            ends_at=NOON + timedelta(hours=3),
            after_end="archived",
            hands_back=True,
        )
    for minutes, expected in (
        (59, ("scheduled", "active")),
        (60, ("active", "paused")),
        (61, ("active", "paused")),
        (179, ("active", "paused")),
        (180, ("archived", "active")),
        (181, ("archived", "active")),
    ):
        with at(NOON + timedelta(minutes=minutes)):
            jobs.keep_schedule()
            assert (read(shop, winter).status, read(shop, regular).status) == expected, minutes
    assert read(shop, winter).ends_at is None


def test_what_a_stopped_worker_missed_is_made_up_for_in_order(shop: TestShop) -> None:
    regular, _ = program_of(shop)
    winter = draft(shop)
    with at(NOON):
        plan(
            shop,
            winter,
            starts_at=NOON + timedelta(hours=1),
            ends_at=NOON + timedelta(hours=2),
            hands_back=True,
        )
    with at(NOON + timedelta(days=3)), shop.work() as uow:
        assert service.keep_schedule(uow) == 2
        assert service.keep_schedule(uow) == 0
    assert (read(shop, winter).status, read(shop, regular).status) == ("paused", "active")


def test_who_was_paused_by_hand_meanwhile_is_not_woken(shop: TestShop) -> None:
    regular, _ = program_of(shop)
    winter = draft(shop)
    with at(NOON):
        plan(
            shop,
            winter,
            starts_at=NOON + timedelta(hours=1),
            ends_at=NOON + timedelta(hours=2),
            hands_back=True,
        )
    with at(NOON + timedelta(hours=1)):
        jobs.keep_schedule()
    with shop.work() as uow:
        service.update(uow, regular, {"status": "archived"}, version=read(shop, regular).version)
    with at(NOON + timedelta(hours=2)):
        jobs.keep_schedule()
    assert (read(shop, winter).status, read(shop, regular).status) == ("paused", "archived")


def test_an_active_program_ends_by_itself_and_orders_earn_nothing_then(shop: TestShop) -> None:
    regular, _ = program_of(shop)
    with at(NOON):
        plan(shop, regular, ends_at=NOON + timedelta(hours=1))
    with at(NOON + timedelta(hours=1)):
        jobs.keep_schedule()
    assert read(shop, regular).status == "paused"
    pay(shop, 5)
    with shop.work() as uow:
        assert balance(uow, 77).total == 0


def test_plans_that_cannot_be_kept_are_refused_at_the_field(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    merchant, winter, spring = call_as(staff(shop.id)), draft(shop), draft(shop, "Spring")
    now = datetime.now(UTC)

    def post(program: UUID, start: datetime | None, end: datetime | None) -> Any:
        return merchant.submit(
            f"{TAB}/{program}/plan",
            {
                "version": read(shop, program).version,
                "starts_at": start.isoformat() if start else "",
                "ends_at": end.isoformat() if end else "",
                "after_end": "paused",
            },
        )

    late, early = now + timedelta(days=2), now - timedelta(days=2)
    assert post(winter, early, None).status_code == 422
    assert post(winter, None, None).status_code == 422
    assert post(winter, late, late - timedelta(hours=1)).status_code == 422
    assert read(shop, winter).status == "draft"
    assert post(winter, late, late + timedelta(days=5)).status_code in (200, 204)
    assert read(shop, winter).status == "scheduled"
    clash = post(spring, late + timedelta(days=4), None)
    assert clash.status_code == 409 and "Winter is scheduled for a part of that time" in clash.text
    assert post(spring, late + timedelta(days=5), None).status_code in (200, 204)
    assert "This program starts on" in merchant.get(f"{TAB}/{winter}").text
    assert "It will be paused at the minute" in merchant.get(f"{TAB}/{winter}/schedule").text
    back = {"version": read(shop, winter).version}
    assert merchant.submit(f"{TAB}/{winter}/unplan", back).status_code == 200
    assert read(shop, winter).status == "draft" and read(shop, winter).starts_at is None


@given(
    st.tuples(st.integers(0, 20), st.none() | st.integers(1, 20)),
    st.tuples(st.integers(0, 20), st.none() | st.integers(1, 20)),
)
def test_spans_overlap_when_an_hour_is_in_both(
    one: tuple[int, int | None], other: tuple[int, int | None]
) -> None:
    spans = [
        (NOON + timedelta(hours=start), None if length is None else NOON + timedelta(hours=start + length))
        for start, length in (one, other)
    ]
    hours = [
        {n for n in range(100) if start <= n and (length is None or n < start + length)}
        for start, length in (one, other)
    ]
    assert rules.overlap(*spans) == bool(hours[0] & hours[1])
    assert rules.overlap(*spans) == rules.overlap(*reversed(spans))


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
@pytest.mark.parametrize("found", trades.TRADES, ids=lambda one: one.key)
def test_every_template_is_a_program_that_gives_back_a_sound_share(
    shop: TestShop, found: trades.Trade, currency: str
) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE shops SET currency = %(currency)s", {"currency": currency})
    with shop.work() as uow:
        shown = service.preview(uow, found.key, "en")
        assert shown.given_back is not None
        assert Decimal("0.01") <= shown.given_back <= Decimal("0.12")
        made = service.create_from_template(uow, found.key, "fr", rewards=True)
        assert made.status == "draft"
        assert rules.terms(service.snapshot(made)) == rules.terms(shown.settings)
        ideas = rewards.of_program(uow, made.id)
        assert {one.status for one in ideas} == {"draft"} and len(ideas) == len(found.rewards)


def test_a_template_is_looked_at_and_used(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    merchant = call_as(staff(shop.id))
    page = merchant.get(f"{TAB}/templates").text
    assert "Coffee and tea" in page and "gives back" in page
    drawer = merchant.get(f"{TAB}/templates/fashion").text
    assert "Example: an order of $80.00" in drawer and "400 points" in drawer
    assert merchant.get(f"{TAB}/templates/nothing").status_code == 404
    assert merchant.submit(f"{TAB}/use-template", {"template": "nothing"}).status_code == 404
    made = merchant.submit(f"{TAB}/use-template", {"template": "food"})
    assert made.status_code in (200, 204)
    with shop.work() as uow:
        (newest, *_) = service_page(uow)
        assert newest.name == "Food and groceries" and rewards.of_program(uow, newest.id) == []
        assert newest.multipliers[0]["names"].keys() == {"es", "fr", "ar", "he"}


def service_page(uow: Any) -> list[Program]:
    from app.domains.programs import queries
    from app.domains.programs.schemas import ProgramsQuery

    return queries.page(uow, ProgramsQuery(limit=50)).items


def test_a_copy_has_the_terms_and_the_rewards_as_drafts(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, _ = program_of(shop)
    assert call_as(staff(shop.id)).submit(f"{TAB}/{program}/duplicate", {}).status_code in (200, 204)
    with shop.work() as uow:
        copy = next(one for one in service_page(uow) if one.name.endswith("(copy)"))
        assert copy.status == "draft"
        assert rules.terms(service.snapshot(copy)) == rules.terms(service.settings(uow, program))
        made = rewards.of_program(uow, copy.id)
        assert len(made) == 3 and {one.status for one in made} == {"draft"}


def test_only_who_may_write_plans_copies_and_creates(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = program_of(shop)
    reader = call_as(staff(shop.id, frozenset({Permission.PROGRAMS_READ})))
    stranger = call_as(staff(other_shop.id))
    body = {"version": version, "ends_at": "2030-01-01T00:00"}
    for path, form in (("plan", body), ("unplan", {"version": version}), ("duplicate", {})):
        assert reader.submit(f"{TAB}/{program}/{path}", form).status_code == 403, path
        assert stranger.submit(f"{TAB}/{program}/{path}", form).status_code == 404, path
    assert reader.submit(f"{TAB}/use-template", {"template": "food"}).status_code == 403
    assert reader.get(f"{TAB}/{program}").status_code == 200


def test_the_api_schedules_and_says_so(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    winter = draft(shop)
    place, caller = f"/api/loyalty-referral/programs/{winter}", call_as(api_key(shop.id))
    body: dict[str, Any] = {"version": 1, "status": "scheduled"}
    assert caller.open("PUT", place, json=body, headers={"Idempotency-Key": "a"}).status_code == 400
    body["starts_at"] = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    found = caller.open("PUT", place, json=body, headers={"Idempotency-Key": "b"})
    assert found.status_code == 200, found.text
    assert found.json["program"]["status"] == "scheduled"
    assert found.json["program"]["eligibility"]["companies"] is True


def test_a_late_save_shows_what_was_read_theirs_and_yours(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = program_of(shop)
    merchant = call_as(staff(shop.id))
    page = merchant.get(f"{TAB}/{program}").text
    assert "_as_read" in page
    with shop.work() as uow:
        service.update(uow, program, {"points_per_unit": Decimal(12)}, version=version)
    typed = {
        "version": version,
        "name": "Rewards",
        "points_per_unit": "15",
        "signup_bonus": "200",
        "_as_read": '{"points_per_unit": "10"}',
    }
    late = merchant.submit(f"{TAB}/{program}/save", typed)
    assert late.status_code == 409
    row = late.text[late.text.index('id="program-differences"') :]
    row = row[row.index("Points per unit") :]
    row = row[: row.index("</tr>")]
    assert [row.index(text) for text in (">10<", ">12<", ">15<")] == sorted(
        row.index(text) for text in (">10<", ">12<", ">15<")
    )


def editor(shop: TestShop, program: UUID, **changes: Any) -> dict[str, Any]:
    version = read(shop, program).version
    return {"version": version, "name": "Rewards", "points_per_unit": "10", "signup_bonus": "200"} | changes


def test_what_is_typed_is_seen_as_a_shopper_reads_it(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, version = program_of(shop)
    pay(shop, 5)
    merchant = call_as(staff(shop.id))
    assert "Preview as shopper" in merchant.get(f"{TAB}/{program}/shopper").text
    place = f"{TAB}/{program}/look"
    typed = editor(shop, program, name="Club", points_per_unit="12")
    guest = merchant.submit(place, typed).text
    assert "12 points for every $1 spent" in guest and "Club" in guest and "Create an account" in guest
    french = merchant.submit(place, typed | {"shopper.locale": "fr", "shopper.who": "new"}).text
    assert 'lang="fr"' in french and 'dir="ltr"' in french
    assert 'dir="rtl"' in merchant.submit(place, typed | {"shopper.locale": "ar"}).text
    known = typed | {"shopper.who": "member", "shopper.email": "shopper77@example.com"}
    assert "1,000 points" in merchant.submit(place, known).text
    card = known | {"type": "punch_card", "step": "9", "points_per_unit": "100"}
    assert "0 of 9 stamps" in merchant.submit(place, card).text
    with shop.work() as uow:
        form = RewardForm(
            names={"en": "Teapot"},
            kind="custom",
            points_cost=10,
            status="draft",
            conditions={"en": "While it lasts."},
        )
        rewards.create_reward(uow, form, program_id=program)
    assert "While it lasts." in merchant.submit(place, typed).text, "drafts are seen too"
    unknown = known | {"shopper.email": "nobody@example.com"}
    assert "No member has this e-mail." in merchant.submit(place, unknown).text
    reader = call_as(staff(shop.id, frozenset({Permission.PROGRAMS_READ})))
    assert reader.submit(place, known).status_code == 403
    assert reader.submit(place, typed).status_code == 200
    assert call_as(staff(other_shop.id)).submit(place, typed).status_code == 404
    assert read(shop, program).version == version
    card = typed | {"type": "punch_card", "step": "9", "points_per_unit": "100"}
    assert "100 points after 9 stamps; each order is one" in merchant.submit(place, card).text


def test_the_store_says_what_the_merchant_wrote_while_the_program_is_paused(shop: TestShop) -> None:
    from app.domains.programs.schemas import Translations
    from app.domains.storefront import service as storefront

    program, version = program_of(shop)
    with shop.work() as uow:
        assert storefront.summary(uow, None, "en").notice is None
        notes = Translations(en="Back in May.", fr="De retour en mai.")
        service.update(uow, program, {"status": "paused", "pause_notes": notes}, version=version)
    with shop.work() as uow:
        told = {locale: storefront.summary(uow, None, locale) for locale in ("en", "fr", "he")}
    assert {one.state for one in told.values()} == {"closed"}
    assert [one.notice for one in told.values()] == ["Back in May.", "De retour en mai.", "Back in May."]


def test_a_copy_is_for_its_own_tiers(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    """A reward and a campaign for one tier are for the copy of that tier, and open to nobody else."""
    program, _ = program_of(shop)
    with shop.work() as uow:
        gold = tiers.ladder(uow)[-1].id
        campaign = Multiplier(id="gold", name="Gold days", factor=Decimal(2), conditions={"tiers": [gold]})
        service.apply(
            uow, program, service.settings_with_campaign(uow, program, campaign), version=program_of(shop)[1]
        )
        form = RewardForm(names={"en": "Mug"}, kind="custom", points_cost=10, tiers=[gold])
        rewards.create_reward(uow, form, program_id=program)
    assert call_as(staff(shop.id)).submit(f"{TAB}/{program}/duplicate", {}).status_code in (200, 204)
    with shop.work() as uow:
        copy = next(one for one in service_page(uow) if one.name.endswith("(copy)"))
        there = [one.id for one in tiers.main_levels(uow, copy.id)]
        assert len(there) == 3 and gold not in there
        mug = next(one for one in rewards.of_program(uow, copy.id) if one.name == "Mug")
        assert mug.tiers == [there[-1]]
        assert copy.multipliers[0]["conditions"]["tiers"] == [str(there[-1])]


def test_a_draft_is_edited_and_previewed_with_its_own_tiers(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    with shop.work() as uow:
        winter = service.create(uow, ProgramCreate(name="Winter"), tiers=(100, 200)).id
        bronze, _, gold = (one.id for one in tiers.main_levels(uow, winter))
        running = tiers.ladder(uow)[-1].id
        form = RewardForm(names={"en": "Teapot"}, kind="custom", points_cost=10, tiers=[gold])
        rewards.create_reward(uow, form, program_id=winter)
    merchant = call_as(staff(shop.id))
    for path in ("rules/new?kind=review", "campaigns/new", "shopper"):
        page = merchant.fragment(f"{TAB}/{winter}/{path}").text
        assert str(gold) in page and str(running) not in page, path
    typed = editor(shop, winter, **{"type": "tiered", "shopper.who": "tier"})
    place = f"{TAB}/{winter}/look"
    assert "For members of other tiers." in merchant.submit(place, typed | {"shopper.tier": str(bronze)}).text
    assert "For members of other" not in merchant.submit(place, typed | {"shopper.tier": str(gold)}).text


def test_a_refused_country_says_so_at_its_field(shop: TestShop, call_as: Callable[..., Caller]) -> None:
    program, _ = program_of(shop)
    merchant = call_as(staff(shop.id))
    typed = editor(shop, program, **{"eligibility.countries": "Atlantis", "eligibility.companies": "on"})
    refused = merchant.submit(f"{TAB}/{program}/save", typed)
    assert refused.status_code == 422 and refused.text.count("Enter a country by its name") == 2
    assert 'href="#loyalty-programs-save-eligibility-countries"' in refused.text, (
        "the summary leads to the field"
    )
    assert 'id="loyalty-programs-save-eligibility-countries-error"' in refused.text
    kept = merchant.submit(f"{TAB}/{program}/save", typed | {"eligibility.countries": "France"})
    assert kept.status_code == 200
    assert read(shop, program).eligibility["countries"] == ["FR"]


def test_a_zone_is_chosen_by_its_city_and_an_unknown_one_refused_at_its_field(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, _ = program_of(shop)
    merchant, place = call_as(staff(shop.id)), f"{TAB}/{program}"
    page = merchant.fragment(place).text
    assert 'as your store"' in page and 'name="_zone_shown"' in page, "the shop's own zone is the default"
    typed = editor(shop, program, **{"eligibility.companies": "on"})
    for wrong in ("Paris", "Europe/Atlantis", "localtime", "europe/paris"):
        refused = merchant.submit(f"{place}/save", typed | {"zone": wrong})
        assert refused.status_code == 422 and 'id="loyalty-programs-save-zone-error"' in refused.text
        assert "There is no time zone with this name." in refused.text
        assert re.search(rf'name="zone" value="{wrong}" role="combobox"', refused.text), (
            "what was typed stays"
        )
    chosen = typed | {"zone": "Asia/Riyadh", "_zone_shown": "Riyadh (UTC+03:00)"}
    assert merchant.submit(f"{place}/save", chosen).status_code == 200
    assert read(shop, program).zone == "Asia/Riyadh"
    assert 'value="Riyadh (UTC+03:00)"' in merchant.fragment(place).text
    own = editor(shop, program, **{"eligibility.companies": "on", "zone": "", "_zone_shown": "as your store"})
    assert merchant.submit(f"{place}/save", own).status_code == 200
    assert read(shop, program).zone == ""


def test_countries_are_shown_by_name_and_kept_by_letters(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    program, _ = program_of(shop)
    merchant, place = call_as(staff(shop.id)), f"{TAB}/{program}"
    typed = editor(
        shop, program, **{"eligibility.countries": ["FR", "Jordan"], "eligibility.companies": "on"}
    )
    assert merchant.submit(f"{place}/save", typed).status_code == 200
    assert read(shop, program).eligibility["countries"] == ["FR", "JO"]
    page = merchant.fragment(place).text
    assert '<bdi>France</bdi><input type="hidden" name="eligibility.countries" value="FR">' in page
    assert 'aria-label="Remove Jordan"' in page
    arabic = merchant.get(f"{place}?locale=ar").text
    assert "<bdi>فرنسا</bdi>" in arabic
