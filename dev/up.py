"""`up`: everything on this machine, in the foreground. `web`: the same against the real Shopify, for its CLI."""

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from dev import environment, ports
from dev.addresses import Addresses
from dev.data import REPOSITORY, DataFolder, resolve
from dev.environment import DEFAULT_PORT, Ports
from dev.failure import Refused
from dev.postgres import system_user
from dev.seed import seed
from dev.services import LocalServices, Services
from dev.supervisor import Interrupted, Program, Supervisor
from dev.translations import compile_catalogs

_READY_SECONDS = 90
_DRAINS = 2


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verbs."""
    verb = verbs.add_parser("up", help="start everything, print the addresses, stop with Ctrl-C")
    verb.add_argument("--port", type=int, default=DEFAULT_PORT, help="the app's port; four more follow it")
    verb.add_argument("--data", help="data folder (default: $LOYALNEST_DATA or .data)")
    verb.set_defaults(run=run, devstore=True)
    web = verbs.add_parser("web", help="start the app for the Shopify CLI: real Shopify, no dev store")
    web.add_argument("--port", type=int, default=int(os.environ.get("PORT") or DEFAULT_PORT))
    web.add_argument("--data", help="data folder (default: $LOYALNEST_DATA or .data)")
    web.set_defaults(run=run, devstore=False)


def run(options: argparse.Namespace) -> int:
    """Run until a signal. Raises Refused with one line when something is in the way; nothing is left running."""
    data = resolve(options.data)
    data.prepare()
    with data.locked_now("up") as alone:
        if not alone:
            raise Refused(f"LoyalNest already runs on {data.path}; its addresses are in {data.addresses}.")
        supervisor = Supervisor(data.logs)
        with supervisor.guard(), contextlib.suppress(Interrupted):
            Installation(data, Ports(options.port), supervisor, options.devstore).serve()
    return 0


@dataclass(frozen=True)
class Installation:
    """One `up` on its way: the data folder, its ports and the supervisor of its programs."""

    data: DataFolder
    ports: Ports
    supervisor: Supervisor
    devstore: bool

    def serve(self) -> None:
        """Start all, print the table, and stay until a stop is asked for."""
        local = LocalServices(self.data)
        self.data.addresses.unlink(missing_ok=True)
        ports.require_free(self._wanted(local))
        compile_catalogs()
        with self._services(local) as services:
            variables = self._variables(services)
            self._migrate(variables)
            for program in self._programs(variables):
                self.supervisor.start(program)
            self._wait("the app", f"{self.ports.app_url}/readyz")
            if self.devstore:
                self._wait("the dev store", f"{self.ports.devstore_url}/_ready")
                seed(self.ports.devstore_url)
            addresses = Addresses(self.ports, variables)
            addresses.write(self.data)
            self.supervisor.say(addresses.table(self.data))
            self.supervisor.strict = False
            while True:
                self.supervisor.pump(60)

    def _wanted(self, local: LocalServices) -> dict[str, int]:
        wanted = {"app": self.ports.app}
        if self.devstore:
            wanted |= {"dev store": self.ports.devstore, "dev store's mail": self.ports.smtp}
        if local.own_database and not local.postgres.running():
            wanted["database"] = self.ports.postgres
        if local.own_redis and not local.valkey.running():
            wanted["queue"] = self.ports.valkey
        return wanted

    @contextlib.contextmanager
    def _services(self, local: LocalServices) -> Iterator[Services]:
        with self.data.locked("services"):
            if local.own_database and not local.postgres.running():
                self._start_postgres(local)
            if local.own_redis and not local.valkey.running():
                self._start_valkey(local)
            lease = local.lease()
        try:
            yield local.connect()
        finally:
            self.supervisor.stop()
            local.release(lease)

    def _start_postgres(self, local: LocalServices) -> None:
        server, port = local.postgres, self.ports.postgres
        server.prepare()
        process = self.supervisor.start(
            Program(
                "postgres",
                tuple(server.command(port)),
                cwd=server.folder,
                stage=0,
                echo=False,
                user=system_user(),
                stop_signal=signal.SIGINT,
                patience=8,
                before=server.recover,
                explain=server.explain,
            )
        )
        server.wait(port, process, pause=self.supervisor.pump)

    def _start_valkey(self, local: LocalServices) -> None:
        server, port = local.valkey, self.ports.valkey
        server.prepare(port)
        process = self.supervisor.start(
            Program("valkey", tuple(server.command()), cwd=server.folder, stage=0, echo=False)
        )
        server.wait(port, process, pause=self.supervisor.pump)

    def _variables(self, services: Services) -> dict[str, str]:
        variables = environment.application(self.data, self.ports, services)
        if not self.devstore:
            for name in ("SHOPIFY_CONNECT_TO", "SHOPIFY_ADMIN_ORIGIN", "SHOPIFY_APP_BRIDGE_URL", "SMTP_URL"):
                if not os.environ.get(name):
                    del variables[name]
            variables["APP_URL"] = os.environ.get("HOST", self.ports.app_url)
            variables["HOST"] = "127.0.0.1"
        return variables

    def _migrate(self, variables: dict[str, str]) -> None:
        command = (sys.executable, "-m", "app.cli", "migrate")
        code = self.supervisor.run(Program("migrate", command, variables, REPOSITORY))
        if code != 0:
            line = self.supervisor.last_line("migrate")
            raise Refused(f"The database could not be migrated: {line}")

    def _programs(self, variables: dict[str, str]) -> list[Program]:
        web = {**variables, "WEB_GRACEFUL_SECONDS": "3", "PORT": str(self.ports.app)}
        gunicorn = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{self.ports.app}")
        commands: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            "web": ((*gunicorn, "wsgi:app"), web),
            **{f"drain-{n}": (("-m", "app.worker", "drain"), variables) for n in range(1, _DRAINS + 1)},
            "jobs": (("-m", "app.worker", "jobs", "default"), variables),
            "slow-jobs": (("-m", "app.worker", "jobs", "slow"), variables),
            "cron": (("-m", "app.worker", "cron"), variables),
        }
        if self.devstore:
            commands = {"devstore": (("-m", "devstore"), self._devstore_variables(variables)), **commands}
        return [
            Program(name, (sys.executable, *arguments), variables, REPOSITORY)
            for name, (arguments, variables) in commands.items()
        ]

    def _devstore_variables(self, variables: dict[str, str]) -> dict[str, str]:
        return {
            **environment.inherited(),
            "PYTHONUNBUFFERED": "1",
            "DEVSTORE_PORT": str(self.ports.devstore),
            "DEVSTORE_SMTP_PORT": str(self.ports.smtp),
            "DEVSTORE_DATA": str(self.data.devstore),
            "DEVSTORE_APP_URL": variables["APP_URL"],
            "DEVSTORE_API_KEY": variables["SHOPIFY_API_KEY"],
            "DEVSTORE_API_SECRET": variables["SHOPIFY_API_SECRET"],
            "DEVSTORE_APP_CONFIG": str(REPOSITORY / "shopify.app.toml"),
        }

    def _wait(self, what: str, address: str) -> None:
        until = time.monotonic() + _READY_SECONDS
        told = "no answer"
        while time.monotonic() < until:
            self.supervisor.pump(0.1)
            told = _state(address)
            if not told:
                return
        raise Refused(f"{what.capitalize()} is not ready after {_READY_SECONDS} s: {told} at {address}.")


def _state(address: str) -> str:
    """Empty when the address answers 200, else what it says."""
    try:
        answer = httpx.get(address, timeout=3, trust_env=False)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"
