"""The cases of docs/performance.md: the pipeline here, the ledger in its own module."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import psycopg

from app.core import ids, inbox, outbox
from app.core.db import cross_shop, unit_of_work
from app.core.settings import get_settings
from app.domains.notifications import service as notifications
from benchmarks import bulk, ledger, lists, load, pages, reference, tiers, world
from benchmarks.drains import Drains
from benchmarks.measure import Result, Sample, compare, cpu_seconds
from benchmarks.world import World

_numbers = count(1)
BATCH = 200
# Enough for rounds of about four seconds, so that the last batch of one drain, while the other is done, counts little.
ROWS = 32_000


def intake(_: World) -> list[Result]:
    """P1: webhooks per second through HTTP against a bare Flask with one durable INSERT on the same server."""
    with (
        world.server("wsgi:app") as (mine, my_pid),
        world.server("benchmarks.reference:create_intake_app()") as (
            theirs,
            their_pid,
        ),
    ):
        database = world.database_process()

        def run(port: int, pid: int) -> Callable[[float], Sample]:
            def round_of(seconds: float) -> Sample:
                before = cpu_seconds([pid, database])
                start = next(_numbers) * 10_000_000
                answered, failed = load.storm(port, world.webhook_request, seconds, start)
                if failed:
                    raise RuntimeError(f"{failed} requests were not answered with 2xx")
                return Sample(answered, seconds, cpu_seconds([pid, database]) - before)

            return round_of

        return [compare("P1 intake", ">= 0.5", run(mine, my_pid), run(theirs, their_pid))]


def pipeline(shop: World) -> list[Result]:
    """P2: webhook rows to ledger per second, with one drain process and with the two that are started together, against
    a bare batch ledger write of the same size by one process."""
    orders = count(1)
    database = world.database_process()
    composing: list[float] = []

    inbox.drain_all()

    def product(drains: Drains) -> Callable[[float], Sample]:
        def round_of(_: float) -> Sample:
            stored = _fill(shop.shop_id, orders, ROWS)
            world.settle()
            before = cpu_seconds([*drains.pids, database])
            done, spent = drains.empty(BATCH)
            used = cpu_seconds([*drains.pids, database]) - before
            if done != stored:
                raise RuntimeError(f"{done} of {stored} deliveries were handled")
            composing.append(_compose() / done)
            return Sample(done, spent, used)

        return round_of

    def bare(seconds: float) -> Sample:
        rows = 0
        world.settle()
        with psycopg.connect(get_settings().database_url, autocommit=True) as connection:
            started, before = time.perf_counter(), _used(database)
            while time.perf_counter() - started < seconds:
                chosen = [shop.members[number % world.MEMBERS] for number in range(rows, rows + BATCH)]
                with connection.transaction():
                    connection.execute(reference.LOCK, {"shop": shop.shop_id, "members": chosen})
                    connection.execute(
                        reference.BATCH,
                        {
                            "shop": shop.shop_id,
                            "members": chosen,
                            "entries": [ids.new_id() for _ in chosen],
                            "lots": [ids.new_id() for _ in chosen],
                            "points": [1299] * BATCH,
                            "keys": [f"order:{ids.new_id()}:0" for _ in chosen],
                            "trace": reference.TRACE,
                        },
                    )
                rows += BATCH
            return Sample(rows, time.perf_counter() - started, _used(database) - before)

    found = []
    for size in (1, 2):
        with Drains(size) as drains:
            found.append(compare(f"P2 pipeline, drains: {size}", ">= 0.4", product(drains), bare))
    found[-1].note += f"; writing the messages afterwards {statistics.median(composing) * 1e6:.0f} us a row"
    return found


def _used(database: int) -> float:
    """Processor seconds of this process and of the database so far."""
    return time.process_time() + cpu_seconds([database])


def _compose() -> float:
    """Write the messages that the batches announced, as the outbox does a moment later. Gives the seconds it took."""
    started = time.perf_counter()
    for message in outbox.lease(10_000):
        if message.kind == notifications.COMPOSE:
            outbox.deliver(message)
    with cross_shop("benchmark sends no mail") as uow:
        uow.execute("UPDATE outbox SET state = 1 WHERE state = 0")
    return time.perf_counter() - started


def _fill(shop_id: UUID, orders: "count[int]", size: int) -> int:
    for _ in range(size):
        number = next(orders)
        body = world.order_body(number, number % world.MEMBERS + 1)
        inbox.put(shop_id, "orders/paid", f"fill-{number}", "", datetime.now(UTC), body)
    return size


def award_delay(shop: World) -> list[Result]:
    """P3: milliseconds from sending "paid" to the points in the ledger, at 50 a second through HTTP."""
    worker = subprocess.Popen([sys.executable, "-m", "app.worker", "drain"])
    try:
        with world.server("wsgi:app") as (port, _):
            time.sleep(2)
            sent = _send_steadily(port, per_second=50, seconds=20)
            delays = _delays(shop.shop_id, sent)
    finally:
        worker.terminate()
        worker.wait(timeout=15)
    p95 = delays[int(len(delays) * 0.95)]
    note = f"p50 {delays[len(delays) // 2]} ms, p95 {p95} ms, p99 {delays[int(len(delays) * 0.99)]} ms of {sent} orders"
    return [Result("P3 award delay p95 in ms at 50/s", "<= 100", p95, 100, p95 / 100, None, 1, 1, note)]


def _send_steadily(port: int, *, per_second: int, seconds: int) -> int:
    import socket

    first = 500_000_000
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        started = time.perf_counter()
        for number in range(per_second * seconds):
            time.sleep(max(0.0, started + number / per_second - time.perf_counter()))
            body = world.order_body(first + number, number % world.MEMBERS + 1)
            request = world.webhook_request(first + number, body, datetime.now(UTC).isoformat())
            if load._exchange(connection, request) != 200:
                raise RuntimeError("a webhook was not answered with 200")
    return per_second * seconds


def _delays(shop_id: UUID, expected: int) -> list[int]:
    for _ in range(100):
        with unit_of_work(shop_id) as uow:
            rows = uow.all(
                "SELECT award_delay_ms FROM orders WHERE order_id >= 500000000 AND award_delay_ms IS NOT NULL"
            )
        if len(rows) == expected:
            return sorted(row["award_delay_ms"] for row in rows)
        time.sleep(0.2)
    raise RuntimeError(f"{len(rows)} of {expected} orders were awarded")


CASES: dict[str, Callable[[World], list[Result]]] = {
    "P1": intake,
    "P2": pipeline,
    "P3": award_delay,
    "P4": ledger.earn,
    "P4b": ledger.redeem,
    "P5": ledger.one_member,
    "P6": bulk.actions,
    "P8": ledger.pages,
    "P8m": lists.members_pages,
    "P9": pages.html,
    "expiry": ledger.expiry,
    "verify": ledger.proof,
    "preview": tiers.preview,
}
