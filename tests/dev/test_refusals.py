import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from dev import ports
from dev.data import DataFolder
from dev.failure import Refused
from dev.postgres import PostgresServer
from tests.dev.running import dev, free_port_block


def one_line(text: str) -> str:
    assert "Traceback" not in text
    assert text.count("\n") == 1, text
    return text


@pytest.mark.parametrize(("step", "purpose"), [(0, "app"), (1, "dev store"), (2, "database"), (3, "queue")])
def test_a_taken_port_is_named_with_its_purpose_and_nothing_is_started(tmp_path, step, purpose):
    first = free_port_block()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first + step))
        taken.listen()
        done = dev("up", "--port", str(first), "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert f"Port {first + step}" in line and purpose in line
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = dev("up", "--data", str(tmp_path / "file" / "data"))
    assert done.returncode == 1
    assert str(tmp_path / "file" / "data") in one_line(done.stderr)


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(100 * 2**20, 99 * 2**20, 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(Refused, match=r"disk .* is full: 1 MB are free"):
        DataFolder(tmp_path / "data").prepare()


def test_a_disk_that_fills_up_later_is_told_from_the_log(tmp_path):
    log = tmp_path / "postgres.log"
    log.write_text('FATAL:  could not write lock file "postmaster.pid": No space left on device\n')
    told = PostgresServer(tmp_path / "postgres", log, "secret").explain()
    assert told == "PostgreSQL did not start: the disk is full."


def test_an_address_that_is_no_port_is_refused():
    with pytest.raises(Refused, match="not between"):
        ports.require_free({"app": 70000})


def test_a_verb_without_a_running_installation_says_how_to_start_one(tmp_path):
    done = dev("seed", "--data", str(tmp_path))
    assert done.returncode == 1
    assert "./dev.sh up" in one_line(done.stderr)


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path):
    port = free_port_block()
    url = f"postgresql://somebody:secret@127.0.0.1:{port}/shop"
    done = dev("migrate", "--data", str(tmp_path), DATABASE_URL=url)
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert "DATABASE_URL" in line and "secret" not in line
