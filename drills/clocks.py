"""F16: the application's clock is an hour off, in both directions at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from app.core import clock, ids
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from drills import counter, laws, world
from drills.outcome import Outcome, Scale

HANDS = 4
_OFF = (timedelta(hours=1), timedelta(hours=-1))
_POINTS = 100


def run(scale: Scale) -> Outcome:
    """Lots that ended a minute ago and lots that end in half an hour; workers whose clocks are wrong expire what is due."""
    outcome = Outcome("application clocks an hour off")
    size = scale.pick(10, 200)
    shop = world.install("clocks")
    member_ids = counter.enroll(shop, size)
    with shop.work() as uow:
        now = uow.now
        for name, ends in (("over", timedelta(minutes=-1)), ("soon", timedelta(minutes=30))):
            points.credit(
                uow,
                [
                    Credit(
                        one, _POINTS, f"{name}:{ids.new_id()}", "gift", kind="adjust", expires_at=now + ends
                    )
                    for one in member_ids
                ],
            )

    def work(_: int) -> list[str]:
        with shop.work() as uow:
            return ["expired" for _ in points.expire(uow, member_ids)]

    expired = 0
    for off in _OFF:
        with _wrong_by(off):
            expired += counter.at_once(HANDS, work)["expired"]
    with shop.work() as uow:
        entries = uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'expire'")
        left = uow.scalar("SELECT coalesce(sum(available), 0)::bigint FROM points_accounts")
    outcome.expect(entries == expired == size, f"{entries} expiries of {size} lots that were over")
    outcome.expect(left == size * _POINTS, f"{left} points are left of {size * _POINTS} that end later")
    outcome.facts = {"lots over": size, "expired": expired, "lots not over": size, "points left": left}
    laws.check(outcome, shop, ())
    return outcome


@contextmanager
def _wrong_by(off: timedelta) -> Iterator[None]:
    """The operating system's time of this process is off; that is not the same as choosing a time."""
    before = clock._system, clock._source

    def wrong() -> datetime:
        return datetime.now(UTC) + off

    clock._system = clock._source = wrong
    try:
        yield
    finally:
        clock._system, clock._source = before
