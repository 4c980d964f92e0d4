"""Makes the virtual environment and becomes `python -m dev` inside it. Needs Python 3.11 and nothing else."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".loyalnest-requirements"
REQUIREMENTS = REPOSITORY / "requirements" / "dev.txt"
_CAUSES = (
    ("No space left on device", "the disk is full"),
    (
        "Could not find a C compiler",
        "a compiler is missing; on Debian: apt-get install build-essential python3-dev",
    ),
    ("unable to execute", "a compiler is missing; on Debian: apt-get install build-essential python3-dev"),
    ("command 'gcc' failed", "a compiler is missing; on Debian: apt-get install build-essential python3-dev"),
    ("command 'cc' failed", "a compiler is missing; on Debian: apt-get install build-essential python3-dev"),
    ("THESE PACKAGES DO NOT MATCH THE HASHES", "a package differs from its recorded hash"),
    ("NewConnectionError", "the package index cannot be reached"),
    ("Temporary failure in name resolution", "the package index cannot be reached"),
    ("No matching distribution found", "a package is not available for this Python and machine"),
    ("Permission denied", "a file cannot be written"),
)


class Unready(Exception):
    """The environment cannot be made; the text is one line for the terminal."""


def fingerprint() -> str:
    """What the environment must match: the locked requirements and this Python."""
    return (
        f"{sys.version_info[0]}.{sys.version_info[1]} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"
    )


def is_ready(wanted: str) -> bool:
    """Whether the environment works and holds exactly the locked requirements."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text().strip() == wanted


def ensure() -> None:
    """Create or update the environment; one process at a time. Raises Unready."""
    wanted = fingerprint()
    if is_ready(wanted):
        return
    with open(REQUIREMENTS) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(wanted):
            return
        if not _works():
            _create()
        _install()
        STAMP.write_text(wanted + "\n")


def _works() -> bool:
    if not PYTHON.exists():
        return False
    check = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def _create() -> None:
    say("making the virtual environment")
    shutil.rmtree(VENV, ignore_errors=True)
    told = _make_venv()
    if told and os.geteuid() == 0 and shutil.which("apt-get"):
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        say(f"installing the system package {package}")
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", package]):
            subprocess.run(
                command,
                capture_output=True,
                check=False,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )
        told = _make_venv()
    if told:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Unready(told)


def _make_venv() -> str:
    python = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run([python, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    text = done.stdout + done.stderr
    for sign, cause in _CAUSES:
        if sign in text:
            return f"The virtual environment cannot be made in {VENV}: {cause}."
    if "ensurepip" in text or "No module named venv" in text:
        return "Python's venv module is missing; on Debian: apt-get install python3-venv"
    return f"The virtual environment cannot be made: {text.strip().splitlines()[-1] if text.strip() else 'no output'}"


def _install() -> None:
    log = VENV / "install.log"
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-input",
        "--progress-bar",
        "off",
        "-r",
        REQUIREMENTS,
    ]
    say("installing the packages (a few minutes the first time)")
    began = time.monotonic()
    with open(log, "w") as output:
        code = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, env=_pip_environment(), check=False
        ).returncode
    if code != 0:
        text = log.read_text(errors="replace")
        cause = next((cause for sign, cause in _CAUSES if sign in text), _last_error(text))
        raise Unready(f"The packages could not be installed: {cause} (all output: {log}).")
    say(f"packages installed in {time.monotonic() - began:.0f} s")


def _pip_environment() -> dict[str, str]:
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | quiet


def _last_error(text: str) -> str:
    errors = [line for line in text.splitlines() if line.strip().lower().startswith("error")]
    return (errors or text.strip().splitlines() or ["no output"])[-1].strip().removeprefix("ERROR: ")


def say(text: str) -> None:
    """A progress line; standard output belongs to the verb."""
    print(f"dev.sh: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Prepare, then become the verb: the process id stays, so signals reach it."""
    try:
        ensure()
    except Unready as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The virtual environment {VENV} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    os.environ.pop("PYTHONHOME", None)
    return os.execv(PYTHON, [str(PYTHON), "-m", "dev", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
