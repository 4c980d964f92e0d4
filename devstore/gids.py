"""Global ids such as `gid://shopify/Order/123`."""

import re

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/(\d+)")


def gid(kind: str, id: int) -> str:
    """The global id of a thing."""
    return f"gid://shopify/{kind}/{id}"


def split(text: object) -> tuple[str, int] | None:
    """(kind, number) of a global id; None when it is none."""
    found = _GID.fullmatch(text) if isinstance(text, str) else None
    return (found[1], int(found[2])) if found else None


def number(text: object, kind: str) -> int | None:
    """The number of a global id of this kind; None for anything else."""
    parts = split(text)
    return parts[1] if parts and parts[0] == kind else None
