"""One installation from its first start to its second: what a person and a program see of it."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from tests.dev.running import alive, dev, eventually, family, free_port_block, start

pytestmark = pytest.mark.slow

_KEYS = {
    *("app", "admin", "storefront", "mailbox", "devstore", "shop", "api_key", "api_secret"),
    *("database_url", "database_owner_url", "redis_url", "admin_sign_in", "storefront_sign_in"),
}


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"
    folder: Path
    output: Path

    @property
    def addresses(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "addresses.json").read_text())
        return found


def begin(folder: Path, port: int, output: Path) -> Running:
    process = start("-m", "dev", "up", "--port", str(port), "--data", str(folder), output=output)
    shown = eventually(lambda: "Ctrl-C stops" in output.read_text() or process.poll() is not None, 60)
    assert shown and process.poll() is None, output.read_text()
    return Running(process, folder, output)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[Path, int]:
    return tmp_path_factory.mktemp("up"), free_port_block()


@pytest.fixture(scope="module")
def up(place) -> Iterator[Running]:
    folder, port = place
    running = begin(folder / "data", port, folder / "first")
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(20)


def test_the_addresses_are_complete_and_answer(up):
    known = up.addresses
    assert set(known) == _KEYS and all(known.values())
    assert (up.folder / "addresses.json").stat().st_mode & 0o777 == 0o600
    for address in (
        known["app"] + "/healthz",
        known["app"] + "/readyz",
        known["storefront"],
        known["mailbox"],
    ):
        assert httpx.get(address, timeout=10, trust_env=False).status_code == 200, address
    with psycopg.connect(known["database_url"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("loyalnest_app",)


def test_the_table_names_every_address_and_how_to_sign_in(up):
    text = up.output.read_text()
    for key in ("admin", "storefront", "app", "mailbox"):
        assert up.addresses[key] in text
    assert "Maya" in text and "Noura" in text


def test_the_demo_shop_is_installed_and_a_key_is_printed_alone(up):
    shop = up.addresses["shop"]
    done = dev("cli", "api-key", "create", "--shop", shop, "--scopes", "all", LOYALNEST_DATA=str(up.folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("lnk_") and done.stdout.count("\n") == 1


def keys_in(up: Running) -> list[tuple[object, ...]]:
    with psycopg.connect(up.addresses["database_owner_url"]) as connection:
        return connection.execute("SELECT fingerprint FROM api_key_directory ORDER BY 1").fetchall()


def named(up: Running, word: str) -> list[psutil.Process]:
    return [one for one in family(up.process.pid) if any(word in line.split() for line in alive([one]))]


def test_a_second_up_on_the_same_data_says_that_one_runs(up):
    done = dev("up", "--data", str(up.folder))
    assert done.returncode == 1 and "already runs" in done.stderr and done.stderr.count("\n") == 1


def test_a_worker_that_is_killed_comes_back(up):
    before = named(up, "drain")[0]
    before.kill()
    assert eventually(lambda: len({one.pid for one in named(up, "drain")} - {before.pid}) == 2, 15)
    assert re.search(r"drain-\d ended with code -9", up.output.read_text())


def test_sigterm_leaves_nothing_and_the_next_start_finds_everything(up, place):
    members, known, before = family(up.process.pid), up.addresses, keys_in(up)
    assert len(members) >= 9
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(15) == 0
    assert not alive(members)
    folder, port = place
    again = begin(folder / "data", port, folder / "second")
    try:
        assert again.addresses == known
        with psycopg.connect(again.addresses["database_owner_url"]) as connection:
            found = connection.execute("SELECT domain FROM shop_directory").fetchall()
        assert found == [(again.addresses["shop"],)]
        assert keys_in(again) == before
    finally:
        members = family(again.process.pid)
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(15) == 0
        assert not alive(members)
