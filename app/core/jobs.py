"""Jobs on RQ: plain functions with keyword primitives, registered by name and sent after the commit.

A job is never the only copy of a fact: what must happen is a row in the inbox or the outbox, or is found by a sweep.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import redis
from rq import Queue, Retry

from app.core.settings import get_settings

if TYPE_CHECKING:
    from app.core.db import JobCall

log = logging.getLogger(__name__)

QUEUES = ("default", "slow")
_RETRY_SECONDS = (5, 30, 120, 600)


@dataclass(frozen=True)
class Job:
    """A registered job."""

    name: str
    function: Callable[..., Any]
    queue: str
    retries: int
    timeout_seconds: int


_jobs: dict[str, Job] = {}


def job(
    name: str, *, queue: str = "default", retries: int = 3, timeout_seconds: int = 60
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function under `<domain>.<verb>`. It must be safe to run twice."""
    if queue not in QUEUES:
        raise ValueError(f"unknown queue {queue}")

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        _jobs[name] = Job(name, function, queue, retries, timeout_seconds)
        return function

    return register


def registered() -> dict[str, Job]:
    """Every job by name."""
    return dict(_jobs)


@lru_cache(maxsize=1)
def connection() -> redis.Redis:
    """The queue server's connection for senders, who have committed and do not wait long."""
    return redis.Redis.from_url(get_settings().redis_url, socket_connect_timeout=0.5, socket_timeout=2)


def run(name: str, arguments: dict[str, Any]) -> Any:
    """What the RQ worker calls: look the job up by name and run it."""
    return _jobs[name].function(**arguments)


def send(calls: Iterable["JobCall"]) -> None:
    """Put jobs on their queues; when the queue server is away the sweeps do the work later."""
    by_queue: dict[str, list[Any]] = defaultdict(list)
    for call in calls:
        entry = _jobs[call.name]
        by_queue[entry.queue].append(
            Queue.prepare_data(
                "app.core.jobs.run",
                args=(call.name, call.arguments),
                timeout=entry.timeout_seconds,
                result_ttl=0,
                failure_ttl=7 * 86400,
                retry=Retry(entry.retries, list(_RETRY_SECONDS[: entry.retries])) if entry.retries else None,
                description=call.name,
            )
        )
    try:
        for queue, prepared in by_queue.items():
            Queue(queue, connection=connection()).enqueue_many(prepared)
    except redis.RedisError:
        log.warning("jobs not sent, queue server away: %s", ", ".join(sorted({call.name for call in calls})))
