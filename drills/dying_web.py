"""The application with faults for F7 and F15: a web process dies after it stored a webhook and before it rings the bell,
or when its answer is ready and not yet sent."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core import bell
from app.factory import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_application = create_app()
_ring_soon = bell.ring_soon


def _die_when_told(variable: str) -> None:
    """Die when the file that the variable names is there; the file is used up by that."""
    path = os.environ.get(variable)
    if path is None:
        return
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _ring(name: str) -> None:
    _die_when_told("DRILL_DIE")
    _ring_soon(name)


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Compute the whole answer first; everything is committed then."""
    told: list[Any] = []

    def remember(*answer: Any) -> Any:
        told.append(answer)
        return lambda _: None

    body = b"".join(_application(environ, remember))
    _die_when_told("DRILL_CUT")
    start_response(*told[-1])
    return [body]


bell.ring_soon = _ring
