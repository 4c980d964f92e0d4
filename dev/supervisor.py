"""Keeps several programs running in the foreground: logs, restarts after crashes, and an orderly end for all."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from dev import processes
from dev.failure import Refused

_BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_SECONDS = 60.0
_REAP_SECONDS = 10.0
_LOG_LIMIT = 20 * 2**20
_ROUTINE = re.compile(
    r'"level":\s*"(info|debug)"'
)  # such lines go to the log only, so that the table stays in sight


class Interrupted(Exception):
    """Somebody asked the supervisor to stop."""


@dataclass(frozen=True)
class Program:
    """One program to keep running. Programs of a higher stage stop first; those of one stage stop together."""

    name: str
    command: tuple[str | Path, ...]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stage: int = 1
    echo: bool = True
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 5.0
    before: Callable[[], None] | None = None
    explain: Callable[[], str] | None = None


@dataclass
class _Child:
    program: Program
    log: IO[bytes]
    process: "subprocess.Popen[bytes]"
    started: float
    rest: bytes = b""
    crashes: int = 0
    again_at: float | None = None
    last_line: str = ""


class Supervisor:
    """Owns the programs of one `up`. Everything happens in the calling thread, inside `pump` and `stop`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: dict[str, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._asked = 0
        self._reaped_at = 0.0
        self._stopping = False
        self._terminal = True
        self._last_lines: dict[str, str] = {}
        self.strict = True  # while starting, a program that ends is the end of the start

    @contextlib.contextmanager
    def guard(self) -> Iterator[None]:
        """Until the end of the block, signals ask for a stop; afterwards nothing that was started is left."""
        processes.adopt_orphans()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._ask) for number in numbers}
        try:
            yield
        finally:
            self.stop()
            processes.end_descendants()
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked += 1

    def say(self, text: str) -> None:
        """Print a line; a terminal that went away is no reason to stop."""
        if self._terminal:
            try:
                print(text, flush=True)
            except OSError:
                self._terminal = False
                with contextlib.suppress(OSError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def start(self, program: Program) -> "subprocess.Popen[bytes]":
        """Start a program. Raises Refused when its command does not exist."""
        if program.before:
            program.before()
        log = self._open_log(program.name)
        try:
            process = processes.spawn(
                program.command,
                output=subprocess.PIPE if program.echo else log,
                env=program.env or None,
                cwd=program.cwd,
                user=program.user,
                stop_signal=program.stop_signal,
            )
        except OSError as error:
            log.close()
            raise Refused(f"{program.name} could not be started: {error.strerror}.") from error
        child = _Child(program, log, process, time.monotonic())
        self._children[program.name] = child
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, child)
        return process

    def _open_log(self, name: str) -> IO[bytes]:
        path = self._logs / f"{name}.log"
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return open(path, "ab", buffering=0)

    def run(self, program: Program) -> int:
        """Run a program to its end and return its exit code."""
        process = self.start(program)
        while process.poll() is None:
            self._listen(0.1)
            self._check()
        self._forget(self._children[program.name])
        return process.returncode

    def last_line(self, name: str) -> str:
        """The last line a program wrote; empty when it wrote nothing or straight into its log."""
        return self._children[name].last_line if name in self._children else self._last_lines.get(name, "")

    def pump(self, seconds: float) -> None:
        """Pass output on and look after the programs for a while. Raises Interrupted when a stop is asked for."""
        until = time.monotonic() + seconds
        while True:
            self._listen(min(0.2, max(0.0, until - time.monotonic())))
            self._look_after()
            self._check()
            if time.monotonic() >= until:
                return

    def _check(self) -> None:
        if self._asked and not self._stopping:
            raise Interrupted

    def _listen(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, child: _Child) -> bool:
        """Pass on what the program wrote. Returns whether there may be more at once."""
        stream = child.process.stdout
        if stream is None or stream.closed:
            return False
        try:
            block = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return False
        if not block:
            self._selector.unregister(stream)
            stream.close()
        self._write(child, block)
        *lines, child.rest = (child.rest + block).split(b"\n")
        if not block and child.rest:
            lines, child.rest = [child.rest], b""
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            child.last_line = text or child.last_line
            if not text.startswith("{") or not _ROUTINE.search(text):
                self.say(f"{child.program.name:<9}| {text}")
        return bool(block)

    def _write(self, child: _Child, block: bytes) -> None:
        try:
            child.log.write(block)
        except OSError as error:
            self.say(f"{child.program.name:<9}| its log cannot be written: {error.strerror}")

    def _look_after(self) -> None:
        now = time.monotonic()
        if now - self._reaped_at > _REAP_SECONDS:
            self._reaped_at = now
            processes.reap_orphans({child.process.pid for child in self._children.values()})
        for child in list(self._children.values()):
            if child.again_at is not None:
                if now >= child.again_at:
                    self._start_again(child)
            elif child.process.poll() is not None:
                self._ended(child, now)

    def _ended(self, child: _Child, now: float) -> None:
        name, code = child.program.name, child.process.returncode
        self._forget(child)
        log = self._logs / f"{name}.log"
        if self.strict:
            hint = f": {child.last_line}" if child.last_line else ""
            told = child.program.explain() if child.program.explain else ""
            raise Refused(told or f"{name} ended with code {code} while starting{hint} (log: {log}).")
        crashes = 0 if now - child.started > _STEADY_SECONDS else child.crashes
        delay = _BACK_OFF[min(crashes, len(_BACK_OFF) - 1)]
        child.crashes, child.again_at = crashes + 1, now + delay
        self._children[name] = child
        self.say(f"{name} ended with code {code}; it is started again in {delay:g} s (log: {log}).")

    def _start_again(self, child: _Child) -> None:
        crashes = child.crashes
        try:
            self.start(child.program)
        except Refused as error:
            self.say(str(error))
            child.again_at = time.monotonic() + _BACK_OFF[-1]
            return
        self._children[child.program.name].crashes = crashes

    def _forget(self, child: _Child) -> None:
        processes.signal_group(child.process.pid, signal.SIGKILL)
        while self._read(child):
            pass
        stream = child.process.stdout
        if stream is not None and not stream.closed:
            self._selector.unregister(stream)
            stream.close()
        child.log.close()
        self._last_lines[child.program.name] = child.last_line
        self._children.pop(child.program.name, None)

    def stop(self) -> None:
        """End every program, stage by stage, and return when all are gone."""
        self._stopping = True
        for stage in sorted({child.program.stage for child in self._children.values()}, reverse=True):
            self._stop_stage([child for child in self._children.values() if child.program.stage == stage])

    def _stop_stage(self, children: list[_Child]) -> None:
        asked = self._asked
        alive = [child for child in children if child.again_at is None]
        for child in alive:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(child.program.stop_signal)
        until = time.monotonic() + max((child.program.patience for child in alive), default=0)
        while any(child.process.poll() is None for child in alive) and time.monotonic() < until:
            self._listen(0.05)
            if self._asked > asked:
                until, asked = min(until, time.monotonic() + 0.5), self._asked
        for child in alive:
            if child.process.poll() is None:
                self.say(f"{child.program.name} does not stop; it is killed.")
                processes.signal_group(child.process.pid, signal.SIGKILL)
                child.process.wait()
            self._forget(child)
        for child in children:
            self._children.pop(child.program.name, None)
