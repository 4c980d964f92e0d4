"""F6: drain processes are killed in the middle of batches while a backlog is handled."""

import random
import time

from drills import laws, world
from drills.outcome import Outcome, Scale
from drills.workers import crew
from tests.fixtures.shop import TestShop

_PATIENCE = 900.0
_SLOWER = 2
"""I9 grants a minute; a backlog that is more than a minute's work gets twice the time that it takes undisturbed."""


def run(scale: Scale) -> Outcome:
    """Kill one process after the other, as fast as they get into a batch: each inside an open transaction that has
    written something."""
    outcome = Outcome("kill -9 of drain processes in the middle of batches")
    rows, wanted = scale.pick(1_000, 20_000), scale.pick(2, 12)
    chance = random.Random(scale.seed)
    shop = world.install("drain-killed")
    acknowledged = {f"webhook-{number}" for number in range(1, rows + 1)}
    for number in range(1, rows + 1):
        shop.tell("orders/paid", world.paid_order(number, number), webhook_id=f"webhook-{number}")
    with crew(2) as drains:
        rate = _rate(shop, rows // 5)
        killed = [drains.kill_in_batch(chance, patience=30) for _ in range(wanted)]
        left = world.waiting(shop)
        # Followed to its end, however long that takes.
        backlog = world.seconds_until_handled(shop, patience=_PATIENCE)
    allowed = max(world.BACKLOG_SECONDS, _SLOWER * left / rate)
    outcome.expect(backlog <= allowed, f"I9: {left} rows took {backlog} s, {allowed:.0f} s are allowed")
    stages = [stage for stage in killed if stage]
    outcome.expect(len(stages) == wanted, f"only {len(stages)} kills happened inside a batch")
    with shop.work() as uow:
        ledger = uow.scalar("SELECT coalesce(sum(points), 0)::bigint FROM points_entries")
        balances = uow.scalar(
            "SELECT coalesce(sum(available + pending + held - debt), 0)::bigint FROM points_accounts"
        )
    outcome.facts = {
        "rows": rows,
        "kills inside a batch": len(stages),
        "killed after touching": " ".join(f"{table}:{stages.count(table)}" for table in sorted(set(stages))),
        "waiting after the last": left,
        "backlog handled after s": backlog,
        "allowed s": round(allowed),
        "rows a second undisturbed": round(rate),
        "points expected": rows * world.POINTS,
        "points in the ledger": ledger,
        "points in balances": balances,
    }
    outcome.expect(balances == ledger, "I1: balances are not the sum of entries")
    laws.check(outcome, shop, acknowledged, points=rows * world.POINTS)
    return outcome


def _rate(shop: TestShop, rows: int) -> float:
    """Rows a second while nobody is killed: the time from the first handled row on until so many are."""
    total = before = world.waiting(shop)
    while before == total:
        time.sleep(0.01)
        before = world.waiting(shop)
    started = time.monotonic()
    while (now := world.waiting(shop)) > total - rows:
        time.sleep(0.02)
    return (before - now) / max(time.monotonic() - started, 0.01) or float(rows)
