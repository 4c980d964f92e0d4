"""F5: a job worker is killed in the middle of a job."""

import tempfile
import time
from pathlib import Path
from typing import Any

from rq.registry import StartedJobRegistry
from rq.scheduler import RQScheduler

from app import worker
from app.core import jobs
from app.core.db import JobCall
from drills import dying_job, servers, workers
from drills.outcome import Outcome, Scale

_ALLOWED_SECONDS = 20 + 60 + 2 * worker.SWEEP_SECONDS + 15
"""The job's time and the minute that RQ grants a silent worker, a sweep that finds the job, one that takes over the dead
worker's scheduler, and the pause before the second try."""


def run(scale: Scale) -> Outcome:
    """Whoever sweeps next puts the job back. The short form does not wait for the dead worker's time to be over."""
    outcome = Outcome("kill -9 of a job worker in the middle of a job")
    with servers.own(durable=False), tempfile.TemporaryDirectory(prefix="loyalnest-") as folder:
        started, done = Path(folder) / "started", Path(folder) / "done"
        sweep = str(scale.pick(1, worker.SWEEP_SECONDS))
        jobs.send([JobCall(dying_job.NAME, {"folder": folder})])
        victim = workers.spawn("drills.dying_job", DRILL_SWEEP=sweep)
        outcome.expect(_appears(started, 30), "the job did not begin")
        workers.end(victim)
        killed = time.monotonic()
        if scale.short:
            _let_time_pass()
        other = workers.spawn("drills.dying_job", DRILL_SWEEP=sweep)
        try:
            outcome.expect(_appears(done, _ALLOWED_SECONDS), f"not done within {_ALLOWED_SECONDS} s")
        finally:
            workers.end(other)
        outcome.facts = {"done after s": round(time.monotonic() - killed, 1), "sweep every s": sweep}
    return outcome


def _appears(path: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not path.exists():
        time.sleep(0.05)
    return path.exists()


def _let_time_pass() -> None:
    """What the dead worker and its scheduler were granted is over."""
    registry = StartedJobRegistry("default", connection=jobs.connection())
    members: Any = jobs.connection().zrange(registry.key, 0, -1)
    jobs.connection().zadd(registry.key, dict.fromkeys(members, time.time() - 1))
    jobs.connection().delete(*map(RQScheduler.get_locking_key, jobs.QUEUES))
