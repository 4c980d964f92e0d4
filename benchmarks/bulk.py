"""Bulk actions: a file of awards through a run, against the least that writes the same rows."""

import csv
import io
import os
import time
from itertools import count
from uuid import UUID

import psycopg

from app.core import ids
from app.core.db import Actor, unit_of_work
from app.core.settings import get_settings
from app.domains.bulk import jobs
from app.domains.bulk import service as bulk
from app.domains.bulk.schemas import Audience, Wanted
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.worker import settle_memory
from benchmarks import world
from benchmarks.measure import Result, Sample, compare, cpu_seconds
from benchmarks.world import World

ROWS = 50_000
_FIRST = 10_000_000
_AT_A_TIME = 5_000
_TRACE = '{"bulk": "0198c5d4-0000-7000-8000-000000000000"}'
_rounds = count(1)


def award(shop: World) -> list[Result]:
    """P6: a CSV of 50,000 awards, dry run and run, against parsing it, checking the members and COPY into three tables."""
    _enroll(shop.shop_id)
    text = _file()
    settle_memory()
    database = world.database_process()

    def product(_: float) -> Sample:
        started, before = time.perf_counter(), _used(database)
        with unit_of_work(shop.shop_id, actor=Actor("api_key", "benchmark")) as uow:
            run = bulk.create(uow, Wanted("award", "promotion"), Audience("file"), text)
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

    def bare(_: float) -> Sample:
        with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
            owner.execute("TRUNCATE reference.accounts, reference.entries, reference.lots")
        started, before = time.perf_counter(), _used(database)
        _copy(shop.shop_id, text)
        return Sample(ROWS, time.perf_counter() - started, _used(database) - before)

    return [compare("P6 bulk award", ">= 0.33", product, bare)]


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


def _file() -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("customer id", "points"))
    writer.writerows((_FIRST + number, 100 + number % 900) for number in range(ROWS))
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


def _copy(shop_id: UUID, text: str) -> None:
    """Parse, check that each customer is a member, COPY into entries, lots and accounts in one transaction."""
    now = "2026-11-21T12:00:00Z"
    with psycopg.connect(get_settings().owner_url) as connection:
        connection.execute("SELECT set_config('app.cross_shop', 'on', true)")
        rows = [(int(who), int(points)) for who, points in list(csv.reader(io.StringIO(text)))[1:]]
        known: dict[int, UUID] = dict(
            connection.execute(
                "SELECT customer_id, id FROM members WHERE shop_id = %s AND customer_id = ANY(%s)",
                (shop_id, [who for who, _ in rows]),
            ).fetchall()
        )
        given = [(known[who], points, ids.new_id()) for who, points in rows if points > 0]
        run, empty = os.getpid() * 1_000 + next(_rounds), b""
        with connection.cursor() as cursor:
            with cursor.copy(_ENTRIES) as copy:
                for number, (member, points, entry) in enumerate(given):
                    copy.write_row(
                        (
                            shop_id, entry, member, 1, "adjust", points, 0, points, 0, 0, 0, 0, False,
                            f"bulk:{run}:{number}", "promotion", _TRACE, "api_key", "benchmark", now, empty, empty,
                        )
                    )  # fmt: skip
            with cursor.copy(_LOTS) as copy:
                for member, points, entry in given:
                    copy.write_row((shop_id, entry, member, entry, points, points, False, now, now))
            with cursor.copy(_ACCOUNTS) as copy:
                for member, points, _ in given:
                    copy.write_row((shop_id, member, points, 0, 1))
