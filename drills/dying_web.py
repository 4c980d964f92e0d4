"""The application with one fault for F7: a web process dies after it stored a webhook and before it rings the bell."""

import os
import signal
from pathlib import Path

from app.core import bell
from app.factory import create_app

app = create_app()
_ring_soon = bell.ring_soon


def _die_when_told(name: str) -> None:
    """Die when the file is there, which is used up by that; else ring."""
    try:
        Path(os.environ["DRILL_DIE"]).unlink()
    except FileNotFoundError:
        _ring_soon(name)
        return
    os.kill(os.getpid(), signal.SIGKILL)


bell.ring_soon = _die_when_told
