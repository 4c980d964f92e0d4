"""The machine's own Chromium for browser tests: found, or installed by the distribution, never downloaded."""

import os
import shutil
import subprocess
import sys

from dev.failure import Refused

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ADVICE = "the browser tests need Chromium; install it (Debian, as root: apt-get install chromium) or set CHROMIUM_PATH."


def ensure_chromium() -> str:
    """The path of a Chromium, installed with apt when it is missing and we may. Raises Refused."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        if not os.access(chosen, os.X_OK):
            raise Refused(f"CHROMIUM_PATH is {chosen}, which cannot be run.")
        return chosen
    found = _find()
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Refused(f"No browser found: {_ADVICE}")
    print("dev.sh: installing the system package chromium", file=sys.stderr, flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    ):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
    found = _find()
    if not found:
        lines = done.stderr.strip().splitlines()
        raise Refused(f"Chromium could not be installed ({lines[-1] if lines else 'no output'}): {_ADVICE}")
    return found


def _find() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)
