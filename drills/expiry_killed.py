"""F16b: the job that ends points past their date is killed in the middle, again and again."""

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from app.domains.members import service as members
from app.domains.members.schemas import Person
from drills import laws, workers, world
from drills.outcome import Outcome, Scale
from tests.fixtures.shop import TestShop

_POINTS = 10
_LOTS_OVER, _LOTS_SOON = 50, 1
_PATIENCE = 900.0
# One statement for a thousand members: each one's chain of credits, the lots and the account that it leads to. Posting
# them one after the other would take many times as long; the laws at the end prove that the ledger is none the worse.
# Ids follow the members' and so the time, as real ones do.
_FILL = """
WITH RECURSIVE chain AS (
  SELECT m AS member, 0::bigint AS seq, NULL::uuid AS id, NULL::timestamptz AS ends, ''::bytea AS before, ''::bytea AS hash
  FROM unnest(%(members)s::uuid[]) AS m
  UNION ALL
  SELECT c.member, n.seq, n.id, n.ends, c.hash,
    points_digest(c.hash, %(shop)s, n.id, c.member, n.seq, 'award', %(points)s, 0, 0, n.seq * %(points)s, 0, 0, 0, 0, false,
      'fill:' || n.id, 'gift', NULL, NULL, NULL, '{}', 'system', 'system', %(now)s, %(now)s, n.ends)
  FROM chain c CROSS JOIN LATERAL (SELECT c.seq + 1, (left(c.member::text, 32) || lpad(to_hex(c.seq), 4, '0'))::uuid,
    %(now)s + CASE WHEN c.seq < %(soon)s THEN interval '1 day' ELSE interval '-1 day' END) AS n (seq, id, ends)
  WHERE c.seq < %(lots)s),
written AS (
  INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
    debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, activates_at, expires_at,
    previous_hash, hash)
  SELECT %(shop)s, id, member, seq, 'award', %(points)s, 0, seq * %(points)s, 0, 0, 0, 0, false, 'fill:' || id, 'gift', '{}',
    'system', 'system', %(now)s, %(now)s, ends, before, hash FROM chain WHERE seq > 0
  RETURNING *),
lots AS (
  INSERT INTO points_lots (shop_id, id, member_id, entry_id, points, remaining, pending, earned_at, activates_at, expires_at)
  SELECT shop_id, id, member_id, id, points, points, false, created_at, activates_at, expires_at FROM written)
INSERT INTO points_accounts (shop_id, member_id, available, seq, last_hash)
SELECT shop_id, member_id, available_after, seq, hash FROM written WHERE seq = %(lots)s
ON CONFLICT (shop_id, member_id)
DO UPDATE SET available = excluded.available, seq = excluded.seq, last_hash = excluded.last_hash
"""
_ENDED = "SELECT coalesce(sum(points), 0)::bigint FROM points_moves WHERE target = 'expired'"


def run(scale: Scale) -> Outcome:
    """Lots past their date, and some that end tomorrow; a new process goes on where the killed one was."""
    outcome, chance = Outcome("kill -9 of the expiry run"), random.Random(scale.seed)
    shop = world.install("expiring")
    size, kills = scale.pick(100, 20_000), scale.pick(1, 6)
    began = time.monotonic()
    _fill(shop, size)
    filled = round(time.monotonic() - began)
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
        "lots over": over, "lots not over": size * _LOTS_SOON, "filled in s": filled, "kills": kills,
        "ended before the last kill": after_kills,
        "lots a second afterwards": int((ended - after_kills) / max(seconds, 0.001)),
        "slowest slice in ms": int(told["slowest"] * 1000), "most memory in MB": told["megabytes"],
    }  # fmt: skip
    laws.check(outcome, shop, ())
    return outcome


def _fill(shop: TestShop, size: int) -> None:
    for first in range(0, size, 1_000):
        with shop.work() as uow:
            people = members.enroll(
                uow, [Person(first + number + 1) for number in range(min(1_000, size - first))]
            )
            uow.execute(
                _FILL,
                {"shop": shop.id, "members": [one.id for one in people.values()], "now": uow.now, "points": _POINTS,
                 "soon": _LOTS_SOON, "lots": _LOTS_OVER + _LOTS_SOON},
            )  # fmt: skip


def _ended(shop: TestShop) -> int:
    with shop.work() as uow:
        return int(uow.scalar(_ENDED))
