"""Liveness and readiness for whoever runs the processes."""

import logging
from collections.abc import Callable

import orjson
import redis
from flask import Flask, Response, g

from app.core import db, migrations
from app.core.settings import Settings
from app.web.envelope import json_response

log = logging.getLogger(__name__)


class NotReady(Exception):
    """A part works but is not in the state this release needs."""


def _database() -> None:
    with db.cross_shop("readiness") as uow:
        uow.scalar("SELECT 1")


def _migrations() -> None:
    with db.cross_shop("readiness") as uow:
        applied = migrations.applied(uow)
    if applied != migrations.head():
        raise NotReady(f"the database is at {applied or 'nothing'}, this release needs {migrations.head()}")


def init_health(app: Flask, settings: Settings) -> None:
    """Add /healthz (the process answers) and /readyz (its database, queue and schema answer)."""
    queue = redis.Redis.from_url(settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)

    def ping() -> None:
        queue.ping()

    checks: dict[str, Callable[[], None]] = {"database": _database, "queue": ping, "migrations": _migrations}

    @app.get("/healthz", endpoint="health.alive")
    def alive() -> Response:
        g.json_face = True
        return json_response(b'{"status":"ok"}')

    @app.get("/readyz", endpoint="health.ready")
    def ready() -> Response:
        g.json_face = True
        parts = {name: _state(name, check) for name, check in checks.items()}
        failing = [name for name, state in parts.items() if state != "ok"]
        body = {"status": "failing" if failing else "ok", "failing": failing, "parts": parts}
        return json_response(orjson.dumps(body), 503 if failing else 200)


def _state(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - whatever a part fails with, it is not ready
        log.warning(
            "readiness of %s: %s", name, error if isinstance(error, NotReady) else type(error).__name__
        )
        return "failing"
    return "ok"
