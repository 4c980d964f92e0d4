"""F6: drain processes are killed in the middle of batches while a backlog is handled."""

import random
import time

from drills import laws, world
from drills.outcome import Outcome, Scale
from drills.workers import crew
from tests.fixtures.shop import TestShop


def run(scale: Scale) -> Outcome:
    """Kill one process after the other, each inside an open transaction that has written something."""
    outcome = Outcome("kill -9 of drain processes in the middle of batches")
    rows, wanted = scale.pick(1_000, 20_000), scale.pick(2, 12)
    chance = random.Random(scale.seed)
    shop = world.install("drain-killed")
    acknowledged = {f"webhook-{number}" for number in range(1, rows + 1)}
    for number in range(1, rows + 1):
        shop.tell("orders/paid", world.paid_order(number, number), webhook_id=f"webhook-{number}")
    with crew(2) as drains:
        stages: list[str] = []
        for turn in range(1, wanted + 1):
            # Spread over the backlog: kills at its very start would only delay the first batch.
            _wait_for_fewer_than(shop, rows - rows * turn // (wanted + 1))
            stage = drains.kill_in_batch(chance, patience=30)
            stages += [stage] if stage else []
        left = world.waiting(shop)
        backlog = world.seconds_until_handled(shop)
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
        "points expected": rows * world.POINTS,
        "points in the ledger": ledger,
        "points in balances": balances,
    }
    outcome.expect(balances == ledger, "I1: balances are not the sum of entries")
    laws.check(outcome, shop, acknowledged, points=rows * world.POINTS)
    return outcome


def _wait_for_fewer_than(shop: TestShop, rows: int, patience: float = 60.0) -> None:
    until = time.monotonic() + patience
    while world.waiting(shop) > rows and time.monotonic() < until:
        time.sleep(0.02)
