"""The running dev store: everything that the service functions need, passed as their first argument."""

import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from devstore import appconfig
from devstore.appconfig import AppConfig
from devstore.budget import Buckets
from devstore.faults import Faults
from devstore.settings import Settings
from devstore.state import State


@dataclass
class DevStore:
    """Settings, memory, the app's configuration, switched-on faults, and the bell that wakes webhook senders."""

    settings: Settings
    state: State
    app: AppConfig
    secret: str
    faults: Faults = field(default_factory=Faults)
    bell: threading.Event = field(default_factory=threading.Event)
    buckets: Buckets = field(default_factory=Buckets)


def start(settings: Settings) -> DevStore:
    """Open the memory under `settings.data` and read the app's configuration. Raises OSError, ValueError."""
    settings.data.mkdir(parents=True, exist_ok=True)
    state = State(settings.data / "devstore.sqlite3")
    return DevStore(
        settings,
        state,
        appconfig.load(settings.app_config),
        _secret(settings.data / "cookie.key"),
    )


def _secret(path: Path) -> str:
    """The key that signs customers' cookies, made once so that log-ins survive a restart."""
    if not path.exists():
        path.write_text(secrets.token_hex(32), encoding="ascii")
        path.chmod(0o600)
    return path.read_text(encoding="ascii")
