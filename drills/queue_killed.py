"""F4: Valkey is killed and forgets everything, with work queued."""

import contextlib

import redis
from rq import Queue

from app.core import inbox, jobs
from drills import laws, servers, world
from drills.outcome import Outcome, Scale
from drills.workers import crew
from tests.fixtures.shop import TestShop


def run(scale: Scale) -> Outcome:
    """Rows wait in the inbox and in the outbox, jobs in the queue; then the queue server dies, and comes back empty."""
    outcome = Outcome("kill -9 of Valkey with work queued")
    size = scale.pick(60, 1_000)
    with servers.own(durable=False) as own:
        shop = world.install("queue-killed")
        acknowledged = _tell(shop, 1, size)
        inbox.drain_all()
        acknowledged |= _tell(shop, size + 1, size)
        with shop.work() as uow:
            for _ in range(size):
                uow.enqueue("tiers.place_all")
        outcome.facts = {
            "inbox rows": world.waiting(shop),
            "outbox rows": world.waiting(shop, "outbox"),
            "queued jobs": _queued(),
        }
        own.kill_queue()
        outcome.expect(_queued() == -1, "the queue server is still there")
        with crew(1) as drains:
            acknowledged |= _tell(shop, 2 * size + 1, size)
            outcome.facts["told while away"] = size
            outcome.facts["handled without it after s"] = world.seconds_until_handled(shop, "outbox")
            left = world.waiting(shop) + world.waiting(shop, "outbox")
            outcome.expect(left == 0, f"I9: {left} rows wait for a bell")
            own.start_queue()
            outcome.facts["jobs after its return"] = _queued()
            acknowledged |= _tell(shop, 3 * size + 1, size)
            outcome.facts["handled after its return after s"] = world.seconds_until_handled(shop, "outbox")
            outcome.expect(drains.all_alive(), "the drain process did not survive")
        outcome.expect(world.waiting(shop, "outbox") == 0, "I9: outbox rows wait")
        laws.check(outcome, shop, acknowledged, points=len(acknowledged) * world.POINTS)
    return outcome


def _tell(shop: TestShop, first: int, size: int) -> set[str]:
    """Webhooks of new orders of new customers; all of them have to be acknowledged."""
    for number in range(first, first + size):
        shop.tell("orders/paid", world.paid_order(number, number), webhook_id=f"webhook-{number}")
    return {f"webhook-{number}" for number in range(first, first + size)}


def _queued() -> int:
    """Jobs in the queue; -1 when there is no queue server."""
    with contextlib.suppress(redis.RedisError):
        return sum(len(Queue(name, connection=jobs.connection())) for name in jobs.QUEUES)
    return -1
