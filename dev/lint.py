"""`lint`: everything that reads the code without running the product."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dev.data import REPOSITORY
from dev.environment import inherited


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    verbs.add_parser("lint", help="ruff, mypy, import rules, templates").set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Run every check; the exit code is 1 when one of them complains."""
    return 1 if lint() else 0


def lint() -> list[str]:
    """Run every check, print what each one says, and return the names of those that failed."""
    failed = []
    for name, command in checks():
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=REPOSITORY, env=inherited(), capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - began
        print(f"{'ok' if done.returncode == 0 else 'FAILED':<7}{name} ({seconds:.1f} s)", flush=True)
        if done.returncode != 0:
            failed.append(name)
            print((done.stdout + done.stderr).rstrip(), flush=True)
    return failed


def checks() -> Iterator[tuple[str, list[str]]]:
    """Names and commands of the checks that apply to this tree."""
    tools = Path(sys.executable).parent
    yield "ruff check", [str(tools / "ruff"), "check", "--quiet", "."]
    yield "ruff format", [str(tools / "ruff"), "format", "--check", "."]
    yield "mypy", [sys.executable, "-m", "mypy"]
    if (REPOSITORY / ".importlinter").exists():
        yield "import rules", [str(tools / "lint-imports")]
    if any((REPOSITORY / "templates").rglob("*.html")):
        yield "templates", [str(tools / "djlint"), "templates", "--lint", "--quiet"]
