"""The crash drills in their short form; `./dev.sh drill` runs them at length."""

import pytest

from drills.__main__ import DRILLS, main
from drills.outcome import Outcome, Scale

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("name", list(DRILLS))
@pytest.mark.usefixtures("clean_database")
def test_every_law_holds_after(name: str) -> None:
    outcome = DRILLS[name](Scale(short=True, seed=20261121))
    assert outcome.broken == [], outcome.line(name)


def test_a_drill_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["F99"]) == 2
    assert ", ".join(DRILLS) in capsys.readouterr().err


def test_a_broken_law_fails_the_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(scale: Scale) -> Outcome:
        outcome = Outcome("nothing", {"rows": 1_000})
        outcome.expect(False, f"seed {scale.seed}")
        return outcome

    monkeypatch.setitem(DRILLS, "F1", breaks)
    assert main(["--seed", "7", "F1"]) == 1
    assert "F1 nothing: rows 1,000: BROKEN: seed 7" in capsys.readouterr().out
