"""Supervises two stand-ins: a process with a stubborn child of its own session, and one that ends by itself."""

import contextlib
import sys
from pathlib import Path

from dev.supervisor import Interrupted, Program, Supervisor

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
PARENT = (
    "import subprocess, sys, time\n"
    f"subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], start_new_session=True)\n"
    "print('parent is up', flush=True); time.sleep(600)"
)
BRIEF = "import sys; print('brief says hello', flush=True); sys.exit(3)"


def main(folder: Path) -> int:
    """Run until a signal."""
    supervisor = Supervisor(folder)
    supervisor.strict = False
    with supervisor.guard(), contextlib.suppress(Interrupted):
        supervisor.start(Program("parent", (sys.executable, "-c", PARENT), patience=2))
        supervisor.start(Program("brief", (sys.executable, "-c", BRIEF)))
        supervisor.pump(600)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
