"""Starting and ending operating system processes so that none outlives its purpose."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Make orphaned grandchildren ours on Linux, so that `end_descendants` finds them."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known: Collection[int]) -> None:
    """Take note of the end of adopted processes; those of `known` belong to somebody who waits for them."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if process.pid not in known and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


def _before_exec(parent: int, number: int | None) -> Callable[[], None]:
    """What a new process does first: it can be interrupted, though a script's `&` made us deaf to that, and with a
    signal number it gets that signal when `parent` is gone (Linux)."""
    prctl = _libc.prctl if _libc is not None else None

    def arrange() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if prctl is not None and number is not None:
            prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), number)

    return arrange


def spawn(
    command: Sequence[str | Path],
    *,
    output: int | IO[bytes],
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    detached: bool = False,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> "subprocess.Popen[bytes]":
    """Start a command in its own session with both outputs going to `output`.

    Unless detached it gets `stop_signal` when the starting process dies, however it dies (Linux).
    `user` needs root. Raises OSError when the command cannot be started.
    """
    group = pwd.getpwnam(user).pw_gid if user else None
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=_before_exec(os.getpid(), None if detached else stop_signal),
        user=user,
        group=group,
        extra_groups=[] if user else None,
    )


def let_go(process: "subprocess.Popen[bytes]") -> None:
    """Tell Python that a detached process is meant to outlive us, so that it does not warn."""
    process.returncode = 0


def see_out(process: "subprocess.Popen[bytes] | None", patience: float = 5.0) -> None:
    """Wait for a process that was told to end, and kill it when it does not. The threads of one whose process counts as
    ended may take a moment longer, and Python warns of a child that nobody waited for."""
    if process is None:
        return
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_in_foreground(command: Sequence[str | Path], *, env: dict[str, str], cwd: Path) -> int:
    """Run a command with our output and return its exit code. A signal to us reaches it as an interrupt that it may
    answer for ten seconds; then, or at a second signal, it is killed."""
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=_before_exec(os.getpid(), signal.SIGTERM),
    )
    deadline: float | None = None

    def forward(_number: int, _frame: FrameType | None) -> None:
        nonlocal deadline
        if deadline is None:
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + (10 if deadline is None else 0)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while (code := process.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                signal_group(process.pid, signal.SIGKILL)
            time.sleep(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal_group(process.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def left_clean() -> Iterator[None]:
    """Nothing that is started inside the block outlives it, also when SIGTERM ends it early."""
    adopt_orphans()
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        end_descendants()


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to a process group; silent when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def end(pid: int, steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send the signals one after the other, each with its patience in seconds, until the process is gone."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    for number, patience in steps:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if gone(process):
                return True
            time.sleep(0.02)
    return gone(process)


def gone(process: psutil.Process) -> bool:
    """Whether it ended; reaps it when it is our child."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def end_descendants(patience: float = 2.0) -> None:
    """Terminate, then kill, everything this process started directly or indirectly."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=1)
