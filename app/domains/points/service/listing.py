"""The ledger as a list: filters from a page's address, a page of entries, the whole in slices, and the shop's totals."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.points import queries
from app.domains.points.queries import Narrowed
from app.domains.points.schemas import LedgerFilter, Slice
from app.domains.points.service import statement
from app.domains.shops import service as shops

_FEW_MEMBERS = 2_000
_FRESH = timedelta(minutes=5)


def narrowed(uow: UnitOfWork, asked: LedgerFilter) -> Narrowed:
    """What the filters lead to: orders of this name or else members, and instants of the shop's days."""
    text = (asked.member or "").strip()
    found = orders.ids_by_name(uow, text) if text else []
    people = [member.id for member in members.search(uow, text)] if text and not found else None
    zone = ZoneInfo(shops.get(uow).timezone)
    return Narrowed(
        asked,
        members=people,
        orders=found or None,
        since=_midnight(asked.start, zone),
        until=_midnight(asked.end + timedelta(days=1) if asked.end and asked.end < date.max else None, zone),
    )


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day else None


def listed(uow: UnitOfWork, asked: LedgerFilter, locale: str) -> Slice:
    """A page of the shop's entries, each with its `why` in the locale."""
    found = queries.page(uow, narrowed(uow, asked))
    for row in found.page.items:
        row["why"] = statement.explain(row, locale)
    return found


def entry_slices(shop_id: UUID, asked: LedgerFilter, locale: str) -> Iterator[list[dict[str, Any]]]:
    """What the list shows on all its pages, slice by slice, each read in a transaction of its own, with `why` and `name`."""
    after: tuple[datetime, UUID] | None = None
    while True:
        with unit_of_work(shop_id) as uow:
            rows = queries.export(uow, narrowed(uow, asked), after)
            matching = [row for row in rows if row["matches"]]
            people = members.profiles(uow, {row["member_id"] for row in matching})
        for row in matching:
            who = people.get(row["member_id"])
            row |= {
                "why": statement.explain(row, locale),
                "name": (who.name or who.email or "") if who else "",
            }
        yield matching
        if len(rows) < queries.EXPORT_SLICE:
            return
        after = (rows[-1]["created_at"], rows[-1]["id"])


def totals(uow: UnitOfWork) -> dict[str, Any]:
    """The shop's points by status and when they were added up: now, or for many members within the last five minutes."""
    known = queries.summed(uow)
    if known and known["members"] > _FEW_MEMBERS and uow.now - known["summed_at"] < _FRESH:
        return known
    found = queries.sum_of_accounts(uow)
    if found["members"] > _FEW_MEMBERS:
        uow.execute(
            "INSERT INTO points_totals (shop_id, members, available, pending, held, debt, summed_at)"
            " VALUES (%(shop)s, %(members)s, %(available)s, %(pending)s, %(held)s, %(debt)s, %(now)s)"
            " ON CONFLICT (shop_id) DO UPDATE SET members = excluded.members, available = excluded.available,"
            " pending = excluded.pending, held = excluded.held, debt = excluded.debt, summed_at = excluded.summed_at",
            {"shop": uow.shop, "now": uow.now, **found},
        )
    return found | {"summed_at": uow.now}
