"""`python -m devstore`: the web server, the webhook senders and the mail sink in one process."""

import logging
import os
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from devstore import mail, runtime
from devstore.app import create_app
from devstore.settings import Settings, from_environment
from devstore.webhooks import Senders

_STOP_SECONDS = 2


class Server(BaseApplication):  # type: ignore[misc]
    """One worker with many threads; everything is started in the worker, where the threads live."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Serve on the loopback address only, quietly, and stop within two seconds."""
        chosen: dict[str, Any] = {
            "bind": f"127.0.0.1:{self._settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 32,
            "keepalive": 15,
            "timeout": 120,
            "graceful_timeout": _STOP_SECONDS,
            "loglevel": "warning",
            "proc_name": "devstore",
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Start the dev store and return its application."""
        store = runtime.start(self._settings)
        app = create_app(store)
        mail.start(store)
        Senders(store).start()
        print(f"dev store on {self._settings.origin}", flush=True)
        return app


def main() -> int:
    """Serve until SIGTERM or SIGINT. Returns 2 when the environment makes no sense."""
    logging.basicConfig(
        level=os.environ.get("LOG_LEVEL", "WARNING").upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    try:
        settings = from_environment()
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    Server(settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
