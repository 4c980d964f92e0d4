"""Faults as a caller sees them on the wire."""

import random
import socket
import struct
import time

from flask import Response, jsonify, request

from devstore.faults import Fault

_HANG_SECONDS = 60.0


def strike_http(fault: Fault, *, after: bool = False) -> Response | None:
    """Act a fault out before the request is served (or `after` it): an answer, a pause, or a connection cut off.

    None means that the request goes on.
    """
    if fault.kind == "429":
        answer = jsonify(
            errors="Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."
        )
        answer.status_code = 429
        answer.headers["Retry-After"] = f"{fault.delay:.1f}"
        return answer
    if fault.kind == "5xx":
        return Response(
            "Internal Server Error", status=random.choice((500, 502, 503)), content_type="text/plain"
        )
    if fault.kind == "slow":
        time.sleep(fault.delay)
    if fault.kind == "hang":
        time.sleep(max(fault.delay, _HANG_SECONDS))
        cut()
    if fault.kind == "reset" or (fault.kind == "reset_after_send" and after):
        cut()
    return None


def cut() -> None:
    """Reset the caller's connection; whatever the view returns afterwards reaches nobody."""
    found = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
    if isinstance(found, socket.socket):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        found.shutdown(socket.SHUT_RDWR)
