"""Verbs that run one of our programs inside an installation: cli, migrate, routes, shell, psql."""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from dev import environment
from dev.data import REPOSITORY, DataFolder, resolve
from dev.environment import Ports
from dev.postgres import binaries
from dev.services import LocalServices, Services

_SHELL = """
import code
from app.core import clock, db, ids
from app.core.db import cross_shop, unit_of_work
from app.factory import load_domains
load_domains()
names = dict(globals())
code.interact(banner="unit_of_work(shop_id), cross_shop(reason), db, ids, clock; Ctrl-D leaves", local=names, exitmsg="")
"""


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verbs."""
    abouts = {
        "cli": "run an operator command: python -m app.cli …",
        "migrate": "bring the schema to the newest version",
        "routes": "list endpoints, tabs, pages and actions with their permissions",
        "shell": "a Python prompt inside the installation",
        "psql": "the database's own prompt, as its owner",
    }
    for name, about in abouts.items():
        verb = verbs.add_parser(name, help=about, add_help=False)
        verb.set_defaults(run=run, passes_on=True)


def run(options: argparse.Namespace) -> int:
    """Run the program with the environment of the data folder; its output and exit code are passed on unchanged."""
    folder, rest = _without_data(options.rest)
    data = resolve(folder)
    data.prepare()
    with LocalServices(data).borrowed() as services:
        variables = environment.application(data, _ports(data), services)
        command = _command(options.verb, rest, services)
        return subprocess.run(command, cwd=REPOSITORY, env=variables, check=False).returncode


def _without_data(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """Take `--data DIR` out of arguments that belong to another program."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data")
    found, rest = parser.parse_known_args(list(arguments))
    return found.data, rest


def _command(verb: str, rest: list[str], services: Services) -> list[str]:
    python = [sys.executable, "-m", "app.cli"]
    match verb:
        case "shell":
            return [sys.executable, "-c", _SHELL, *rest]
        case "psql":
            return [str(binaries() / "psql"), services.database.owner, *rest]
        case "cli":
            return [*python, *rest]
        case _:
            return [*python, verb, *rest]


def _ports(data: DataFolder) -> Ports:
    """The ports of the installation that runs or last ran, so that addresses in output are right."""
    try:
        app = json.loads(data.addresses.read_text())["devstore"]
        return Ports(int(app.rsplit(":", 1)[1]) - 1)
    except (OSError, ValueError, KeyError, IndexError):
        return Ports(int(os.environ.get("PORT") or environment.DEFAULT_PORT))
