"""Present terms of expiry for points that were earned before: what changes, for whom never, and back again."""

import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock, ids
from app.core.db import UnitOfWork
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import errors, jobs, queries, rules
from app.domains.points import service as points
from app.domains.points.schemas import Credit, RedatingForm
from app.domains.programs import service as programs
from app.domains.programs.schemas import EarningRule, Expiry, ProgramTerms
from tests.domains.points.invariants import broken
from tests.domains.points.terms import terms as terms_of
from tests.fixtures import rows
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 1, 10, 12, tzinfo=UTC)
LATER = START + timedelta(days=30)
YEAR, LONGER = datetime(2027, 1, 11, tzinfo=UTC), datetime(2027, 7, 11, tzinfo=UTC)


@contextmanager
def at_time(at: datetime, shop: TestShop) -> Iterator[UnitOfWork]:
    with clock.use_clock(lambda: at), shop.work() as uow:
        yield uow


def version(uow: UnitOfWork, **changes: object) -> ProgramTerms:
    """The active program's terms after a change of them."""
    program = programs.active(uow)
    assert program is not None
    programs.update(uow, program.id, changes, version=program.version)
    found = programs.active_terms(uow)
    assert found is not None
    return found


def enroll(uow: UnitOfWork, customer_id: int) -> UUID:
    return members.enroll(uow, [Person(customer_id)])[customer_id].id


def earn(uow: UnitOfWork, member: UUID, terms: ProgramTerms, key: str, amount: int = 100) -> None:
    end = rules.lasts_until(uow.now, terms.expiry, terms.expiry_months, UTC_ZONE)
    points.credit(
        uow,
        [Credit(member, amount, key, "purchase", program_version_id=terms.version_id, expires_at=end)],
    )


@pytest.fixture
def member(shop: TestShop) -> UUID:
    """A member with 100 points of 10 January under twelve months, 50 of them reserved, and 30 by hand."""
    with at_time(START, shop) as uow:
        terms = version(uow, expiry_months=12, expiry=Expiry(), zone="UTC")
        found = enroll(uow, 9_300_001)
        earn(uow, found, terms, "a")
        points.hold(uow, found, 50, key="h", reason="redemption")
        points.adjust(uow, found, 30, key="hand", reason="goodwill")
    return found


def change(shop: TestShop, at: datetime, *, form: RedatingForm | None = None, **terms: object) -> UUID:
    """Other terms, and the redating that gives them to earlier points, counted."""
    with at_time(at, shop) as uow:
        version(uow, **terms)
        found = points.start_redating(uow, form or RedatingForm())
    run(shop, found, at)
    return found


def run(shop: TestShop, redating: UUID, at: datetime) -> None:
    with clock.use_clock(lambda: at):
        points.run_redating(shop.id, redating)


def apply(shop: TestShop, redating: UUID, at: datetime) -> None:
    with at_time(at, shop) as uow:
        points.apply_redating(uow, redating)
    run(shop, redating, at)


def undo(shop: TestShop, redating: UUID, at: datetime) -> None:
    with at_time(at, shop) as uow:
        points.undo_redating(uow, redating)
    run(shop, redating, at)


def dates(shop: TestShop, member: UUID) -> list[datetime | None]:
    with shop.work() as uow:
        return [lot["expires_at"] for lot in reversed(queries.lots(uow, member))]


def proved(shop: TestShop) -> bool:
    with shop.work() as uow:
        assert not broken(uow)
    return points.verify(shop.id).findings == []


def result(shop: TestShop, redating: UUID) -> dict[str, Any]:
    with shop.work() as uow:
        found: dict[str, Any] = points.redating(uow, redating)["result"]
    return found


# what changes -------------------------------------------------------------------------------------------------------
def test_longer_terms_hold_for_earlier_points_and_can_be_taken_back_exactly(
    shop: TestShop, member: UUID
) -> None:
    redating = change(shop, LATER, expiry_months=18)
    assert dates(shop, member) == [YEAR, None]
    assert result(shop, redating) == {
        "months": {"2027-01": [100, 0], "2027-07": [0, 100]},
        "later": 100, "sooner": 0, "same": 0, "members": 1,
    }  # fmt: skip
    apply(shop, redating, LATER)
    assert dates(shop, member) == [LONGER, None]
    with shop.work() as uow:
        entry = queries.history(uow, member, 1, None).items[0]
        assert (entry["kind"], entry["points"], entry["moved"]) == ("redate", 0, 100)
        assert "with another expiry date" in points.explain(entry, "en")
        past = points.as_of(uow, member, START + timedelta(days=1))
        assert {lot["expires_at"] for lot in past.lots} == {YEAR, None}
    assert proved(shop)
    undo(shop, redating, LATER)
    assert dates(shop, member) == [YEAR, None]
    assert proved(shop)


def test_the_run_expires_by_the_new_date_and_not_by_the_old(shop: TestShop, member: UUID) -> None:
    apply(shop, change(shop, LATER, expiry_months=18), LATER)
    for at, left in ((YEAR + timedelta(days=1), 80), (LONGER, 30)):
        with clock.use_clock(lambda at=at: at):  # type: ignore[misc]
            jobs.expire_due()
        with shop.work() as uow:
            assert points.balance(uow, member).available == left
    assert proved(shop)


def test_nothing_ends_sooner_unless_it_was_said(shop: TestShop, member: UUID) -> None:
    redating = change(shop, LATER, expiry_months=2)
    assert result(shop, redating)["same"] == 100
    apply(shop, redating, LATER)
    assert dates(shop, member) == [YEAR, None]
    with shop.work() as uow:
        assert not uow.all("SELECT 1 FROM points_entries WHERE kind = 'redate'")


def test_shorter_terms_leave_the_notice(shop: TestShop, member: UUID) -> None:
    form = RedatingForm(shortens=True, notice_days=60)
    redating = change(shop, LATER, form=form, expiry_months=2)
    assert result(shop, redating)["sooner"] == 100
    apply(shop, redating, LATER)
    assert dates(shop, member)[0] == datetime(2026, 4, 11, tzinfo=UTC)
    assert proved(shop)
    undo(shop, redating, LATER)
    assert dates(shop, member)[0] == YEAR


def test_taking_back_longer_dates_late_leaves_the_notice_too(shop: TestShop, member: UUID) -> None:
    redating = change(shop, LATER, expiry_months=18)
    apply(shop, redating, LATER)
    undo(shop, redating, YEAR + timedelta(days=10))
    assert dates(shop, member)[0] == datetime(2027, 4, 22, tzinfo=UTC)
    assert proved(shop)


def test_idle_terms_take_dates_away_and_keep_the_notice(shop: TestShop, member: UUID) -> None:
    form = RedatingForm(shortens=True, notice_days=200)
    redating = change(shop, LATER, form=form, expiry_months=1, expiry=Expiry(mode="idle"))
    apply(shop, redating, LATER)
    assert dates(shop, member) == [None, None]
    floor = datetime(2026, 8, 29, tzinfo=UTC)
    with at_time(LATER, shop) as uow:
        assert [(one.ends_at, one.idle) for one in points.endings_of(uow, member)] == [(floor, True)]
    for at, left in ((floor - timedelta(seconds=1), 80), (floor, 30)):
        with clock.use_clock(lambda at=at: at):  # type: ignore[misc]
            jobs.expire_idle()
        with shop.work() as uow:
            assert points.balance(uow, member).available == left
    assert proved(shop)


def test_points_that_never_ended_end_only_after_a_notice(shop: TestShop) -> None:
    with at_time(START, shop) as uow:
        terms = version(uow, expiry_months=None, expiry=Expiry(), zone="UTC")
        member = enroll(uow, 9_300_002)
        earn(uow, member, terms, "b")
    assert result(shop, change(shop, LATER, expiry_months=1))["same"] == 100
    with at_time(LATER, shop) as uow:
        redating = points.start_redating(uow, RedatingForm(shortens=True, notice_days=30))
    run(shop, redating, LATER)
    apply(shop, redating, LATER)
    assert dates(shop, member) == [datetime(2026, 3, 12, tzinfo=UTC)]
    with shop.work() as uow:
        version(uow, expiry_months=None)
        never = points.start_redating(uow, RedatingForm())
    run(shop, never, LATER)
    apply(shop, never, LATER)
    assert dates(shop, member) == [None]
    assert proved(shop)


def test_another_programs_points_and_ended_points_stay(shop: TestShop, member: UUID) -> None:
    at = YEAR + timedelta(days=1)
    redating = change(shop, at, expiry_months=18)
    apply(shop, redating, at)
    assert dates(shop, member) == [YEAR, None]
    assert result(shop, redating)["later"] == 0


# when it may be done ------------------------------------------------------------------------------------------------
def test_each_step_starts_from_its_state_and_once(shop: TestShop, other_shop: TestShop, member: UUID) -> None:
    with at_time(LATER, shop) as uow:
        version(uow, expiry_months=18)
        redating = points.start_redating(uow, RedatingForm())
        with pytest.raises(errors.RedatingClosed):
            points.apply_redating(uow, redating)
    run(shop, redating, LATER)
    with shop.work() as uow, pytest.raises(errors.RedatingClosed):
        points.undo_redating(uow, redating)
    with at_time(LATER, shop) as uow:
        points.apply_redating(uow, redating)
        other = points.start_redating(uow, RedatingForm())
    run(shop, other, LATER)
    with shop.work() as uow:
        with pytest.raises(errors.RedatingRunning):
            points.apply_redating(uow, other)
        with pytest.raises(errors.RedatingClosed):
            points.apply_redating(uow, redating)
    with other_shop.work() as uow, pytest.raises(errors.RedatingNotFound):
        points.apply_redating(uow, redating)
    with shop.work() as uow:
        version(uow, expiry_months=24)
    run(shop, redating, LATER)
    run(shop, redating, LATER)
    with shop.work() as uow:
        with pytest.raises(errors.RedatingOutdated):
            points.apply_redating(uow, other)
        assert len(uow.all("SELECT 1 FROM points_entries WHERE kind = 'redate'")) == 1
        audit = uow.all("SELECT action FROM audit_entries WHERE subject_kind = 'points_redating'")
        assert [row["action"] for row in audit] == ["points.expiry_dates_changed"]


def test_a_run_that_was_cut_short_goes_on_where_it_was(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.points.service.expiry_dates._SLICE", 2)
    with at_time(START, shop) as uow:
        terms = version(uow, expiry_months=12, expiry=Expiry(), zone="UTC")
        people = [enroll(uow, 9_300_010 + n) for n in range(5)]
        for n, one in enumerate(people):
            earn(uow, one, terms, f"c{n}")
    redating = change(shop, LATER, expiry_months=18)
    with at_time(LATER, shop) as uow:
        points.apply_redating(uow, redating)
    turns = iter([True, False])
    with clock.use_clock(lambda: LATER):
        points.run_redating(shop.id, redating, lambda: next(turns))
    with shop.work() as uow:
        half = points.redating(uow, redating)
    assert (half["status"], half["members_done"], half["result"]["applied"]) == ("applying", 2, 200)
    with clock.use_clock(lambda: LATER):
        jobs.redate_unfinished()
    with shop.work() as uow:
        whole = points.redating(uow, redating)
    assert (whole["status"], whole["members_done"], whole["result"]["applied"]) == ("applied", 5, 500)
    assert all(dates(shop, one) == [LONGER] for one in people)
    assert proved(shop)


_RUN = """
from uuid import UUID
from app.factory import load_domains
from app.domains.points import service
from app.domains.points.service import expiry_dates
load_domains()
expiry_dates._SLICE = 5
service.run_redating(UUID("{shop}"), UUID("{redating}"))
"""


def test_a_killed_run_leaves_no_half_member_and_is_finished_by_the_next(shop: TestShop) -> None:
    with shop.work() as uow:
        terms = version(uow, expiry_months=12, expiry=Expiry(), zone="UTC")
        people = members.enroll(uow, [Person(9_301_000 + n) for n in range(600)])
        end = uow.now + timedelta(days=300)
        points.credit(uow, [
            Credit(one.id, 10, f"k{lot}:{one.id}", "purchase", program_version_id=terms.version_id, expires_at=end)
            for one in people.values() for lot in range(3)
        ])  # fmt: skip
        version(uow, expiry_months=18)
        redating = points.start_redating(uow, RedatingForm())
    points.run_redating(shop.id, redating)
    with shop.work() as uow:
        points.apply_redating(uow, redating)
    code = textwrap.dedent(_RUN.format(shop=shop.id, redating=redating))
    process = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with shop.work() as uow:
            if 0 < points.redating(uow, redating)["members_done"] < 600:
                break
    process.kill()
    process.wait()
    with shop.work() as uow:
        half = points.redating(uow, redating)
        done = int(uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'redate'"))
        moved = int(uow.scalar("SELECT count(*) FROM points_lots WHERE terms_id IS NOT NULL"))
    assert half["status"] == "applying" and 0 < half["members_done"] < 600
    assert (done, moved) == (half["members_done"], 3 * half["members_done"])
    jobs.redate_unfinished()
    with shop.work() as uow:
        assert points.redating(uow, redating)["status"] == "applied"
        assert uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'redate'") == 600
    assert proved(shop)


# the proof ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE points_lots SET expires_at = expires_at + interval '1 day' WHERE member_id = %s AND terms_id IS NOT NULL",
        "UPDATE points_lots SET terms_id = gen_random_uuid() WHERE member_id = %s",
        "UPDATE points_lots SET kept_until = now() WHERE member_id = %s",
        "UPDATE points_entries SET trace = trace || '{\"lots\": []}' WHERE member_id = %s AND kind = 'redate'",
        "DELETE FROM points_entries WHERE member_id = %s AND kind = 'redate'",
    ],
)
def test_the_proof_finds_a_date_that_no_entry_gave(shop: TestShop, member: UUID, sql: str) -> None:
    apply(shop, change(shop, LATER, expiry_months=18), LATER)
    assert proved(shop)
    with rows.connect() as owner:
        owner.execute(sql, (member,))
    assert [one.member_id for one in points.verify(shop.id).findings] == [member]


# the screens --------------------------------------------------------------------------------------------------------
PAGE = "/app/points-ledger/expiry"


def key() -> dict[str, str]:
    return {"idempotency_key": str(ids.new_id())}


def test_a_merchant_counts_applies_and_takes_back(
    shop: TestShop, other_shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    assert "No dates were changed yet" in merchant.get(PAGE).text
    refused = merchant.submit(f"{PAGE}/redate", key() | {"notice_days": "10"})
    assert refused.status_code == 422 and "30" in refused.text
    with shop.work() as uow:
        version(uow, expiry_months=18)
    asked = key() | {"notice_days": "٤٥", "shortens": "on"}
    place = merchant.submit(f"{PAGE}/redate", asked).headers["HX-Location"]
    found = re.search(r"/expiry/([0-9a-f-]{36})", place)
    assert found is not None
    page = f"{PAGE}/{found[1]}"
    assert "<progress" in merchant.get(page).text
    points.run_redating(shop.id, UUID(found[1]))
    assert "Apply" in merchant.get(page).text
    assert "Apply" not in call_as(staff(shop.id, frozenset({Permission.POINTS_READ}))).get(page).text
    assert call_as(staff(other_shop.id)).get(page).status_code == 404
    reader = call_as(staff(shop.id, frozenset({Permission.POINTS_READ})))
    assert reader.submit(f"{page}/apply-redating", key()).status_code == 403
    assert merchant.submit(f"{page}/apply-redating", key()).status_code == 200
    points.run_redating(shop.id, UUID(found[1]))
    assert "100 points have another expiry date." in merchant.get(page).text
    assert "Only later" not in merchant.get(PAGE).text
    with shop.work() as uow:
        entry = queries.history(uow, member, 1, None).items[0]
    assert "Lots with another date" in merchant.get(f"/app/points-ledger/{entry['id']}").text
    assert merchant.submit(f"{page}/undo-redating", key()).status_code == 200
    points.run_redating(shop.id, UUID(found[1]))
    assert "100 points have their earlier expiry date again." in merchant.get(page).text


def test_a_program_of_the_api_counts_and_applies(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    path = "/api/loyalty-referral/points/redatings"
    caller = call_as(api_key(shop.id))
    with shop.work() as uow:
        version(uow, expiry_months=18)
    made = caller.post(path, json={"notice_days": 30})
    assert made.status_code == 202, made.text
    redating = made.json["redating"]["id"]
    assert caller.post(f"{path}/{redating}/apply", json={}).status_code == 409
    points.run_redating(shop.id, UUID(redating))
    assert caller.get(f"{path}/{redating}").json["redating"]["result"]["later"] == 100
    assert caller.post(f"{path}/{redating}/apply", json={}).json["redating"]["status"] == "applying"
    assert [one["id"] for one in caller.get(path).json["redatings"]] == [redating]


# the rule -----------------------------------------------------------------------------------------------------------
policies = st.builds(
    Expiry,
    mode=st.sampled_from(["earned", "yearly", "idle"]),
    end_of_month=st.booleans(),
    month=st.integers(1, 12),
    day=st.integers(1, 31),
    spare_months=st.integers(0, 11),
)
months = st.none() | st.integers(1, 36)


def made(expiry: Expiry, own: int | None, number: int) -> ProgramTerms:
    rule = EarningRule(id="purchase", kind="purchase", expiry_months=own)
    return replace(
        terms_of(), version_id=UUID(int=number), expiry=expiry, expiry_months=own and 36, rules=(rule,)
    )


@given(
    policies, months, policies, months, st.integers(0, 400), st.none() | st.integers(1, 400), st.booleans()
)
def test_no_lot_ends_before_it_may(
    old: Expiry,
    old_own: int | None,
    new: Expiry,
    new_own: int | None,
    idle: int,
    notice: int | None,
    program: bool,
) -> None:
    now = START + timedelta(days=500)
    floor = now + timedelta(days=notice) if notice else None
    born, then = made(old, None if program else old_own, 1), made(new, None if program else new_own, 2)
    if program:
        born, then = replace(born, expiry_months=old_own), replace(then, expiry_months=new_own)
    own = born.rules[0].expiry_months
    date = rules.lasts_until(START, born.expiry, born.expiry_months, UTC_ZONE, own)
    lot = rules.Earned(START, date, ["purchase"], now - timedelta(days=idle), rules.Standing(date, None))
    before = rules.ends(lot.standing, born, lot.active_at, UTC_ZONE)
    zones = (UTC_ZONE, UTC_ZONE, UTC_ZONE)
    wanted = rules.redated(lot, born, born, then, zones, floor)
    after = rules.ends(wanted, then if wanted.terms_id else born, lot.active_at, UTC_ZONE)
    if after is not None:
        assert before is None or floor is not None or after >= before
        least = before if floor is None or (before and before < floor) else floor
        assert least is not None and after >= least
    again = rules.Earned(START, date, ["purchase"], lot.active_at, wanted)
    follows = then if wanted.terms_id else born
    assert rules.redated(again, born, follows, then, zones, floor) == wanted
    if wanted != lot.standing:
        back = rules.restored(lot.standing, after, born, lot.active_at, UTC_ZONE, floor or now)
        end = rules.ends(back, born, lot.active_at, UTC_ZONE)
        if before is None or (after is not None and before >= after):
            assert back == lot.standing
        elif end is not None:
            assert end >= before


def test_a_rules_own_months_follow_that_rule(shop: TestShop) -> None:
    old = replace(made(Expiry(), 3, 1), expiry_months=12)
    new = replace(made(Expiry(), 6, 2), expiry_months=24)
    zones = (UTC_ZONE, UTC_ZONE, UTC_ZONE)
    for own, expected in ((3, date(2026, 7, 11)), (None, date(2028, 1, 11))):
        end = rules.lasts_until(START, Expiry(), 12, UTC_ZONE, own)
        lot = rules.Earned(START, end, ["purchase"], START, rules.Standing(end, None))
        wanted = rules.redated(lot, old, old, new, zones, None)
        assert wanted.expires_at is not None and wanted.expires_at.date() == expected
