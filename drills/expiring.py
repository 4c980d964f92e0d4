"""The job that ends points past their date, as its own process; it writes what its slices took into a file at its end."""

import json
import resource
import sys
import time
from pathlib import Path

from app.core.db import UnitOfWork
from app.domains.points import jobs, service
from app.factory import load_domains

_spent: list[float] = []
_expire_slice = service.expire_slice


def _timed(uow: UnitOfWork) -> bool:
    started = time.perf_counter()
    more = _expire_slice(uow)
    _spent.append(time.perf_counter() - started)
    return more


def main(place: str) -> int:
    """Run until nothing is due or the job's time is over."""
    load_domains()
    service.expire_slice = _timed
    jobs.expire_due()
    told = {
        "slowest": max(_spent),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    Path(place).write_text(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
