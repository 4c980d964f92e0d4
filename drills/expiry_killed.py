"""F16b: the job that ends points past their date is killed in the middle, again and again."""

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from app.core.db import unit_of_work
from app.domains.members import service as members
from app.domains.members.schemas import Person
from drills import laws, workers, world
from drills.outcome import Outcome, Scale
from tests.fixtures.shop import TestShop

_POINTS = 10
_LOTS_OVER, _LOTS_SOON = 50, 1
_PATIENCE = 900.0
_FILL = """
SELECT count(*) FROM points_credit_batch(%(shop)s, (
  SELECT jsonb_agg(jsonb_build_object('member_id', id, 'entry_id', gen_random_uuid(), 'kind', 'award', 'points', 10,
    'qualifies', false, 'expires', %(ends)s::timestamptz, 'key', %(key)s || id, 'reason', 'gift'))
  FROM unnest(%(members)s::uuid[]) AS id), 'system', 'system', %(now)s)
"""
_ENDED = "SELECT coalesce(sum(points), 0)::bigint FROM points_moves WHERE target = 'expired'"


def run(scale: Scale) -> Outcome:
    """Lots past their date, and some that end tomorrow; a new process goes on where the killed one was."""
    outcome, chance = Outcome("kill -9 of the expiry run"), random.Random(scale.seed)
    shop = world.install("expiring")
    size, kills = scale.pick(100, 20_000), scale.pick(1, 6)
    _fill(shop, size)
    over = size * _LOTS_OVER
    told: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="loyalnest-") as folder:
        place, survived, started = Path(folder) / "told", 0, time.monotonic()
        for _ in range(kills):
            run_of = workers.spawn("drills.expiring", str(place))
            before = _ended(shop)
            while run_of.poll() is None and _ended(shop) == before:
                time.sleep(0.01)
            time.sleep(chance.random() * scale.pick(0, 2))
            survived += run_of.poll() is None
            workers.end(run_of)
        after_kills = _ended(shop) // _POINTS
        resumed = time.monotonic()
        while not place.exists() and time.monotonic() - started < _PATIENCE:
            last = workers.spawn("drills.expiring", str(place))
            last.wait()
        seconds = time.monotonic() - resumed
        told = json.loads(place.read_text()) if place.exists() else {"slowest": 0.0, "megabytes": 0}
    ended = _ended(shop) // _POINTS
    with shop.work() as uow:
        twice = uow.scalar("SELECT count(*) FROM points_lots WHERE expired > points")
        left = uow.scalar("SELECT coalesce(sum(available), 0)::bigint FROM points_accounts") // _POINTS
    outcome.expect(scale.short or survived == kills, f"{kills - survived} runs ended before they were killed")
    outcome.expect(ended == over, f"{ended} lots ended of {over}")
    outcome.expect(left == size * _LOTS_SOON and not twice, f"{left} lots are left of {size * _LOTS_SOON}")
    outcome.facts = {
        "lots over": over, "lots not over": size * _LOTS_SOON, "kills": kills, "ended before the last kill": after_kills,
        "lots a second afterwards": int((ended - after_kills) / max(seconds, 0.001)),
        "slowest slice in ms": int(told["slowest"] * 1000), "most memory in MB": told["megabytes"],
    }  # fmt: skip
    laws.check(outcome, shop, ())
    return outcome


def _fill(shop: TestShop, size: int) -> None:
    people = []
    for first in range(0, size, 1_000):
        with shop.work() as uow:
            people += [
                one.id
                for one in members.enroll(
                    uow, [Person(first + number + 1) for number in range(min(1_000, size - first))]
                ).values()
            ]
    for number in range(_LOTS_OVER + _LOTS_SOON):
        days = 1 if number < _LOTS_SOON else -1
        for first in range(0, size, 5_000):
            with unit_of_work(shop.id) as uow:
                uow.execute(
                    _FILL,
                    {"shop": shop.id, "members": people[first : first + 5_000], "key": f"fill:{number}:",
                     "now": uow.now, "ends": uow.scalar("SELECT now() + make_interval(days => %(n)s)", {"n": days})},
                )  # fmt: skip


def _ended(shop: TestShop) -> int:
    with shop.work() as uow:
        return int(uow.scalar(_ENDED))
