"""Telling members what ends when: one message for all that ends on a day, and one more shortly before."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.notifications import queries
from app.domains.notifications.errors import StaleNotices
from app.domains.notifications.schemas import ExpiryNews, Kind, Notices, Wanted
from app.domains.notifications.service.queueing import queue
from app.domains.points import service as points
from app.domains.shops import service as shops

_SLICE = 1_000
After = tuple[UUID, datetime]


def notices(uow: UnitOfWork) -> Notices:
    """When members are told that points end."""
    return queries.notices(uow)


def save_notices(uow: UnitOfWork, wanted: Notices, *, version: int | None = None) -> None:
    """Change when members are told that points end; leaves an audit entry. `version` is what the change is based on.

    Raises Invalid when the last notice would come before the first, StaleNotices.
    """
    if wanted.last_days >= wanted.warn_days:
        raise Invalid(fields={"last_days": mark("The last notice must come after the first one.")})
    before = notices(uow)
    if version is not None and version != before.version:
        raise StaleNotices()
    values = {name: getattr(wanted, name) for name in ("enabled", "warn_days", "last_days")}
    was = {name: getattr(before, name) for name in values}
    if was == values:
        return
    uow.execute(
        "INSERT INTO expiry_notices (shop_id, enabled, warn_days, last_days, updated_at)"
        " VALUES (%(shop)s, %(enabled)s, %(warn_days)s, %(last_days)s, %(now)s) ON CONFLICT (shop_id) DO UPDATE SET"
        " enabled = excluded.enabled, warn_days = excluded.warn_days, last_days = excluded.last_days,"
        " version = expiry_notices.version + 1, updated_at = excluded.updated_at",
        values | {"shop": uow.shop, "now": uow.now},
    )
    compliance.record(uow, "notices.changed", ("shop", str(uow.shop)), was, values)


def warn_slice(uow: UnitOfWork, kind: Kind, after: After | None) -> After | None:
    """Queue "expiry_warning" or "last_chance" for the next members; returns where to go on, None at the end.

    The key is the member and the instant, so whoever was told is not told again.
    """
    asked = notices(uow)
    if not asked.enabled:
        return None
    last = timedelta(days=asked.last_days)
    first, end = (timedelta(), last) if kind == "last_chance" else (last, timedelta(days=asked.warn_days))
    found = points.endings(uow, first, end, after, _SLICE)
    queue(
        uow,
        kind,
        [
            Wanted(
                one.member_id, ending_key(one.member_id, one.ends_at), {"ends_at": one.ends_at.isoformat()}
            )
            for one in found
        ],
    )
    return (found[-1].member_id, found[-1].ends_at) if len(found) == _SLICE else None


def ending_key(member_id: UUID, ends_at: datetime) -> str:
    """What a notice about points that end is kept under."""
    return f"{member_id}:{ends_at.timestamp():.0f}"


def expiry_news(uow: UnitOfWork, member_id: UUID, ends_at: datetime, told: ExpiryNews) -> ExpiryNews | None:
    """`told` with what still ends at that instant; None when nothing does: it was spent, or its end has moved."""
    found = [one for one in points.endings_of(uow, member_id, limit=500) if one.ends_at == ends_at]
    if not found or not queries.notices(uow).enabled:
        return None
    zone = ZoneInfo(shops.get(uow).timezone)
    return replace(
        told,
        points=found[0].points,
        last_day=(ends_at - timedelta(seconds=1)).astimezone(zone).date(),
        available=points.balance(uow, member_id).available,
        idle=found[0].idle,
    )
