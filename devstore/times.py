"""Time as the dev store keeps it (UTC, ISO text with Z) and as REST payloads show it (in the shop's zone)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime | None = None) -> str:
    """ISO text of a moment (default now) to the second, such as `2026-11-21T04:00:00Z`."""
    return (moment or now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> datetime:
    """An aware moment from ISO text; text without an offset is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def local(text: str | None, zone: str) -> str | None:
    """Stored ISO text as REST payloads write it: `2026-11-20T23:00:00-05:00`."""
    return parse(text).astimezone(ZoneInfo(zone)).isoformat() if text else None
