"""`test`: the whole suite with what it needs. `bench` and `drill`: their packages on throw-away services."""

import argparse
import sys

from dev import environment, processes
from dev.browser import ensure_chromium
from dev.data import REPOSITORY, DataFolder
from dev.environment import Ports
from dev.failure import Refused
from dev.lint import lint
from dev.roles import ensure_database
from dev.services import Services, throw_away
from dev.testbed import migrate
from dev.translations import compile_catalogs

_PACKAGES = {"bench": "benchmarks", "drill": "drills"}


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verbs."""
    abouts = {
        "test": "lint, then the whole suite; arguments go to pytest",
        "bench": "measure speed as ratios; arguments are names of cases",
        "drill": "break things on purpose; arguments are names of drills",
    }
    for name, about in abouts.items():
        verb = verbs.add_parser(name, help=about, add_help=False)
        verb.set_defaults(run=run_tests if name == "test" else run_package, passes_on=True)


def run_tests(options: argparse.Namespace) -> int:
    """Lint and run pytest on two processes; pytest's own last line is the last line. The exit code is honest."""
    compile_catalogs()
    chromium = ensure_chromium()
    failed = lint()
    if failed:
        print(f"lint failed: {', '.join(failed)}", flush=True)
    with processes.left_clean(), throw_away() as services:
        variables = {
            **environment.inherited(),
            "TEST_DATABASE_ADMIN_URL": services.admin_url,
            "TEST_REDIS_URL": services.redis_url,
            "TEST_OWNER_PASSWORD": services.secrets["owner_password"],
            "TEST_APP_PASSWORD": services.secrets["app_password"],
            "CHROMIUM_PATH": chromium,
        }
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *options.rest]
        code = processes.run_in_foreground(command, env=variables, cwd=REPOSITORY)
    return code or (1 if failed else 0)


def run_package(options: argparse.Namespace) -> int:
    """Run the package on durable throw-away services with a migrated database, and pass its exit code on."""
    package = _PACKAGES[options.verb]
    if not (REPOSITORY / package / "__main__.py").exists():
        raise Refused(f"There is no package {package} to run.")
    compile_catalogs()
    with processes.left_clean(), throw_away(durable=True) as services:
        database = ensure_database(services.admin_url, services.secrets)
        data = DataFolder(services.folder)
        variables = environment.application(data, Ports(), Services(database, services.redis_url))
        variables["LOYALNEST_DATA"] = str(services.folder)
        # Nobody takes mail there: a message counts as delivered, and the outbox can come to rest.
        variables["SMTP_URL"] = ""
        migrate(variables)
        command = [sys.executable, "-m", package, *options.rest]
        return processes.run_in_foreground(command, env=variables, cwd=REPOSITORY)
