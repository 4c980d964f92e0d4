"""The ledger's list: bounded filters, pages both ways, export."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import Order, Place, Span
from app.domains.points.queries.entries import ENTRY
from app.domains.points.schemas import LedgerFilter, Slice

# Kinds that one partial index holds; the frequent ones are found among the newest entries.
_RARE = ("adjust", "reverse", "release", "restore", "expire", "move_out", "move_in", "undo", "redate")


_RARE_SOURCES = ("hand", "accounts")


_SOURCES = {
    "orders": "e.order_id IS NOT NULL",
    "deeds": "e.kind = 'award' AND e.order_id IS NULL",
    "redemptions": "e.kind IN ('hold', 'release', 'spend', 'restore')",
    "hand": "e.kind IN ('adjust', 'undo')",
    "calendar": "e.kind IN ('activate', 'expire', 'redate')",
    "accounts": "e.kind IN ('move_out', 'move_in')",
}


_FILTERS = {
    "kind": "e.kind = %(kind)s::points_kind",
    "reason": "e.reason = %(reason)s",
    "version": "e.program_version_id = %(version)s",
    "rule": "(e.trace->'given' ? %(rule)s"
    " OR %(rule)s = 'purchase' AND e.order_id IS NOT NULL AND NOT e.trace ? 'given')",
    "points_from": "e.points >= %(points_from)s",
    "points_to": "e.points <= %(points_to)s",
    "actor": "e.actor_kind = %(actor)s",
    "actor_id": "e.actor_id = %(actor_id)s",
}


@dataclass(frozen=True)
class Narrowed:
    """The ledger's filters with what texts and days lead to; None where nothing narrows."""

    asked: LedgerFilter
    members: list[UUID] | None = None
    orders: list[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def order(self) -> Order:
        """The order of the list."""
        return Order({"created_at": datetime, "id": UUID}, descending=self.asked.sort != "oldest")

    @property
    def span(self) -> Span:
        """The instants between which entries lie."""
        return self.since, self.until

    def conditions(self) -> str:
        """What entries must fulfil, as SQL."""
        found = [sql for name, sql in _FILTERS.items() if getattr(self.asked, name) is not None]
        if self.asked.source:
            found.append(_SOURCES[self.asked.source])
        return " AND ".join(found) or "true"

    def values(self, uow: UnitOfWork) -> dict[str, Any]:
        """The values of the conditions."""
        own = {name: getattr(self.asked, name) for name in _FILTERS}
        return own | {"shop": uow.shop, "members": self.members, "orders": self.orders,
                      "scan": SCAN, **self.order.values(None, self.span)}  # fmt: skip


SCAN = paging.COUNT_CAP


def _looked_through(asked: Narrowed, place: Place | None) -> str:
    """The entries that a page is chosen from: a bounded walk along the one index that narrows most."""
    span = asked.order.beside(place, asked.span)
    order = f"ORDER BY {asked.order.by(place)}"
    way = "" if asked.order.descending == bool(place and place.back) else " DESC"
    if asked.orders is not None:
        return (
            f"SELECT * FROM points_entries WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s){span} {order}"
            " LIMIT %(scan)s"
        )
    if asked.members is not None:
        return (
            f"SELECT x.* FROM unnest(%(members)s::uuid[]) AS m (id) CROSS JOIN LATERAL (SELECT * FROM points_entries"
            f" WHERE shop_id = %(shop)s AND member_id = m.id{span} ORDER BY seq{way} LIMIT %(scan)s) x"
            f" ORDER BY {asked.order.by(place, 'x.')}"
        )
    rare = asked.asked.kind in _RARE or asked.asked.source in _RARE_SOURCES
    kind = f" AND kind IN ({', '.join(repr(one) for one in _RARE)})" if rare else ""
    return f"SELECT * FROM points_entries WHERE shop_id = %(shop)s{kind}{span} {order} LIMIT %(scan)s"


def page(uow: UnitOfWork, asked: Narrowed) -> Slice:
    """A page of the shop's entries. A page that is not full says up to which instant was looked."""
    found, until = asked.order.bounded(
        asked.asked.cursor, asked.asked.limit, lambda place: _read(uow, asked, place)
    )
    return Slice(found, *_total(uow, asked), until)


def _read(
    uow: UnitOfWork, asked: Narrowed, place: Place | None
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Entries from a place on, one more than a page has, and when they are fewer, where looking ended before the last."""
    values = asked.values(uow) | asked.order.values(place, asked.span)
    pool, by = _looked_through(asked, place), asked.order.by(place)
    rows = uow.all(
        f"SELECT {ENTRY} FROM ({pool}) e WHERE {asked.conditions()} ORDER BY {by} LIMIT %(limit)s",
        values | {"limit": asked.asked.limit + 1},
    )
    if len(rows) > asked.asked.limit or asked.members is not None or asked.orders is not None:
        return rows, None
    ends = uow.all(
        f"SELECT created_at, id FROM ({pool}) e ORDER BY {by} OFFSET {SCAN - 1} LIMIT 2",
        values | {"scan": SCAN + 1},
    )
    return rows, ends[0] if len(ends) == 2 else None


def _total(uow: UnitOfWork, asked: Narrowed) -> tuple[int, bool]:
    """How many match among the first that are looked through, and whether there may be more."""
    pool = _looked_through(asked, None)
    row = uow.one(
        f"SELECT count(*) AS seen, count(*) FILTER (WHERE {asked.conditions()}) AS matching FROM ({pool}) e",
        asked.values(uow) | {"scan": SCAN + 1},
    )
    assert row is not None
    return min(row["matching"], SCAN), row["seen"] > SCAN


def export(uow: UnitOfWork, asked: Narrowed, after: tuple[datetime, UUID] | None) -> list[dict[str, Any]]:
    """The next entries after a place that are looked through for an export, each with `matches`."""
    place = Place(after) if after else None
    pool = _looked_through(asked, place)
    return uow.all(
        f"SELECT {ENTRY}, {asked.conditions()} AS matches FROM ({pool}) e ORDER BY {asked.order.by()}"
        f" LIMIT {EXPORT_SLICE}",
        asked.values(uow) | asked.order.values(place, asked.span) | {"scan": EXPORT_SLICE},
    )


EXPORT_SLICE = 2_000
