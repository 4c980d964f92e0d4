"""Pure decisions of notifications: which tier was reached, how a message is told apart."""

from collections.abc import Sequence
from uuid import UUID

from app.domains.tiers.schemas import Level


def reached(ladder: Sequence[Level], before: int, after: int) -> Level | None:
    """The tier that a rise from `before` to `after` qualifying points leads to; None when it is the same one."""
    start, end = _level(ladder, before), _level(ladder, after)
    return end if end is not None and after > before and end != start else None


def _level(ladder: Sequence[Level], qualifying: int) -> Level | None:
    held = [level for level in ladder if level.threshold_points <= qualifying]
    return max(held, key=lambda level: level.threshold_points, default=None)


def message_id(message: UUID, shop_domain: str) -> str:
    """The Message-ID header: the same for every attempt, so that a repeat can be recognized."""
    return f"<{message}@{shop_domain}>"
