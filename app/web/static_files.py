"""Addresses of static files that carry their content's mark, and how long browsers may keep what comes from them."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request


def static_url(path: str) -> str:
    """The address of a static file, with its content's mark so that browsers may keep it for a year."""
    folder, prefix = current_app.extensions["static_files"]
    file = f"{folder}/{path}"
    try:
        mark = _mark(file, os.stat(file).st_mtime_ns)  # noqa: PTH116 - a page asks for sixty icons
    except OSError:
        return f"{prefix}/{path}"
    return f"{prefix}/{path}?v={mark}"


@lru_cache(maxsize=512)
def _mark(file: str, changed: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]


def init_static_files(app: Flask) -> None:
    """Make static files cacheable under the address that names their content."""
    app.extensions["static_files"] = (app.static_folder, app.static_url_path)

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
    path = address.partition("?")[0].removeprefix(f"{current_app.static_url_path}/")
    return path.startswith("vendor/") or static_url(path) == address
