"""The import contracts: kept by the code, and broken by a sample of every breach they are for."""

import re
import sys
import textwrap
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from scripts import import_contracts
from scripts.import_contracts import ROOT, TARGET, Unlisted, contracts

_numbers = count(1)

CONFORMING = {
    "core/__init__.py": "",
    "core/clock.py": "",
    "core/db.py": "import sqlalchemy",
    "core/http.py": "import httpx",
    "core/mail.py": "import smtplib",
    "web/__init__.py": "import flask\nfrom {root}.core import db",
    "shopify/__init__.py": "from {root}.core import http",
    "factory.py": "import {root}.domains.shops.api\nimport {root}.web",
    "worker.py": "import {root}.factory",
    "domains/__init__.py": "",
    "domains/shops/__init__.py": "",
    "domains/shops/api.py": "from {root}.domains.shops import service\nfrom {root} import web",
    "domains/shops/service.py": "from {root}.domains.shops import queries, schemas\nfrom {root} import shopify",
    "domains/shops/queries.py": "from {root}.core import db",
    "domains/shops/schemas.py": "",
    "domains/members/__init__.py": "",
    "domains/members/rules.py": "from {root}.domains.members import schemas",
    "domains/members/schemas.py": "",
    "domains/members/service/people.py": "from {root}.domains.shops import service\nfrom {root}.domains.members import rules",
    "domains/members/handlers.py": "from {root}.domains.members import service",
    "domains/members/jobs.py": "from {root}.domains.members import service",
    "domains/members/tabs.py": "from {root}.domains.members import service\nfrom {root} import web",
    "domains/programs/__init__.py": "",
    "domains/programs/models.py": "from {root}.core import db",
    "domains/programs/events.py": "",
}

BREACHES = {
    "the kernel imports a domain": ("core/clock.py", "import {root}.domains.shops.service"),
    "the platform adapter imports a domain": ("shopify/__init__.py", "import {root}.domains.members.schemas"),
    "the web ring imports the platform adapter": ("web/__init__.py", "import {root}.shopify"),
    "a domain imports the wiring": ("domains/shops/service.py", "import {root}.factory"),
    "an unlisted module beside the rings": ("helpers.py", ""),
    "a domain imports upward": ("domains/shops/service.py", "from {root}.domains.members import service"),
    "a domain imports an event from above": (
        "domains/members/handlers.py",
        "from {root}.domains.points import events",
    ),
    "siblings import each other": (
        "domains/members/service/people.py",
        "from {root}.domains.programs import events",
    ),
    "another domain's queries": (
        "domains/members/service/people.py",
        "from {root}.domains.shops import queries",
    ),
    "another domain's face": ("domains/members/tabs.py", "from {root}.domains.shops import api"),
    "a face imports another face": ("domains/shops/tabs.py", "from {root}.domains.shops import api"),
    "queries import the service": ("domains/shops/queries.py", "from {root}.domains.shops import service"),
    "jobs import handlers": ("domains/members/jobs.py", "from {root}.domains.members import handlers"),
    "Flask in a service": ("domains/shops/service.py", "import flask"),
    "the web ring in a service": ("domains/shops/service.py", "import {root}.web"),
    "Flask in a service by a detour": ("domains/members/schemas.py", "import flask"),
    "Flask in jobs": ("domains/members/jobs.py", "from flask import g"),
    "Flask in the kernel": ("core/db.py", "import flask"),
    "the database in rules": ("domains/members/rules.py", "import sqlalchemy"),
    "the clock in rules": ("domains/members/rules.py", "from {root}.core import clock"),
    "the database in rules by a detour": (
        "domains/members/schemas.py",
        "from {root}.core.db import sqlalchemy",
    ),
    "HTTP past the kernel": ("domains/shops/service.py", "import httpx"),
    "mail past the kernel": ("domains/members/jobs.py", "import smtplib"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path; the linter remembers nothing between packages of different names."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("sample_")]:
        del sys.modules[name]


def package(place: Path, *changes: tuple[str, str]) -> Path:
    """The conforming package with lines added to its files."""
    root = place / f"sample_{next(_numbers)}"
    files = dict(CONFORMING) | {"__init__.py": ""}
    for name, line in changes:
        files[name] = files.get(name, "") + "\n" + line
        folder = Path(name).parent
        files.setdefault(str(folder / "__init__.py"), "")
    if any("domains.points" in line for _, line in changes):
        files |= {"domains/points/__init__.py": "", "domains/points/events.py": ""}
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text.format(root=root.name)) + "\n")
    return root


def kept(root: Path) -> bool:
    """Whether a package keeps the contracts made for it."""
    config = root.parent / ".importlinter"
    config.write_text(contracts(root))
    return lint_imports(config_filename=str(config), no_cache=True) == 0


def test_the_conforming_sample_keeps_every_contract(place: Path) -> None:
    assert kept(package(place))


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_noticed(place: Path, breach: str) -> None:
    assert not kept(package(place, BREACHES[breach]))


@pytest.mark.parametrize(
    "name", ["domains/gifts/service.py", "domains/shops/helpers.py", "domains/shops/utils/__init__.py"]
)
def test_what_the_architecture_does_not_name_is_refused(place: Path, name: str) -> None:
    with pytest.raises(Unlisted):
        contracts(package(place, (name, "")))


def test_the_code_keeps_every_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(TARGET), no_cache=True) == 0


def test_the_contracts_are_those_of_the_tree() -> None:
    assert TARGET.read_text() == contracts(ROOT / "app"), "run python scripts/import_contracts.py --write"


def test_every_domain_is_said_in_the_order_of_the_documents() -> None:
    listed = [name for line in import_contracts.ORDER for name in line]
    assert len(listed) == len(set(listed))
    assert re.fullmatch(r"[a-z ]+", " ".join(listed))
