"""F1: the same webhooks from eight senders at once, while several drains handle them."""

import random
import threading
import time
from typing import Any

from app.core import inbox
from drills import laws, world
from drills.outcome import Outcome, Scale
from drills.workers import crew
from tests.fixtures.shop import TestShop

SENDERS = 8
_CUSTOMERS = 50


def run(scale: Scale) -> Outcome:
    """Every second sender repeats the webhook ids of the others; the rest tell the same orders under ids of their own."""
    outcome = Outcome("the same webhooks from 8 senders at once")
    orders, rounds = scale.pick(120, 800), scale.pick(1, 3)
    sent = stored = 0
    for turn in range(rounds):
        shop = world.install("duplicates")
        acknowledged: set[str] = set()
        with crew(scale.pick(1, 3)):
            _send_at_once(shop, orders, scale.seed + turn, acknowledged)
            outcome.facts["backlog handled after s"] = world.seconds_until_handled(shop)
        sent += orders * SENDERS
        with shop.work() as uow:
            stored += uow.scalar("SELECT count(*) FROM inbox")
            awards = uow.scalar("SELECT count(*) FROM points_entries WHERE kind = 'award'")
        outcome.expect(awards == orders, f"{awards} awards for {orders} orders")
        laws.check(outcome, shop, acknowledged, points=orders * world.POINTS)
    outcome.expect(stored == rounds * orders * (1 + SENDERS // 2), f"{stored} webhooks are stored")
    outcome.facts = {"sent": sent, "stored": stored, "awards": rounds * orders, **outcome.facts}
    return outcome


def _send_at_once(shop: TestShop, orders: int, seed: int, acknowledged: set[str]) -> None:
    done = threading.Event()
    failures: list[BaseException] = []
    start = threading.Barrier(SENDERS)

    def drain() -> None:
        while not done.is_set():
            try:
                inbox.drain_shop(shop.id, 40)
            except BaseException as error:  # noqa: BLE001 - told by the main thread
                failures.append(error)

    senders = [
        threading.Thread(target=_send, args=(shop, sender, orders, seed, start, acknowledged))
        for sender in range(SENDERS)
    ]
    drains = [threading.Thread(target=drain) for _ in range(2)]
    for thread in (*senders, *drains):
        thread.start()
    for thread in senders:
        thread.join()
    done.set()
    for thread in drains:
        thread.join()
    if failures:
        raise failures[0]


def _send(
    shop: TestShop, sender: int, orders: int, seed: int, start: threading.Barrier, acknowledged: set[str]
) -> None:
    numbers = list(range(1, orders + 1))
    # Several senders send in the same order, so that they meet at every row.
    random.Random(seed + sender // 4).shuffle(numbers)
    start.wait()
    for number in numbers:
        webhook_id = f"again-{sender}-{number}" if sender % 2 else f"same-{number}"
        body = world.paid_order(number, number % _CUSTOMERS + 1)
        while not _acknowledged(shop, body, webhook_id):
            time.sleep(0.05)
        acknowledged.add(webhook_id)


def _acknowledged(shop: TestShop, body: dict[str, Any], webhook_id: str) -> bool:
    try:
        shop.tell("orders/paid", body, webhook_id=webhook_id)
    except world.OUTAGES:
        return False
    return True
