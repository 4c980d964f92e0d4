"""The data folder: where a local installation keeps its databases, logs, secrets and addresses."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dev.failure import Refused

REPOSITORY = Path(__file__).resolve().parents[1]
_NEEDED_MEGABYTES = 300


def resolve(chosen: str | None) -> "DataFolder":
    """The folder named on the command line, else by LOYALNEST_DATA, else `.data` in the repository."""
    named = chosen or os.environ.get("LOYALNEST_DATA") or str(REPOSITORY / ".data")
    return DataFolder(Path(named).expanduser().absolute())


@dataclass(frozen=True)
class DataFolder:
    """One local installation. Nothing is created before `prepare`."""

    path: Path

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def devstore(self) -> Path:
        return self.path / "devstore"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def addresses(self) -> Path:
        return self.path / "addresses.json"

    @property
    def secrets_file(self) -> Path:
        return self.path / "secrets.json"

    def prepare(self) -> None:
        """Make the folders. Raises Refused when they cannot be written or the disk is nearly full."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.devstore):
                folder.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path) as probe:
                probe.write(b"\0" * 4096)
                probe.flush()
        except OSError as error:
            raise Refused(f"The data folder {self.path} cannot be written: {error.strerror}.") from error
        free = shutil.disk_usage(self.path).free // 2**20
        if free < _NEEDED_MEGABYTES:
            raise Refused(
                f"The disk of {self.path} is full: {free} MB are free, {_NEEDED_MEGABYTES} MB are needed."
            )

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Keys and passwords of this installation, made at first use and kept in a file only its owner reads."""
        with self.locked("secrets"):
            path = self.secrets_file
            kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
            missing = {name: value for name, value in _new_secrets().items() if name not in kept}
            if missing:
                kept.update(missing)
                write_private(path, json.dumps(kept, indent=2) + "\n")
            return kept

    @contextlib.contextmanager
    def locked(self, name: str, *, shared: bool = False) -> Iterator[None]:
        """Hold the folder's lock `name`, waiting for whoever has it; the lock ends with the process."""
        with open(self.path / f".{name}.lock", "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def locked_now(self, name: str) -> Iterator[bool]:
        """Like `locked`, without waiting: yields whether the lock was free."""
        with open(self.path / f".{name}.lock", "a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR), "w"
    ) as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    draft.replace(path)


def _new_secrets() -> dict[str, str]:
    return {
        "master_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "shopify_api_key": secrets.token_hex(16),
        "shopify_api_secret": "shpss_" + secrets.token_hex(16),
        "superuser_password": secrets.token_urlsafe(24),
        "owner_password": secrets.token_urlsafe(24),
        "app_password": secrets.token_urlsafe(24),
        "valkey_password": secrets.token_urlsafe(24),
    }
