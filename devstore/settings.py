"""Settings of the dev store, read from the environment once at start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO_SHOP = "loyalnest-demo.myshopify.com"
API_VERSION = "2026-10"


@dataclass(frozen=True)
class Settings:
    """What the dev store was started with. `retry_speed` divides the waits between webhook attempts."""

    port: int
    smtp_port: int
    data: Path
    app_url: str
    api_key: str
    api_secret: str
    retry_speed: float
    app_config: Path
    schema: Path

    @property
    def origin(self) -> str:
        """The dev store's own address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from DEVSTORE_* variables; every one has a default that fits the development run.

    Raises ValueError naming the variable that cannot be read.
    """
    return Settings(
        port=_whole(environ, "DEVSTORE_PORT", 8401),
        smtp_port=_whole(environ, "DEVSTORE_SMTP_PORT", 8404),
        data=Path(environ.get("DEVSTORE_DATA") or ROOT / ".data" / "devstore"),
        app_url=(environ.get("DEVSTORE_APP_URL") or "http://127.0.0.1:8400").rstrip("/"),
        api_key=environ.get("DEVSTORE_API_KEY") or "devstore-api-key",
        api_secret=environ.get("DEVSTORE_API_SECRET") or "devstore-api-secret-for-this-machine-only",
        retry_speed=_speed(environ),
        app_config=Path(environ.get("DEVSTORE_APP_CONFIG") or ROOT / "shopify.app.toml"),
        schema=Path(
            environ.get("DEVSTORE_SCHEMA") or ROOT / "app" / "shopify" / "graphql" / "schema.graphql"
        ),
    )


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(environ.get(name) or default)
    except ValueError as error:
        raise ValueError(f"{name} must be a whole number") from error


def _speed(environ: Mapping[str, str]) -> float:
    name = "DEVSTORE_RETRY_SPEED"
    try:
        speed = float(environ.get(name) or 60)
    except ValueError as error:
        raise ValueError(f"{name} must be a number") from error
    if speed <= 0:
        raise ValueError(f"{name} must be above zero")
    return speed
