"""Background work: every name resolves, every queue is served, every process starts, works and stops in time."""

import inspect
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from croniter import croniter
from redis import Redis
from rq import Queue

from app import cli, schedule, worker
from app.core import inbox, jobs, outbox
from app.core.jobs import Job
from app.factory import BACKGROUND_MODULES, load_domains
from app.schedule import PERIODIC
from tests.architecture.sources import ROOT, modules
from tests.fixtures.shop import TestShop

load_domains(BACKGROUND_MODULES)
JOBS = jobs.registered()
UPDATE = {"name": "Told in the background", "currency": "USD", "iana_timezone": "UTC"}


@pytest.mark.parametrize("entry", PERIODIC, ids=lambda entry: entry.job)
def test_a_periodic_job_exists_takes_nothing_and_has_a_time(entry: schedule.Periodic) -> None:
    job = JOBS[entry.job]
    assert not inspect.signature(job.function).parameters
    assert croniter(entry.cron, datetime(2026, 11, 21, tzinfo=UTC)).get_next(datetime) > datetime(
        2026, 11, 21, tzinfo=UTC
    )
    assert entry.why


def test_periodic_jobs_are_listed_once() -> None:
    assert len({entry.job for entry in PERIODIC}) == len(PERIODIC)


@pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))
def test_a_job_has_a_served_queue_and_plain_arguments(job: Job) -> None:
    assert job.queue in jobs.QUEUES and 0 < job.timeout_seconds <= 3600
    parameters = inspect.signature(job.function).parameters.values()
    if not any(entry.job == job.name for entry in PERIODIC):
        assert next(iter(parameters)).name == "shop_id"
    for parameter in parameters:
        assert parameter.annotation in (str, int, bool, "str", "int", "bool", str | None, list[str]), (
            parameter
        )


def test_every_job_that_takes_nothing_is_periodic() -> None:
    alone = {name for name, job in JOBS.items() if not inspect.signature(job.function).parameters}
    assert alone == {entry.job for entry in PERIODIC}


def test_the_worker_serves_every_queue() -> None:
    served = inspect.getsource(worker.main)
    assert "list(jobs.QUEUES)" in served
    assert {job.queue for job in JOBS.values()} <= set(jobs.QUEUES)


def test_every_job_named_in_the_sources_exists() -> None:
    named = {found for _, text in modules() for found in re.findall(r'enqueue\(\s*"([a-z_.]+)"', text)}
    named |= {found for _, text in modules() for found in re.findall(r'JobCall\(\s*"([a-z_.]+)"', text)}
    assert named and named <= set(JOBS)


def test_every_kind_of_outside_work_is_done_by_somebody() -> None:
    wanted = {found for _, text in modules() for found in re.findall(r'\.outbox\(\s*"([a-z_.]+)"', text)}
    assert wanted <= outbox.registered_kinds()
    assert outbox.registered_kinds()


# Five seconds on a machine that does nothing else; a busy one is given more.
STOPS_WITHIN = 5 + 10 * (os.getloadavg()[0] > 2 * (os.cpu_count() or 1))
Process = subprocess.Popen[bytes]


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Processes of this test, ended with it."""
    running: list[Process] = []
    yield running
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def start(processes: list[Process], *arguments: str) -> Process:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.worker", *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
    )
    processes.append(process)
    return process


def eventually(what: object, seconds: float = 20.0) -> bool:
    """Whether a condition becomes true in time."""
    assert callable(what)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return False


def ended(process: Process) -> tuple[int, float]:
    """Exit code after SIGTERM, and how many seconds it took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    return process.wait(60), time.monotonic() - began


def test_the_drain_handles_webhooks_and_stops(
    shop: TestShop, valkey: Redis, processes: list[Process]
) -> None:
    process = start(processes, "drain")
    shop.tell("shop/update", UPDATE)
    assert eventually(lambda: not waiting(shop))
    with shop.work() as uow:
        assert uow.scalar("SELECT name FROM shops") == UPDATE["name"]
    code, seconds = ended(process)
    assert code == 0 and seconds < STOPS_WITHIN


def waiting(shop: TestShop) -> int:
    with shop.work() as uow:
        return int(uow.scalar("SELECT count(*) FROM inbox WHERE state = 0"))


def test_a_drain_killed_in_the_middle_loses_nothing(
    shop: TestShop, valkey: Redis, processes: list[Process]
) -> None:
    for number in range(30):
        inbox.put(
            shop.id, "shop/update", f"w{number}", "", None, orjson.dumps({**UPDATE, "name": str(number)})
        )
    process = start(processes, "drain")
    eventually(lambda: waiting(shop) < 30)
    process.kill()
    process.wait(5)
    inbox.drain_all()
    with shop.work() as uow:
        assert uow.all("SELECT DISTINCT state FROM inbox WHERE outcome = ''") == [{"state": 1}]


def test_jobs_are_run_and_the_process_stops(shop: TestShop, valkey: Redis, processes: list[Process]) -> None:
    with shop.work() as uow:
        uow.execute("UPDATE shops SET status = 'uninstalled'")
        uow.execute("UPDATE shop_directory SET status = 'erased'")
        uow.enqueue("shops.erase")
    process = start(processes, "jobs")

    def gone() -> bool:
        with shop.work() as uow:
            return uow.scalar("SELECT count(*) FROM shops") == 0

    assert eventually(gone)
    code, seconds = ended(process)
    assert code == 0 and seconds < STOPS_WITHIN


def test_periodic_jobs_are_sent_and_the_process_stops(valkey: Redis, processes: list[Process]) -> None:
    process = start(processes, "cron")
    keys = "rq:cron_scheduler:*"
    assert eventually(lambda: list(valkey.scan_iter(keys)))
    (key,) = valkey.scan_iter(keys)
    planned = orjson.loads(valkey.hget(key, "cron_jobs") or b"[]")  # type: ignore[arg-type]
    assert {one["name"] for one in planned} == {entry.job for entry in PERIODIC}
    code, seconds = ended(process)
    assert code == 0 and seconds < STOPS_WITHIN


def test_the_cron_process_waits_for_a_queue_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch, processes: list[Process]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    process = start(processes, "cron")
    time.sleep(4)
    assert process.poll() is None
    code, seconds = ended(process)
    assert code in (0, -signal.SIGTERM) and seconds < STOPS_WITHIN


_ONE_BURST = """
import rq
from app import worker
worker.load_domains(worker.BACKGROUND_MODULES)
rq.SimpleWorker(["slow"], connection=worker.jobs.connection()).work(burst=True)
"""


def test_a_periodic_job_reaches_the_right_function(shop: TestShop, valkey: Redis) -> None:
    queue = Queue("slow", connection=valkey)
    queue.enqueue(jobs.run, args=("shops.tend_tables", {}))
    work = subprocess.run([sys.executable, "-c", _ONE_BURST], cwd=ROOT, capture_output=True, timeout=60)
    assert work.returncode == 0, work.stderr
    assert queue.count == 0 and queue.failed_job_registry.count == 0


@pytest.mark.parametrize("verb", ["shops", "routes", "tabs", "jobs", "events", "openapi", "drain-once"])
def test_the_command_line_answers(shop: TestShop, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert cli.main([verb]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() and printed.err == ""


def test_the_command_line_writes_the_api_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "api" / "openapi.json"
    assert cli.main(["openapi", "--out", str(target)]) == 0
    assert orjson.loads(target.read_bytes())["openapi"].startswith("3.1")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [[], ["fly"], ["api-key"], ["api-key", "create"], ["erase-shop"]])
def test_a_misspelled_command_says_how_it_is_spelled(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2 and "usage" in capsys.readouterr().err
