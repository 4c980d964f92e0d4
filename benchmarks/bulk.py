"""Bulk actions: a file of awards, then one of deductions, through a run, against the least that writes the same rows."""

import csv
import io
import os
import time
from collections.abc import Callable
from itertools import count
from uuid import UUID

import psycopg

from app.core import ids
from app.core.db import Actor, unit_of_work
from app.core.settings import get_settings
from app.domains.bulk import jobs
from app.domains.bulk import service as bulk
from app.domains.bulk.schemas import Audience, Kind, Wanted
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.worker import settle_memory
from benchmarks import world
from benchmarks.measure import Case, Result, Sample, compare, cpu_seconds
from benchmarks.world import World

ROWS = 50_000
_FIRST = 10_000_000
_AT_A_TIME = 5_000
_TRACE = '{"bulk": "0198c5d4-0000-7000-8000-000000000000"}'
_rounds = count(1)
# A member, how many points, and the entry that moves them.
Moved = tuple[UUID, int, UUID]


def actions(shop: World) -> list[Result]:
    """P6: a CSV of 50,000 rows, dry run and run. Awards against parsing it, checking the members and COPY into three tables.

    Deductions from what the awards gave against the same with COPY into two tables and an UPDATE of the two others.
    """
    _enroll(shop.shop_id)
    given, taken = _file(100, 900), _file(10, 80)
    settle_memory()
    return [
        compare("P6 bulk award", ">= 0.33", _product(shop, "award", given), _bare(shop, given, _award)),
        compare("P6 bulk deduct", "", _product(shop, "deduct", taken), _bare(shop, taken, _deduct)),
    ]


def _product(shop: World, kind: Kind, text: str) -> Case:
    database = world.database_process()

    def round_of(_: float) -> Sample:
        started, before = time.perf_counter(), _used(database)
        with unit_of_work(shop.shop_id, actor=Actor("api_key", "benchmark")) as uow:
            run = bulk.create(uow, Wanted(kind, "promotion"), Audience("file"), text)
        for phase in ("check", "run"):
            if phase == "run":
                with unit_of_work(shop.shop_id) as uow:
                    bulk.start(uow, run.id, bulk.get(uow, run.id).plan)
            _work(phase, shop.shop_id, run.id)
        spent, used = time.perf_counter() - started, _used(database) - before
        with unit_of_work(shop.shop_id) as uow:
            done = bulk.get(uow, run.id)
        if (done.status, done.succeeded) != ("done", ROWS):
            raise RuntimeError(f"{done.succeeded} of {ROWS} rows were done, status {done.status}")
        return Sample(ROWS, spent, used)

    return round_of


def _bare(shop: World, text: str, work: Callable[[psycopg.Connection, UUID, list[Moved]], None]) -> Case:
    database = world.database_process()

    def round_of(_: float) -> Sample:
        with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
            owner.execute("TRUNCATE reference.accounts, reference.entries, reference.lots, reference.moves")
            owner.execute("SELECT set_config('app.cross_shop', 'on', false)")
            if work is _deduct:
                for table in ("accounts", "lots"):
                    owner.execute(_HAD[table], (shop.shop_id, _FIRST))
                    owner.execute(f"VACUUM ANALYZE reference.{table}")
        started, before = time.perf_counter(), _used(database)
        with psycopg.connect(get_settings().owner_url) as connection:
            work(connection, shop.shop_id, _read(connection, shop.shop_id, text))
        return Sample(ROWS, time.perf_counter() - started, _used(database) - before)

    return round_of


def _work(phase: str, shop_id: UUID, run_id: UUID) -> None:
    """The job, again while it gives its turn away."""
    job = jobs.check if phase == "check" else jobs.run_rows
    moving = {"check": "checking", "run": "running"}[phase]
    while True:
        job(str(shop_id), str(run_id))
        with unit_of_work(shop_id) as uow:
            if bulk.get(uow, run_id).status != moving:
                return


def _used(database: int) -> float:
    return time.process_time() + cpu_seconds([database])


def _enroll(shop_id: UUID) -> None:
    for first in range(_FIRST, _FIRST + ROWS, _AT_A_TIME):
        with unit_of_work(shop_id) as uow:
            members.enroll(uow, [Person(number) for number in range(first, first + _AT_A_TIME)])
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("ANALYZE members")


def _file(least: int, span: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("customer id", "points"))
    writer.writerows((_FIRST + number, least + number % span) for number in range(ROWS))
    return out.getvalue()


_ENTRIES = (
    "COPY reference.entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after, held_after,"
    " debt_after, qualifying_after, crossed, key, reason, trace, actor_kind, actor_id, created_at, previous_hash, hash)"
    " FROM STDIN"
)
_LOTS = (
    "COPY reference.lots (shop_id, id, member_id, entry_id, points, remaining, pending, earned_at, activates_at)"
    " FROM STDIN"
)
_ACCOUNTS = "COPY reference.accounts (shop_id, member_id, available, qualifying, seq) FROM STDIN"
_MOVES = "COPY reference.moves (shop_id, entry_id, lot_id, points, source, target) FROM STDIN"
_NOW = "2026-11-21T12:00:00Z"
# What members of the reference have before a deduction: one lot, which is named like its member.
_HAD = {
    "accounts": "INSERT INTO reference.accounts (shop_id, member_id, available, seq) SELECT shop_id, id, 1000, 1"
    " FROM members WHERE shop_id = %s AND customer_id >= %s",
    "lots": "INSERT INTO reference.lots (shop_id, id, member_id, entry_id, points, remaining, pending, earned_at,"
    " activates_at) SELECT shop_id, id, id, id, 1000, 1000, false, now(), now() FROM members"
    " WHERE shop_id = %s AND customer_id >= %s",
}
_FEWER = (
    "UPDATE reference.lots l SET remaining = l.remaining - t.points, reversed = l.reversed + t.points FROM taken t"
    " WHERE l.shop_id = %s AND l.id = t.member_id"
)
_LESS = (
    "UPDATE reference.accounts a SET available = a.available - t.points, seq = a.seq + 1 FROM taken t"
    " WHERE a.shop_id = %s AND a.member_id = t.member_id"
)


def _read(connection: psycopg.Connection, shop_id: UUID, text: str) -> list[Moved]:
    """Parse, and check that each customer is a member."""
    connection.execute("SELECT set_config('app.cross_shop', 'on', true)")
    rows = [(int(who), int(points)) for who, points in list(csv.reader(io.StringIO(text)))[1:]]
    known: dict[int, UUID] = dict(
        connection.execute(
            "SELECT customer_id, id FROM members WHERE shop_id = %s AND customer_id = ANY(%s)",
            (shop_id, [who for who, _ in rows]),
        ).fetchall()
    )
    return [(known[who], points, ids.new_id()) for who, points in rows if points > 0]


def _entries(cursor: psycopg.Cursor, shop_id: UUID, moved: list[Moved], sign: int) -> None:
    run, empty = os.getpid() * 1_000 + next(_rounds), b""
    with cursor.copy(_ENTRIES) as copy:
        for number, (member, points, entry) in enumerate(moved):
            copy.write_row(
                (
                    shop_id, entry, member, 1, "adjust", sign * points, 0, points, 0, 0, 0, 0, False,
                    f"bulk:{run}:{number}", "promotion", _TRACE, "api_key", "benchmark", _NOW, empty, empty,
                )
            )  # fmt: skip


def _award(connection: psycopg.Connection, shop_id: UUID, given: list[Moved]) -> None:
    """COPY into entries, lots and accounts in one transaction."""
    with connection.cursor() as cursor:
        _entries(cursor, shop_id, given, 1)
        with cursor.copy(_LOTS) as copy:
            for member, points, entry in given:
                copy.write_row((shop_id, entry, member, entry, points, points, False, _NOW, _NOW))
        with cursor.copy(_ACCOUNTS) as copy:
            for member, points, _ in given:
                copy.write_row((shop_id, member, points, 0, 1))


def _deduct(connection: psycopg.Connection, shop_id: UUID, taken: list[Moved]) -> None:
    """COPY into entries and moves, and an UPDATE of lots and of accounts, in one transaction."""
    with connection.cursor() as cursor:
        _entries(cursor, shop_id, taken, -1)
        with cursor.copy(_MOVES) as copy:
            for member, points, entry in taken:
                copy.write_row((shop_id, entry, member, points, "available", "reversed"))
        cursor.execute("CREATE TEMP TABLE taken (member_id uuid, points bigint) ON COMMIT DROP")
        with cursor.copy("COPY taken FROM STDIN") as copy:
            for member, points, _ in taken:
                copy.write_row((member, points))
        cursor.execute(_FEWER, (shop_id,))
        cursor.execute(_LESS, (shop_id,))
