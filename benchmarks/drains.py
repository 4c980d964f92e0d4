"""Drain processes that empty the inbox when they are told to: what `app.worker drain` does, without waiting for a bell.

As a program it reads a batch size a line, empties the inbox, and answers how many rows it took.
"""

import subprocess
import sys
import time
from types import TracebackType

from app.core import inbox
from app.factory import BACKGROUND_MODULES, load_domains
from app.worker import settle_memory


class Drains:
    """Some processes that empty the inbox together."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Drains":
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.drains"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(self._size)
        ]
        self.empty(1)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for process in self._processes:
            process.communicate(timeout=30)

    @property
    def pids(self) -> list[int]:
        """Their process ids."""
        return [process.pid for process in self._processes]

    def empty(self, batch: int) -> tuple[int, float]:
        """Empty the inbox in batches. Gives how many rows were taken and the seconds until the last process was done."""
        started = time.perf_counter()
        for process in self._processes:
            print(batch, file=process.stdin, flush=True)
        taken = sum(int(process.stdout.readline()) for process in self._processes if process.stdout)
        return taken, time.perf_counter() - started


def main() -> None:
    """Serve until the input ends."""
    load_domains(BACKGROUND_MODULES)
    settle_memory()
    for line in sys.stdin:
        print(inbox.drain_all(int(line)), flush=True)


if __name__ == "__main__":
    main()
