import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.dev.running import alive, eventually, family, start


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", list[psutil.Process]]]:
    process = start("-m", "tests.dev.stand_in", str(tmp_path), output=tmp_path / "output")
    assert eventually(lambda: "parent is up" in (tmp_path / "output").read_text())
    assert eventually(lambda: "in 1 s" in (tmp_path / "output").read_text())
    members = family(process.pid)
    yield process, members
    for member in members:
        if alive([member]):
            member.kill()
    process.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_also_a_stubborn_grandchild(supervised, number, tmp_path):
    process, members = supervised
    assert len(members) >= 3
    process.send_signal(number)
    assert process.wait(10) == 0
    assert eventually(lambda: not alive(members), 3), alive(members)


def test_children_end_when_the_supervisor_is_killed(supervised):
    process, members = supervised
    direct = [member for member in members[1:] if member.ppid() == process.pid]
    process.kill()
    process.wait(5)
    assert eventually(lambda: not alive(direct), 5), alive(direct)


def test_a_program_that_ends_is_started_again_with_growing_pauses_and_says_so(supervised, tmp_path):
    output = (tmp_path / "output").read_text()
    assert "brief ended with code 3; it is started again in 0.5 s" in output
    assert "brief ended with code 3; it is started again in 1 s" in output
    assert "brief    | brief says hello" in output
    assert (tmp_path / "brief.log").read_text().count("brief says hello") >= 2
