"""A job worker with one more job, for F5: its first run never ends, every other one does at once."""

import os
import sys
import time
from pathlib import Path

from app import worker
from app.core import jobs

NAME = "drills.mark"


@jobs.job(NAME, retries=3, timeout_seconds=20)
def mark(folder: str) -> None:
    """Note that the job began; hang when it is the first time, else note that it is done."""
    started = Path(folder) / "started"
    if not started.exists():
        started.write_text(str(os.getpid()))
        time.sleep(3600)
    (Path(folder) / "done").touch()


if __name__ == "__main__":
    worker.SWEEP_SECONDS = int(os.environ["DRILL_SWEEP"])
    sys.exit(worker.main(["jobs"]))
