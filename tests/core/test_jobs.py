"""Jobs: registered by name, sent after the commit, run by a worker, lost without harm."""

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rq import Queue, SimpleWorker

from app.core import ids, jobs
from app.core.db import JobCall, unit_of_work
from app.core.settings import get_settings

SHOP = ids.new_id()
SEEN: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(jobs, "_jobs", {})
    SEEN.clear()
    jobs.connection.cache_clear()
    yield
    jobs.connection().close()
    jobs.connection.cache_clear()


def remember(shop_id: str, **arguments: Any) -> None:
    SEEN.append({"shop_id": shop_id, **arguments})


def work(*queues: str) -> None:
    """Let a worker empty the queues."""
    worker = SimpleWorker(list(queues) or list(jobs.QUEUES), connection=jobs.connection())
    worker.log.setLevel(logging.WARNING)
    worker.work(burst=True, logging_level="WARNING")


def test_a_job_asked_for_in_a_transaction_is_run_by_a_worker(valkey: object) -> None:
    jobs.job("test.remember")(remember)
    with unit_of_work(SHOP) as uow:
        uow.enqueue("test.remember", number=1, text="é")
    work()
    assert [{"shop_id": str(SHOP), "number": 1, "text": "é"}] == SEEN


def test_jobs_go_to_their_queue_with_their_limits(valkey: object) -> None:
    jobs.job("test.slow", queue="slow", retries=2, timeout_seconds=900)(remember)
    jobs.job("test.quick", retries=0)(remember)
    jobs.send([JobCall("test.slow", {"shop_id": "1"}), JobCall("test.quick", {"shop_id": "2"})])
    (slow,) = Queue("slow", connection=jobs.connection()).get_jobs()
    (quick,) = Queue("default", connection=jobs.connection()).get_jobs()
    assert (slow.timeout, slow.retries_left, slow.retry_intervals) == (900, 2, [5, 30])
    assert (quick.timeout, quick.retries_left, quick.description) == (60, None, "test.quick")


def test_a_failed_job_is_planned_again(valkey: object) -> None:
    def fail(**_: Any) -> None:
        raise ValueError

    jobs.job("test.fail", retries=1)(fail)
    jobs.send([JobCall("test.fail", {"shop_id": "1"})])
    work()
    queue = Queue("default", connection=jobs.connection())
    assert queue.count == 0 and queue.scheduled_job_registry.count == 1


def test_without_a_queue_server_callers_are_not_disturbed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="app.core.jobs")
    jobs.job("test.remember")(remember)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    jobs.connection.cache_clear()
    try:
        with unit_of_work(SHOP) as uow:
            uow.enqueue("test.remember")
    finally:
        jobs.connection.cache_clear()
        monkeypatch.undo()
        get_settings.cache_clear()
    assert "queue server away: test.remember" in caplog.text


def test_a_queue_must_exist() -> None:
    with pytest.raises(ValueError, match="unknown queue"):
        jobs.job("test.x", queue="fast")


def test_a_job_runs_by_name_and_the_registry_is_a_copy() -> None:
    jobs.job("test.remember")(remember)
    jobs.run("test.remember", {"shop_id": "1"})
    assert SEEN == [{"shop_id": "1"}]
    jobs.registered().clear()
    assert set(jobs.registered()) == {"test.remember"}


def test_a_hanging_queue_server_does_not_hold_up_the_caller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", logger="app.core.jobs")
    jobs.job("test.remember")(remember)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        get_settings.cache_clear()
        jobs.connection.cache_clear()
        start = time.monotonic()
        try:
            jobs.send([JobCall("test.remember", {"shop_id": "1"})])
        finally:
            jobs.connection().close()
            jobs.connection.cache_clear()
            monkeypatch.undo()
            get_settings.cache_clear()
    assert time.monotonic() - start < 5 and "queue server away" in caplog.text
