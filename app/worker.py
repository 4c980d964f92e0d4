"""Background processes: `python -m app.worker drain | jobs [queue ...] | cron`; they stop within seconds of SIGTERM."""

import argparse
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

import redis
from rq import SimpleWorker
from rq.cron import CronScheduler
from rq.exceptions import StopRequested

from app.core import inbox, jobs, outbox
from app.core.settings import get_settings
from app.factory import BACKGROUND_MODULES, load_domains
from app.schedule import PERIODIC
from app.web.logging import configure_logging

log = logging.getLogger(__name__)
STOP_SECONDS = 4.0
SWEEP_SECONDS = 60
Stop = Callable[[], bool]
_LOOK_SECONDS = 0.2
_UNSENT_SECONDS = 3600
_QUEUE_AWAY_SECONDS = 5.0


def settle_memory() -> None:
    """Keep the garbage collector from looking through the whole program in the middle of batches: what is loaded by now
    stays, and a batch makes a few ten thousand objects that die with it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def drain() -> int:
    """Handle webhooks and do outside work until told to stop; what is in hand then is finished first."""
    stop = _told_to_stop()
    threads = [_thread("inbox", inbox.serve, stop), _thread("outbox", outbox.serve, stop)]
    while not stop():
        time.sleep(_LOOK_SECONDS)
        if not stop() and not all(thread.is_alive() for thread in threads):
            log.error("a drain ended by itself")
            return 1
    give_up = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, give_up - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        # A transaction rolls back and a lease runs out: both are taken up again by the next process.
        log.warning("stopped in the middle of outside work; its lease runs out")
        sys.stderr.flush()
        os._exit(0)
    return 0


def _told_to_stop() -> Stop:
    """Whether a signal asked this process to stop. No lock is taken: the handler interrupts whoever might hold it."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: told.append(got))
    return lambda: bool(told)


def _thread(name: str, serve: Callable[[Stop], None], stop: Stop) -> threading.Thread:
    thread = threading.Thread(target=serve, args=(stop,), name=name, daemon=True)
    thread.start()
    return thread


def work(queues: Sequence[str]) -> int:
    """Run jobs one after the other in this process: they are ours, short and bounded by their timeouts."""
    # RQ sets the timeout of a connection that has none: it blocks in it while the queues are empty.
    connection = redis.Redis.from_url(get_settings().redis_url, socket_connect_timeout=5)
    # RQ sweeps between two waits for a job, and an idle worker waits for its time to live less a quarter of a minute.
    worker = SimpleWorker(
        list(queues),
        connection=connection,
        maintenance_interval=SWEEP_SECONDS,
        worker_ttl=SWEEP_SECONDS + 15,
    )
    worker.work(with_scheduler=True, logging_level="WARNING")
    return 0


class Cron(CronScheduler):
    """RQ's scheduler that remembers being told to stop, also when the queue server is away at that moment."""

    stopped = False

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopped = True
        raise StopRequested


def cron() -> int:
    """Send the periodic jobs; while the queue server is away, wait for it."""
    with contextlib.suppress(StopRequested):
        while True:
            scheduler = _scheduler()
            try:
                scheduler.start()  # type: ignore[no-untyped-call]
                return 0
            except redis.RedisError:
                if scheduler.stopped:
                    return 0
                log.warning("the queue server is away; trying again")
                time.sleep(_QUEUE_AWAY_SECONDS)
    return 0


def _scheduler() -> Cron:
    scheduler = Cron(jobs.connection(), logging_level="WARNING")
    for entry in PERIODIC:
        known = jobs.registered()[entry.job]
        scheduler.register(
            jobs.run,
            known.queue,
            args=(entry.job, {}),
            cron=entry.cron,
            name=entry.job,
            job_timeout=known.timeout_seconds,
            result_ttl=0,
            ttl=_UNSENT_SECONDS,
        )
    return scheduler


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one process; the exit code is 0 when it was told to stop."""
    parser = argparse.ArgumentParser(prog="app.worker", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("drain", help="handle webhooks and outside work")
    jobs_verb = verbs.add_parser("jobs", help="run queued jobs")
    jobs_verb.add_argument(
        "queues", nargs="*", default=list(jobs.QUEUES), help="which queues, first come first"
    )
    verbs.add_parser("cron", help="send periodic jobs")
    options = parser.parse_args(arguments)
    configure_logging(get_settings().log_level)
    logging.getLogger("rq").setLevel(logging.WARNING)
    load_domains(BACKGROUND_MODULES)
    settle_memory()
    if options.verb == "drain":
        return drain()
    return work(options.queues) if options.verb == "jobs" else cron()


if __name__ == "__main__":
    sys.exit(main())
