"""Adjustments by hand and the shop's rules for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.points.schemas import Adjustment, PointsSettings


def adjust_settings(uow: UnitOfWork) -> PointsSettings:
    """The shop's rules for adjusting by hand."""
    row = uow.one(
        "SELECT approval_above, daily_limit, alert_per_hour, version FROM points_settings WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
    return PointsSettings(**row) if row else PointsSettings()


def adjusted_since(uow: UnitOfWork, actor_kind: str, actor_id: str, since: Any) -> int:
    """Points that somebody moved by hand since an instant, in either direction; what waits counts, what was refused not."""
    return int(
        uow.scalar(
            "SELECT coalesce(sum(CASE status WHEN 'waiting' THEN points ELSE abs(moved) END), 0)::bigint"
            " FROM points_adjustments WHERE shop_id = %(shop)s AND actor_kind = %(kind)s AND actor_id = %(id)s"
            " AND created_at >= %(since)s AND status <> 'rejected'",
            {"shop": uow.shop, "kind": actor_kind, "id": actor_id, "since": since},
        )
    )


def adjustments_since(uow: UnitOfWork, since: Any, cap: int) -> int:
    """How many adjustments were made since an instant, counted up to a cap."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM (SELECT 1 FROM points_adjustments WHERE shop_id = %(shop)s AND created_at >= %(since)s"
            " LIMIT %(cap)s) c",
            {"shop": uow.shop, "since": since, "cap": cap},
        )
    )


def waiting_adjustments(uow: UnitOfWork) -> int:
    """How many adjustments wait for a second person."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM points_adjustments WHERE shop_id = %(shop)s AND status = 'waiting'",
            {"shop": uow.shop},
        )
    )


_ADJUSTMENT = (
    "id, member_id, to_member_id, verb, points, moved, reason, note, status, entries, actor_kind, actor_id, actor_label,"
    " decided_by, decided_at, created_at"
)


def adjustments_by_key(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, Adjustment]:
    """The adjustments that keys led to."""
    rows = uow.all(
        f"SELECT key, {_ADJUSTMENT} FROM points_adjustments WHERE shop_id = %(shop)s AND key = ANY(%(keys)s)",
        {"shop": uow.shop, "keys": list(keys)},
    )
    return {row.pop("key"): Adjustment(**row) for row in rows}


def adjustment(uow: UnitOfWork, adjustment_id: UUID, *, for_update: bool = False) -> Adjustment | None:
    """One adjustment."""
    row = uow.one(
        f"SELECT {_ADJUSTMENT} FROM points_adjustments WHERE shop_id = %(shop)s AND id = %(id)s"
        + (" FOR UPDATE" if for_update else ""),
        {"shop": uow.shop, "id": adjustment_id},
    )
    return Adjustment(**row) if row else None


_ORDER = paging.Order({"created_at": datetime, "id": UUID}, descending=True)


def adjustments(
    uow: UnitOfWork, limit: int, cursor: str | None, status: str | None = None
) -> paging.Page[dict[str, Any]]:
    """A page of adjustments, newest first. Raises StaleCursor."""
    own = " AND status = %(status)s" if status else ""

    def read(place: paging.Place | None) -> list[dict[str, Any]]:
        return uow.all(
            f"SELECT {_ADJUSTMENT} FROM points_adjustments WHERE shop_id = %(shop)s{own}{_ORDER.beside(place)}"
            f" ORDER BY {_ORDER.by(place)} LIMIT %(limit)s",
            {"shop": uow.shop, "status": status, "limit": limit + 1, **_ORDER.values(place)},
        )

    return _ORDER.page(cursor, limit, read)
