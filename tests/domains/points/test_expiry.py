"""When points end: the calendar's arithmetic, the run, and what inactivity does."""

from calendar import isleap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import jobs, rules
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.programs import service as programs
from app.domains.programs.schemas import Expiry
from tests.domains.points.invariants import broken
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Asia/Beirut")
instants = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2036, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)  # fmt: skip
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])


def last_day(end: datetime, zone: ZoneInfo) -> date:
    """The local day that ends at an instant, which must be its very end."""
    assert end == datetime.combine(end.astimezone(zone).date(), time.min, zone)
    return (end.astimezone(zone) - timedelta(hours=12)).date()


# the calendar -------------------------------------------------------------------------------------------------------
@given(instants, st.integers(1, 120), zones, st.booleans())
def test_months_after_earning_are_never_short(at: datetime, months: int, zone: ZoneInfo, whole: bool) -> None:
    end = rules.lasts_until(at, Expiry(end_of_month=whole), months, zone)
    assert end is not None
    day, earned = last_day(end, zone), at.astimezone(zone).date()
    assert (day.year - earned.year) * 12 + day.month - earned.month == months
    assert (day + timedelta(days=1)).day == 1 if whole or day.day != earned.day else day.day == earned.day


@given(instants, zones, st.integers(1, 12), st.integers(1, 31), st.integers(0, 11))
def test_a_fixed_day_leaves_at_least_the_spare_months_and_at_most_a_year_more(
    at: datetime, zone: ZoneInfo, month: int, day: int, spare: int
) -> None:
    policy = Expiry(mode="yearly", month=month, day=day, spare_months=spare)
    end = rules.lasts_until(at, policy, None, zone)
    assert end is not None
    last, earned = last_day(end, zone), at.astimezone(zone).date()
    assert last.month == month and (last.day == day or (last + timedelta(days=1)).day == 1)
    assert last >= earned
    assert (last - earned).days >= 28 * spare
    assert (last - earned).days <= 366 + 31 * spare


@pytest.mark.parametrize(
    ("earned", "spare", "ends"),
    [
        ((2026, 12, 31), 0, date(2026, 12, 31)),
        ((2027, 1, 1), 0, date(2027, 12, 31)),
        ((2026, 9, 30), 3, date(2026, 12, 31)),
        ((2026, 10, 1), 3, date(2027, 12, 31)),
    ],
)
def test_what_was_earned_shortly_before_lives_on(
    earned: tuple[int, int, int], spare: int, ends: date
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    at = datetime(*earned, 12, tzinfo=zone)
    assert (
        last_day(rules.lasts_until(at, Expiry(mode="yearly", spare_months=spare), None, zone), zone) == ends
    )  # type: ignore[arg-type]


@given(st.integers(2024, 2040))
def test_29_february_is_the_28th_where_the_year_has_none(year: int) -> None:
    zone = ZoneInfo("UTC")
    policy = Expiry(mode="yearly", month=2, day=29)
    end = rules.lasts_until(datetime(year, 1, 5, tzinfo=UTC), policy, None, zone)
    assert last_day(end, zone) == date(year, 2, 29 if isleap(year) else 28)  # type: ignore[arg-type]


def test_a_rules_own_months_go_before_every_policy_and_inactivity_has_no_date() -> None:
    at, zone = datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo("UTC")
    for policy in (Expiry(), Expiry(mode="yearly"), Expiry(mode="idle")):
        assert rules.lasts_until(at, policy, 12, zone, 1) == datetime(2026, 4, 2, tzinfo=UTC)
    assert rules.lasts_until(at, Expiry(mode="idle"), 12, zone) is None
    assert rules.lasts_until(at, Expiry(), None, zone) is None


def test_postgresql_counts_months_as_the_rules_do(shop: TestShop) -> None:
    found = []
    with shop.work() as uow:
        for name in ZONES:
            for at in (
                datetime(2024, 2, 29, 3, tzinfo=UTC),
                datetime(2026, 1, 31, 23, 30, tzinfo=UTC),
                datetime(2026, 3, 28, 12, tzinfo=UTC),
                datetime(2026, 9, 30, 12, tzinfo=UTC),
                datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            ):
                for months in (1, 6, 12, 37):
                    sql = uow.scalar(
                        "SELECT points_months_after(%(at)s, %(n)s, %(zone)s)",
                        {"at": at, "n": months, "zone": name},
                    )
                    if sql != rules.idle_until(at, months, ZoneInfo(name)):
                        found.append((name, at, months))
    assert found == []


# the run ------------------------------------------------------------------------------------------------------------
def version(uow: UnitOfWork, **changes: object) -> UUID:
    """The active program's version after a change of its terms."""
    program = programs.active(uow)
    assert program is not None
    changed = programs.update(uow, program.id, changes, version=program.version)
    assert changed.current_version_id is not None
    return changed.current_version_id


def enroll(uow: UnitOfWork, customer_id: int) -> UUID:
    return members.enroll(uow, [Person(customer_id)])[customer_id].id


def give(uow: UnitOfWork, member: UUID, key: str, **more: object) -> None:
    points.credit(uow, [Credit(member, 100, key, "purchase", **more)])  # type: ignore[arg-type]


def test_the_run_ends_all_that_is_due_once_and_nothing_early(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.domains.points.service.expiry._LOTS", 3)
    with shop.work() as uow:
        people = [enroll(uow, 9_200_010 + n) for n in range(4)]
        for n, member in enumerate(people):
            for lot in range(4):
                give(uow, member, f"old:{n}:{lot}", expires_at=uow.now - timedelta(seconds=1))
            give(uow, member, f"new:{n}", expires_at=uow.now + timedelta(hours=1))
    jobs.expire_due()
    jobs.expire_due()
    with shop.work() as uow:
        assert [points.balance(uow, one).available for one in people] == [100] * 4
        assert uow.scalar("SELECT sum(-points) FROM points_entries WHERE kind = 'expire'") == 1600
        assert not broken(uow)


def test_a_slice_takes_no_more_lots_than_it_may(shop: TestShop) -> None:
    with shop.work() as uow:
        member = enroll(uow, 9_200_020)
        for lot in range(5):
            give(uow, member, f"old:{lot}", expires_at=uow.now - timedelta(seconds=1))
        [entry] = points.expire(uow, [member], most=2)
        assert (entry.points, entry.available) == (-200, 300)
        assert not broken(uow)


START = datetime(2026, 1, 10, 12, tzinfo=UTC)
OVER = datetime(2026, 7, 11, tzinfo=UTC)


@contextmanager
def at_time(at: datetime, shop: TestShop) -> Iterator[UnitOfWork]:
    with clock.use_clock(lambda: at), shop.work() as uow:
        yield uow


def idle_member(shop: TestShop) -> UUID:
    """A member with 100 points of 10 January under six months of inactivity, and 100 by hand."""
    with at_time(START, shop) as uow:
        terms = version(uow, expiry_months=6, expiry=Expiry(mode="idle"), zone="UTC")
        member = enroll(uow, 9_200_001)
        give(uow, member, "a", program_version_id=terms)
        points.adjust(uow, member, 100, key="hand", reason="goodwill")
    return member


def run_idle(at: datetime) -> None:
    with clock.use_clock(lambda: at):
        jobs.expire_idle()


def test_inactivity_ends_points_at_the_end_of_its_last_day_and_once(shop: TestShop) -> None:
    member = idle_member(shop)
    run_idle(OVER - timedelta(seconds=1))
    with shop.work() as uow:
        assert points.balance(uow, member).available == 200
    run_idle(OVER)
    run_idle(OVER + timedelta(days=1))
    with shop.work() as uow:
        [entry] = uow.all("SELECT * FROM points_entries WHERE kind = 'expire'")
        assert (entry["points"], entry["reason"], entry["available_after"]) == (-100, "inactive", 100)
        assert entry["trace"]["idle_months"] == 6
        assert "January 10, 2026" in points.explain(entry, "en")
        assert not broken(uow)


@pytest.mark.parametrize("deed", ["earn", "spend"])
def test_earning_and_spending_move_the_end_of_everything(shop: TestShop, deed: str) -> None:
    member = idle_member(shop)
    with at_time(OVER - timedelta(days=1), shop) as uow:
        if deed == "earn":
            give(uow, member, "b")
        else:
            points.spend(uow, member, 10, key="b", reason="redemption")
    run_idle(OVER + timedelta(days=100))
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'expire'") == 0


def test_points_earned_under_other_terms_keep_them(shop: TestShop) -> None:
    member = idle_member(shop)
    with at_time(START + timedelta(days=1), shop) as uow:
        version(uow, expiry_months=None, expiry=Expiry())
        terms = programs.active_terms(uow)
        assert terms is not None
        give(uow, member, "b", program_version_id=terms.version_id)
    run_idle(OVER + timedelta(days=400))
    with shop.work() as uow:
        assert points.balance(uow, member).available == 200


def test_what_ends_when_lists_dates_and_inactivity(shop: TestShop, other_shop: TestShop) -> None:
    member = idle_member(shop)
    with at_time(START, shop) as uow:
        give(uow, member, "c", expires_at=START + timedelta(days=5))
        found = points.endings_of(uow, member)
        assert [(one.ends_at, one.points, one.idle) for one in found] == [
            (START + timedelta(days=5), 100, False),
            (OVER, 100, True),
        ]
        soon = points.endings(uow, timedelta(), timedelta(days=30), None, 10)
        assert [(one.member_id, one.points) for one in soon] == [(member, 100)]
        assert points.endings(uow, timedelta(), timedelta(days=30), (member, soon[0].ends_at), 10) == []
    with at_time(START, other_shop) as uow:
        assert points.endings(uow, timedelta(), timedelta(days=300), None, 10) == []


def test_what_ends_soonest_goes_on_there_and_back_without_those_who_are_blocked(shop: TestShop) -> None:
    idle = idle_member(shop)
    with at_time(START, shop) as uow:
        others = [members.enroll(uow, [Person(number)])[number].id for number in range(2, 8)]
        for count, member in enumerate(others):
            for part in range(2):
                give(uow, member, f"{count}{part}", expires_at=START + timedelta(days=3 + count // 2))
        give(uow, idle, "d", expires_at=START + timedelta(days=5))
        members.set_status(uow, others[0], "blocked")
        span = OVER - START
        found = there_and_back(lambda cursor: points.endings_soonest(uow, span, 2, cursor))
        expected = [(START + timedelta(days=3 + n // 2), one, 200, False) for n, one in enumerate(others)][1:]
        expected += [(START + timedelta(days=5), idle, 100, False), (OVER, idle, 100, True)]
        assert [(one.ends_at, one.member_id, one.points, one.idle) for one in found] == sorted(expected)
