"""A member's points that end soon are kept for longer, by an entry that names them, and have their day back."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from app.core import clock, ids
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.errors import NothingEndsSooner, UndoRefused
from app.domains.points.schemas import Credit
from app.domains.points.service import extending
from app.domains.programs.schemas import Expiry
from tests.domains.points.invariants import broken
from tests.domains.points.test_redating import version
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

TASK = "/app/quick-actions/extend-points"


@pytest.fixture(autouse=True)
def laws(shop: TestShop) -> Iterator[None]:
    yield
    with shop.work() as uow:
        assert broken(uow) == {}


@pytest.fixture
def member(shop: TestShop) -> UUID:
    """Has 100 points that end in ten days, 50 that end in sixty, and 7 that never end."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(77, "ada@example.com", "Ada", "Byron")])[77].id
        for number, end in ((100, 10), (50, 60), (7, None)):
            until = uow.now + timedelta(days=end) if end else None
            points.credit(uow, [Credit(found, number, f"k{number}", "thanks", expires_at=until)])
    return found


def ends(shop: TestShop) -> dict[int, datetime | None]:
    with shop.work() as uow:
        rows = uow.all("SELECT points, nullif(expires_at, 'infinity') AS at FROM points_lots")
    return {row["points"]: row["at"] for row in rows}


def today(shop: TestShop) -> date:
    with shop.work() as uow:
        return uow.now.date()


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def test_what_ends_soon_is_kept_and_the_rest_stays(shop: TestShop, member: UUID) -> None:
    before, day = ends(shop), today(shop) + timedelta(days=90)
    with shop.work() as uow:
        assert extending.extend_preview(uow, member, day, 30) == extending.Extension(
            100,
            (before[100] - timedelta(microseconds=1)).date(),  # type: ignore[operator]
        )
        extension, moved = extending.extend(uow, member, day, 30)
    assert moved == 100
    assert ends(shop) == before | {100: end_of(day)}
    with shop.work() as uow:
        entry = uow.one(
            "SELECT kind::text, points::int, moved::int, reason FROM points_entries ORDER BY seq DESC LIMIT 1"
        )
        assert entry == {"kind": "redate", "points": 0, "moved": 100, "reason": "expiry_extended"}
        assert points.balance(uow, member).available == 157
        extending.shorten_back(uow, member, extension)
    assert ends(shop) == before
    with shop.work() as uow, pytest.raises(UndoRefused):
        extending.shorten_back(uow, member, extension)


def test_all_of_them_and_never_sooner(shop: TestShop, member: UUID) -> None:
    before, day = ends(shop), today(shop) + timedelta(days=30)
    with shop.work() as uow:
        assert extending.extend(uow, member, day, None)[1] == 100
    assert ends(shop) == before | {100: end_of(day)}
    with shop.work() as uow, pytest.raises(NothingEndsSooner):
        extending.extend(uow, member, day, None)
    with shop.work() as uow:
        assert extending.extend_preview(uow, member, day, None) == extending.Extension(0, None)


def test_taking_it_back_late_ends_nothing_before_the_day_is_over(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        extension, _ = extending.extend(uow, member, uow.now.date() + timedelta(days=90), 30)
        late = uow.now + timedelta(days=20)
    with clock.use_clock(lambda: late), shop.work() as uow:
        extending.shorten_back(uow, member, extension)
    assert ends(shop)[100] == end_of(late.date())


def test_points_that_idle_away_are_kept_until_the_day_at_least(shop: TestShop, member: UUID) -> None:
    day, kept = today(shop) + timedelta(days=200), "SELECT kept_until FROM points_lots WHERE points = 9"
    with shop.work() as uow:
        terms = version(uow, expiry_months=1, expiry=Expiry(mode="idle"))
        given = Credit(member, 9, "idle", "purchase", program_version_id=terms.version_id)
        points.credit(uow, [given])
        extension, moved = extending.extend(uow, member, day, 40)
        assert moved == 109
        assert uow.scalar(kept) == end_of(day)
        extending.shorten_back(uow, member, extension)
        assert uow.scalar(kept) == end_of(today(shop)), (
            "it may end as before, but not before this day is over"
        )


def test_staff_see_it_first_do_it_once_and_take_it_back(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    before, day = ends(shop), today(shop) + timedelta(days=90)
    merchant = call_as(staff(shop.id))
    given = {"member": "ada@example.com", "within": "30", "until": day.isoformat()}
    shown = merchant.submit(TASK, given | {"idempotency_key": ids.new_id().hex})
    assert "Ada Byron" in shown.text and "Points that would be kept" in shown.text and "100" in shown.text
    assert ends(shop) == before
    sent = given | {"_step": "run", "idempotency_key": ids.new_id().hex}
    answers = [merchant.submit(TASK, sent) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert ends(shop) == before | {100: end_of(day)}
    with shop.work() as uow:
        runs = uow.all("SELECT id FROM quick_runs")
    assert len(runs) == 1
    undo = f"/app/quick-actions/runs/{runs[0]['id']}/undo"
    assert merchant.submit(undo, {"idempotency_key": ids.new_id().hex}).status_code == 200
    assert ends(shop) == before


def test_bad_days_unknown_members_and_other_roles_are_refused(
    shop: TestShop, other_shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    later = (today(shop) + timedelta(days=90)).isoformat()

    def status(caller: Caller, **given: str) -> int:
        typed = {"member": "ada@example.com", "within": "30", "until": later, "_step": "run"} | given
        answer: int = caller.submit(TASK, typed | {"idempotency_key": ids.new_id().hex}).status_code
        return answer

    assert status(merchant, until=today(shop).isoformat()) == 422
    assert status(merchant, until="9999-01-01") == 422
    assert status(merchant, until="soon") == 422
    assert status(merchant, within="31") == 422
    assert status(merchant, member="nobody@example.com") == 422
    early = (today(shop) + timedelta(days=5)).isoformat()
    shown = merchant.submit(TASK, {"member": "ada@example.com", "within": "30", "until": early}).text
    assert "No points end in this time" in shown and 'name="_back" value="true"' in shown
    assert "Keep these points" not in shown
    assert status(merchant, until=(today(shop) + timedelta(days=5)).isoformat()) == 409
    assert status(call_as(staff(shop.id, ALL - {Permission.POINTS_ADJUST}))) == 403
    assert status(call_as(staff(other_shop.id)), member=str(member)) == 422
    assert status(merchant) == 200
