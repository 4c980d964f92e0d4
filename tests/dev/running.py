"""Ways to run the local runtime from a test and to see what it left behind."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.core.settings import Settings
from dev.data import REPOSITORY
from dev.ports import is_free


def bare_environment(**more: str) -> dict[str, str]:
    """The environment of a person who has set nothing."""
    ours = {name.upper() for name in Settings.model_fields} | {"LOYALNEST_DATA", "PORT"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(("TEST_", "PYTEST_"))
    }
    return {**kept, **more}


def dev(*arguments: str, timeout: float = 60, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a verb to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dev", *arguments],
        cwd=REPOSITORY,
        env=bare_environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def start(*command: str, output: Path) -> "subprocess.Popen[bytes]":
    """Start a Python module or script in the background."""
    with open(output, "wb") as handle:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=bare_environment(),
            stdout=handle,
            stderr=subprocess.STDOUT,
        )


def free_port_block() -> int:
    """The first of five neighbouring ports that nobody uses."""
    while True:
        first = random.randrange(20000, 32000, 5)
        if all(is_free(first + step) for step in range(5)):
            return first


def eventually(condition: Callable[[], object], seconds: float = 10) -> bool:
    """Whether the condition comes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def family(pid: int) -> list[psutil.Process]:
    """The process and everything below it."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those that still run, as text for an assertion."""
    found = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())}")
        except psutil.NoSuchProcess:
            continue
    return found
