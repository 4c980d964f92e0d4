"""Drain processes as they run in production, to be killed."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import psycopg

from app.core.settings import get_settings
from dev import processes
from dev.data import REPOSITORY

_STAGES = ("inbox", "orders", "points_entries")
_TOUCHED = """
SELECT a.client_port FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
WHERE a.datname = current_database() AND a.client_port IS NOT NULL
  AND l.relation = %s::regclass AND l.mode IN ('RowShareLock', 'RowExclusiveLock')
"""


def spawn(*command: str, **more: str) -> "subprocess.Popen[bytes]":
    """Start a Python program of the product, silent, on the same services; it ends with us at the latest."""
    environment = {**os.environ, "LOG_LEVEL": "ERROR", **more}
    return processes.spawn(
        [sys.executable, "-m", *command], output=subprocess.DEVNULL, env=environment, cwd=REPOSITORY
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and those that it started in its session."""
    processes.signal_group(process.pid, signal.SIGKILL)
    process.wait()


class Crew:
    """Some drain processes."""

    def __init__(self, size: int) -> None:
        self.workers = [spawn("app.worker", "drain") for _ in range(size)]

    def all_alive(self) -> bool:
        return all(worker.poll() is None for worker in self.workers)

    def kill_in_batch(self, chance: random.Random, patience: float) -> str | None:
        """Kill -9 one process at the moment when its open transaction has touched a table picked by chance, and start
        another in its place. Returns the table; None when no process worked within `patience` seconds."""
        stage, until = chance.choice(_STAGES), time.monotonic() + patience
        with psycopg.connect(get_settings().database_url, autocommit=True) as watcher:
            while time.monotonic() < until:
                busy = {row[0] for row in watcher.execute(_TOUCHED, (stage,))}
                for place, worker in enumerate(self.workers if busy else ()):
                    if busy & _ports(worker.pid):
                        worker.kill()
                        worker.wait()
                        self.workers[place] = spawn("app.worker", "drain")
                        return stage
        return None


def _ports(pid: int) -> set[int]:
    with contextlib.suppress(psutil.Error):
        return {one.laddr.port for one in psutil.Process(pid).net_connections("tcp") if one.laddr}
    return set()


@contextlib.contextmanager
def crew(size: int) -> Iterator[Crew]:
    """Drain processes for the length of a block; what is left of them at the end is killed too."""
    found = Crew(size)
    try:
        yield found
    finally:
        for worker in found.workers:
            end(worker)
