"""`lock`: compiles requirements/*.in into pinned and hashed requirements/*.txt that name no package index."""

import argparse
import os
import re
import subprocess
import sys

from dev.data import REPOSITORY
from dev.environment import inherited
from dev.failure import Refused

_FOLDER = REPOSITORY / "requirements"
_HEADER = "# Made by `./dev.sh lock` from {name}.in; do not edit.\n"
_ADDRESS = re.compile(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host")
_OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--resolver=backtracking",
)


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the verb."""
    verb = verbs.add_parser("lock", help="pin and hash the requirements after a change of requirements/*.in")
    verb.add_argument("--upgrade", action="store_true", help="take the newest versions, not the pinned ones")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compile both files. Raises Refused with the reason when a set of versions cannot be found."""
    more = ["--upgrade"] if options.upgrade else []
    _compile("runtime", more)
    _compile("dev", ["--constraint", "runtime.txt", *more])
    return 0


def _compile(name: str, more: list[str]) -> None:
    target = _FOLDER / f"{name}.txt"
    draft = _FOLDER / f".{name}.{os.getpid()}.txt"
    if target.exists():
        draft.write_bytes(target.read_bytes())
    command = [sys.executable, "-m", "piptools", "compile", *_OPTIONS, *more, "-o", draft.name, f"{name}.in"]
    try:
        done = subprocess.run(
            command, cwd=_FOLDER, env=inherited(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            raise Refused(f"{name}.in could not be locked: {lines[-1] if lines else 'no output'}")
        text = _HEADER.format(name=name) + draft.read_text().removeprefix(_HEADER.format(name=name))
        if _ADDRESS.search(text):
            raise Refused(f"{name}.txt would name a package index; it was not written.")
        target.write_text(text)
    finally:
        draft.unlink(missing_ok=True)
