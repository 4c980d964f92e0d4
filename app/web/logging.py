"""Structured logs: one JSON object a line, with the request's id, without query strings, bodies, tokens or people."""

import logging
import re
import sys
import traceback
from datetime import UTC, datetime

import orjson
from flask import Flask, Response, request

from app.web import current

_SECRETS = re.compile(
    r"(eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|lnk_\w+|shp(?:at|ss|ca|pa|rt)_\w+|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|(?<=id_token=)[^&\s]+|(?<=hmac=)[0-9a-f]+)"
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """The text without tokens, keys, signatures and mail addresses."""
    return _SECRETS.sub("[redacted]", text)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON; `extra` fields are kept, every text is redacted."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            "request_id": current.request_id(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = redact(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _trace(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _trace(error: BaseException) -> str:
    """Where it happened and its type, without the message: messages quote values."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename.rsplit('/app/')[-1]}:{frame.lineno}" for frame in reversed(frames))
    causes = error.__cause__ or error.__context__
    return f"{type(error).__name__} at {places}" + (f" caused by {_trace(causes)}" if causes else "")


def configure_logging(level: str) -> None:
    """Send every log record of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def init_request_log(app: Flask) -> None:
    """Number each request, answer with X-Request-Id and log one line when it is done."""
    log = logging.getLogger("app.web.request")

    @app.before_request
    def begin() -> None:
        current.begin()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = current.request_id()
        caller = current.principal()
        log.log(
            logging.WARNING if response.status_code >= 500 else logging.INFO,
            "request",
            extra={
                "method": request.method,
                "route": request.url_rule.rule if request.url_rule else "unmatched",
                "status": response.status_code,
                "milliseconds": round(current.seconds() * 1000, 1),
                "principal": caller.key if caller else None,
                "shop_id": caller.shop_id if caller else None,
            },
        )
        return response
