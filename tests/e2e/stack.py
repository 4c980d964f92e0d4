"""The whole product on free ports: dev store, web, webhook drain and jobs, stopped by process id."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

import httpx

from dev import environment, ports, processes
from dev.data import REPOSITORY

PATIENCE = 30.0
_START_SECONDS = 60.0
_STOP_SECONDS = 8.0


@dataclass
class Stack:
    """Where everything listens, and the programs that were started."""

    app: str
    devstore: str
    folder: Path
    programs: dict[str, "Popen[bytes]"] = field(default_factory=dict)

    def control(self, method: str, path: str, **options: Any) -> Any:
        """Ask the dev store's control API. Raises AssertionError with its answer when it refuses."""
        answer = httpx.request(
            method, f"{self.devstore}/_control{path}", timeout=PATIENCE, trust_env=False, **options
        )
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def until(self, what: str, probe: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Ask until the answer is truthy. Raises AssertionError naming the last answer, or who failed meanwhile."""
        limit = time.monotonic() + patience
        while True:
            found = probe()
            if found:
                return found
            self.check()
            assert time.monotonic() < limit, (
                f"{what}: still {found!r} after {patience:g} s; logs: {self.folder}"
            )
            time.sleep(0.1)

    def settled(self, shop: str) -> None:
        """Wait until every webhook of the shop was taken."""
        self.until(
            "webhooks are delivered",
            lambda: self.control("GET", "/deliveries", params={"shop": shop, "limit": 1})["pending"] == 0,
        )

    def check(self) -> None:
        """Raises AssertionError when a program ended or wrote an error into its log."""
        for name, program in self.programs.items():
            assert program.poll() is None, f"{name} ended with {program.returncode}: {self._tail(name)}"
        assert self.complaints() == []

    def complaints(self) -> list[str]:
        """Lines of the programs' logs that tell of an error."""
        return [
            f"{name}: {line[:2000]}"
            for name in self.programs
            for line in self._log(name).read_text(errors="replace").splitlines()
            if '"level": "error"' in line
            or '"level":"error"' in line
            or line.startswith(("Traceback", "ERROR"))
        ]

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")[-1500:]

    def start(self, name: str, arguments: list[str], variables: dict[str, str]) -> None:
        """Start one program, with both outputs in its log."""
        with self._log(name).open("wb") as log:
            self.programs[name] = processes.spawn(
                [sys.executable, *arguments], output=log, env=variables, cwd=REPOSITORY
            )

    def wait_for(self, address: str) -> None:
        """Wait until the address answers 200."""
        self.until(f"{address} is ready", lambda: _is_ready(address), _START_SECONDS)

    def stop(self) -> None:
        """End what was started: asked first, killed when it does not listen."""
        for program in self.programs.values():
            with contextlib.suppress(ProcessLookupError):
                program.terminate()
        limit = time.monotonic() + _STOP_SECONDS
        for program in self.programs.values():
            with contextlib.suppress(TimeoutExpired):
                program.wait(max(0.1, limit - time.monotonic()))
            if program.poll() is None:
                program.kill()
                program.wait()


def _is_ready(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(address, timeout=3, trust_env=False).status_code == 200
    return False


@contextlib.contextmanager
def running(folder: Path, services: dict[str, str]) -> Iterator[Stack]:
    """Start everything against `services` (DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL) and stop it at the end."""
    app_port, store_port, mail_port = ports.free(3)
    stack = Stack(f"http://127.0.0.1:{app_port}", f"http://127.0.0.1:{store_port}", folder)
    variables = _application(stack, mail_port) | services
    try:
        stack.start("devstore", ["-m", "devstore"], _devstore(stack, store_port, mail_port, variables))
        bind = ["--bind", f"127.0.0.1:{app_port}", "wsgi:app"]
        stack.start("web", ["-m", "gunicorn", "-c", "gunicorn.conf.py", *bind], variables)
        stack.start("drain", ["-m", "app.worker", "drain"], variables)
        stack.start("jobs", ["-m", "app.worker", "jobs"], variables)
        stack.wait_for(f"{stack.devstore}/_ready")
        stack.wait_for(f"{stack.app}/readyz")
        yield stack
    finally:
        stack.stop()


def _application(stack: Stack, mail_port: int) -> dict[str, str]:
    """What web and workers read. Keys come from the suite's own environment."""
    return {
        **environment.inherited(),
        "ENVIRONMENT": "development",
        "APP_URL": stack.app,
        "SHOPIFY_CONNECT_TO": stack.devstore,
        "SHOPIFY_ADMIN_ORIGIN": stack.devstore,
        "SHOPIFY_APP_BRIDGE_URL": f"{stack.devstore}/app-bridge.js",
        "SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
        "WEB_CONCURRENCY": "1",
        "WEB_GRACEFUL_SECONDS": "3",
    }


def _devstore(stack: Stack, port: int, mail_port: int, app: dict[str, str]) -> dict[str, str]:
    return {
        **environment.inherited(),
        "PYTHONUNBUFFERED": "1",
        "DEVSTORE_PORT": str(port),
        "DEVSTORE_SMTP_PORT": str(mail_port),
        "DEVSTORE_DATA": str(stack.folder / "devstore"),
        "DEVSTORE_APP_URL": stack.app,
        "DEVSTORE_API_KEY": app["SHOPIFY_API_KEY"],
        "DEVSTORE_API_SECRET": app["SHOPIFY_API_SECRET"],
        "DEVSTORE_APP_CONFIG": str(REPOSITORY / "shopify.app.toml"),
    }
