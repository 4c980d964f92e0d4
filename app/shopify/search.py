"""Search filters of the Admin API, with what people typed quoted so that it stays a value."""

import re
from datetime import UTC, datetime, timedelta


def quoted(text: str) -> str:
    """A value inside single quotes; quotes and backslashes in it are escaped, control characters become spaces."""
    cleaned = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    return "'" + cleaned.replace("\\", "\\\\").replace("'", "\\'") + "'"


def updated_since(instant: datetime, *, overlap: timedelta = timedelta(minutes=10)) -> str:
    """Rows changed at or after `instant` minus an overlap, because the search index lags behind the rows."""
    return f"updated_at:>={quoted((instant - overlap).astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ'))}"


def words(text: str, *, field: str | None = None) -> str | None:
    """Each word of what a person typed as a prefix match, all required; None when nothing is left to look for."""
    prefix = f"{field}:" if field else ""
    found = [word for word in re.split(r"[^\w]+", text.lower()) if word]
    return " AND ".join(f"{prefix}{word}*" for word in found) or None
