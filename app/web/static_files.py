"""Addresses of static files that carry their content's mark, and how long browsers may keep what comes from them."""

import hashlib
import os
import time
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

FOLDER, PREFIX = str(Path(__file__).parents[2] / "static"), "/static"


def static_url(path: str) -> str:
    """The address of a static file, with its content's mark so that browsers may keep it for a year."""
    return _lately(path, int(time.monotonic()))


@lru_cache(maxsize=512)
def _lately(path: str, _: int) -> str:
    """The address as it was within this second: a page asks for the icons sixty times."""
    return _address(path)


def _address(path: str) -> str:
    file = f"{FOLDER}/{path}"
    try:
        mark = _mark(file, os.stat(file).st_mtime_ns)  # noqa: PTH116 - half the cost of a Path's
    except OSError:
        return f"{PREFIX}/{path}"
    return f"{PREFIX}/{path}?v={mark}"


@lru_cache(maxsize=512)
def _mark(file: str, changed: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]


def init_static_files(app: Flask) -> None:
    """Make static files cacheable under the address that names their content."""

    @app.after_request
    def keep_static(response: Response) -> Response:
        if (
            request.endpoint == "static"
            and response.status_code in (200, 304)
            and _is_marked(request.full_path)
        ):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _is_marked(address: str) -> bool:
    """Whether an address names the content that is here now; a server of another release must not be believed for a year."""
    path = address.partition("?")[0].removeprefix(f"{PREFIX}/")
    return path.startswith("vendor/") or _address(path) == address
