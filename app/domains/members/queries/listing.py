"""The list of members: any filter with any order, at a cost that does not grow with the shop.

Members are walked in the order asked for, so many at most; the table that has the order carries what they are filtered by.
Where that does not fill a page, a filter that few members pass is asked for instead and what it leaves is sorted; where each
lets many pass, the page ends where the walk did.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import ANYWHERE, Order, Place, Span
from app.core.walking import capped
from app.domains.members.schemas import MembersFilter

FEW = 2_000
WALK = 5_000


@dataclass(frozen=True)
class _Table:
    """A table with a row of a member: the filters it answers, and the columns with which it does."""

    name: str
    row_id: str
    holds: tuple[str, ...]
    columns: str = ""


@dataclass(frozen=True)
class _Sort:
    """What members are sorted by, descending: a column of a table with an index that has this order."""

    table: _Table
    column: str
    kind: type

    def order(self, key: str, row_id: str) -> Order:
        """The order of rows that have the sort key and the id in these columns."""
        return Order({"key": self.kind, "id": UUID}, descending=True, sql={"key": key, "id": row_id})

    @property
    def walked(self) -> Order:
        """The order of the index."""
        return self.order(self.column, self.table.row_id)


_MEMBERS = _Table("members", "id", ("kept", "status", "source", "enrolled"), "status, source, enrolled_at")
_STANDINGS = _Table(
    "points_standings", "member_id", (*_MEMBERS.holds, "points"), f"{_MEMBERS.columns}, available"
)
_TIERS = _Table("member_tiers", "member_id", ("tier",))
_SEGMENTS = _Table("segment_members", "member_id", ("segment",))
_FOUND = _Table("(SELECT %(shop)s::uuid AS shop_id, unnest(%(found)s::uuid[]) AS id) f", "id", ("found",))
_NEWEST = _Sort(_MEMBERS, "enrolled_at", datetime)
_SORTS = {
    "newest": _NEWEST,
    "available": _Sort(_STANDINGS, "available", int),
    "qualifying": _Sort(_STANDINGS, "qualifying", int),
}
# Where those who pass a filter are found over an index.
_INDEXED = {
    "status": _MEMBERS,
    "source": _MEMBERS,
    "enrolled": _MEMBERS,
    "points": _STANDINGS,
    "tier": _TIERS,
    "segment": _SEGMENTS,
    "found": _FOUND,
}
_HOLDS = {
    "kept": "status <> 'merged'",
    "status": "status = %(status)s",
    "source": "source = %(source)s",
    "enrolled": "enrolled_at >= %(since)s AND enrolled_at < %(until)s",
    "points": "available BETWEEN %(least)s AND %(most)s",
    "tier": "tier_id = %(tier)s",
    "segment": "segment_id = %(segment)s",
    "found": "true",
}
# The values that most members have; the others have indexes of their own in the orders of points.
_USUAL = {"status": "active", "source": "shopify"}
_SHOWN = """
SELECT m.id, m.customer_id, m.status, m.source, m.locale, m.enrolled_at, m.merged_into, m.first_name_sealed,
  m.last_name_sealed, m.email_sealed, m.phone_sealed, coalesce(a.available, 0) AS available,
  coalesce(a.pending, 0) AS pending, coalesce(a.debt, 0) AS debt, coalesce(a.qualifying, 0) AS qualifying, t.tier_id
FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS v (id, n)
JOIN members m ON m.shop_id = %(shop)s AND m.id = v.id
LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id
LEFT JOIN member_tiers t ON t.shop_id = m.shop_id AND t.member_id = m.id AND t.main
ORDER BY v.n
"""


def page(
    uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None, zone: str, *, counted: bool = False
) -> paging.Found:
    """A page of members with their exact points and tier, personal data sealed; `found` narrows to these ids.

    Days are those of the zone. Merged members appear only when their status is asked for. A page may be short, or empty, and
    have a next one: so many members were looked at. `counted` tells how many match, up to the cap when nothing narrows and
    exactly where a filter leaves few. Raises StaleCursor.
    """
    asked = _Asked(uow, query, _values(uow, query, found, zone))
    page, _ = asked.sort.walked.bounded(query.cursor, query.limit, asked.read)
    shown = [row["id"] for row in page.items]
    items = uow.all(_SHOWN, {"shop": uow.shop, "ids": shown}) if shown else []
    total = asked.count(page.items) if counted else None
    return paging.Found(
        replace(page, items=items),
        None if total is None else min(total, paging.COUNT_CAP),
        (total or 0) > paging.COUNT_CAP,
    )


def count_capped(uow: UnitOfWork) -> int:
    """How many members there are who were not merged into another, counted up to the cap and one more."""
    counted = (
        f"SELECT 1 FROM members WHERE shop_id = %(shop)s AND {_HOLDS['kept']} LIMIT {paging.COUNT_CAP + 1}"
    )

    def count() -> tuple[int, bool]:
        found = int(uow.scalar(f"SELECT count(*) FROM ({counted}) c", {"shop": uow.shop}))
        return found, found > paging.COUNT_CAP

    return capped(uow, "members", count)[0]


@dataclass(frozen=True)
class _Asked:
    """Filters and an order of members, as statements that choose (id, key)."""

    uow: UnitOfWork
    query: MembersFilter
    values: dict[str, Any]

    @cached_property
    def names(self) -> list[str]:
        """The filters that are set, and that merged members are left out."""
        return [name for name in _HOLDS if self.values[name]]

    @cached_property
    def sort(self) -> _Sort:
        """The order, in a table that answers most of the filters."""
        sort = _SORTS[self.query.sort]
        return replace(sort, table=_STANDINGS) if sort is _NEWEST and self.values["points"] else sort

    @cached_property
    def elsewhere(self) -> list[str]:
        """The filters that the table of the order does not answer."""
        return [name for name in self.names if name not in self.sort.table.holds]

    @cached_property
    def span(self) -> Span:
        """Between which values of the order's key the filters leave members."""
        if self.query.sort == "newest" and self.values["enrolled"]:
            return self.values["since"], self.values["until"]
        if self.query.sort == "available" and self.values["points"]:
            return self.values["least"], self.values["most"] + 1
        return ANYWHERE

    def read(self, place: Place | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """(id, key) from a place on, one more than a page has; when they are fewer, where the walk ended before the last."""
        few = self.fewest(self.elsewhere)
        if few is None:
            rows = self.rows(self.walking(place), place)
            if len(rows) > self.query.limit:
                return rows, None
            few = self.fewest(self.names)
        if few is not None:
            return self.rows(self.sorting(few, place), place), None
        ends = self.rows(f"{self.walk(place)} OFFSET %(walk)s - 1 LIMIT 2", place)
        return rows, ends[0] if len(ends) == 2 else None

    def rows(self, sql: str, place: Place | None) -> list[dict[str, Any]]:
        """What a statement gives at a place."""
        # A look-up by key costs about as much as going on to the next two rows.
        walk = WALK // (1 + 2 * len(self.elsewhere))
        return self.uow.all(sql, self.values | self.sort.walked.values(place, self.span) | {"walk": walk})

    def walking(self, place: Place | None) -> str:
        """Those of the next members in the order who pass."""
        order = self.sort.order("c.key", "c.id")
        holds = _both(name for name in self.names if name in self.sort.table.holds)
        walked = f"{self.walk(place, f', {self.sort.table.columns}')} LIMIT %(walk)s"
        return (
            f"SELECT c.id, c.key FROM (SELECT id, key FROM ({walked}) w WHERE {holds}) c {_joined(self.elsewhere)}"
            f" ORDER BY {order.by(place)} LIMIT %(limit)s"
        )

    def walk(self, place: Place | None, columns: str = "") -> str:
        """The next members in the order, from an index that holds fewer of them where a filter has one."""
        sort = self.sort
        own = "".join(f" AND {one}" for one in self.own())
        return (
            f"SELECT {sort.table.row_id} AS id, {sort.column} AS key{columns} FROM {sort.table.name}"
            f" WHERE shop_id = %(shop)s{own}{sort.walked.beside(place, self.span)} ORDER BY {sort.walked.by(place)}"
        )

    def own(self) -> list[str]:
        """The condition of the index, when there is one that has a filter in front of the order."""
        for name, usual in _USUAL.items():
            value = self.values[name]
            if value and self.sort.table is _MEMBERS:
                return [_HOLDS[name]]
            if value and value != usual and self.query.sort != "newest":
                return [_HOLDS[name], f"{name} <> '{usual}'"]
        return []

    def sorting(self, few: str, place: Place | None) -> str:
        """Everybody who passes, from those on who pass a filter that few do; each row tells how many they are."""
        sort, table = self.sort, _INDEXED[few]
        left = [name for name in self.names if name not in table.holds]
        key = f", {sort.column} AS key" if table is sort.table else ""
        joined = _joined(left) if key else self._keyed(left)
        order = sort.order("key", "id")
        return (
            f"SELECT id, key, total FROM (SELECT c.id, {'c' if key else 'k'}.key, count(*) OVER () AS total"
            f" FROM ({self.passing(few, key)}) c {joined}) a"
            f" WHERE true{order.beside(place)} ORDER BY {order.by(place)} LIMIT %(limit)s"
        )

    def _keyed(self, left: list[str]) -> str:
        sort = self.sort
        held = [name for name in left if name in sort.table.holds]
        rest = [name for name in left if name not in held]
        return _look_up(sort.table, held, f"{sort.column} AS key", "k") + _joined(rest)

    def passing(self, few: str, key: str = "") -> str:
        """Who passes a filter, and whatever else its table answers."""
        table = _INDEXED[few]
        holds = _both(name for name in self.names if name in table.holds)
        # OFFSET 0 keeps the order out of it, in which everybody would be looked at.
        return f"SELECT {table.row_id} AS id{key} FROM {table.name} WHERE shop_id = %(shop)s AND {holds} OFFSET 0"

    def fewest(self, names: list[str]) -> str | None:
        """The filter that the fewest members pass, if they are few."""
        if "found" in self.names:
            return "found"
        self._count([name for name in names if name in _INDEXED and name not in self._counts])
        name = min((name for name in names if name in _INDEXED), key=self._counts.__getitem__, default=None)
        return name if name and self._counts[name] <= FEW else None

    @cached_property
    def _counts(self) -> dict[str, int]:
        return {}

    def _count(self, names: list[str]) -> None:
        counts = ", ".join(
            f"(SELECT count(*) FROM (SELECT 1 FROM {_INDEXED[name].name} WHERE shop_id = %(shop)s AND {_HOLDS[name]}"
            f" LIMIT {FEW + 1}) x) AS {name}"
            for name in names
        )
        self._counts.update((names and self.uow.one(f"SELECT {counts}", self.values)) or {})

    def count(self, rows: list[dict[str, Any]]) -> int | None:
        """How many match, where that is bounded, once these rows were read."""
        if self.names == ["kept"]:
            return count_capped(self.uow)
        if rows and "total" in rows[0]:
            return int(rows[0]["total"])
        few = self.fewest(self.names)
        if few is None:
            return None
        left = [name for name in self.names if name not in _INDEXED[few].holds]
        counted = f"SELECT 1 FROM ({self.passing(few)}) c {_joined(left)}"
        return int(self.uow.scalar(f"SELECT count(*) FROM ({counted}) c", self.values))


def _both(names: Iterable[str]) -> str:
    return " AND ".join(_HOLDS[name] for name in names) or "true"


def _joined(names: list[str]) -> str:
    """Filters as look-ups for members who are called c, each table once."""
    tables = dict.fromkeys(_INDEXED.get(name, _MEMBERS) for name in names)
    return "".join(
        _look_up(table, [name for name in names if name in table.holds], "1", f"l{number}")
        for number, table in enumerate(tables)
    )


def _look_up(table: _Table, names: list[str], columns: str, called: str) -> str:
    # OFFSET 0 keeps each look-up one by one, over the key, whatever the statistics say.
    return (
        f" CROSS JOIN LATERAL (SELECT {columns} FROM {table.name}"
        f" WHERE shop_id = %(shop)s AND {table.row_id} = c.id AND {_both(names)} OFFSET 0) {called}"
    )


def _values(uow: UnitOfWork, query: MembersFilter, found: list[UUID] | None, zone: str) -> dict[str, Any]:
    first, last, here = query.enrolled_from, query.enrolled_to, ZoneInfo(zone)
    return {
        "shop": uow.shop,
        "status": query.status,
        "source": query.source,
        "tier": query.tier,
        "segment": query.segment,
        "enrolled": bool(first or last),
        "since": datetime.combine(first, time(), here) if first else _BEGINNING,
        "until": datetime.combine(last + timedelta(days=1), time(), here) if last else _END,
        "points": query.points_from is not None or query.points_to is not None,
        "least": query.points_from if query.points_from is not None else 0,
        "most": query.points_to if query.points_to is not None else 2**62,
        "kept": not query.status,
        "found": found if found is None else (found or [_NOBODY]),
        "limit": query.limit + 1,
    }


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_NOBODY = UUID(int=0)


def tier_names(uow: UnitOfWork) -> list[dict[str, Any]]:
    """The tiers that members can be on, lowest first: {id, name, names}."""
    return uow.all(
        "SELECT t.id, t.name, t.names FROM tiers t JOIN programs p ON p.shop_id = t.shop_id AND p.id = t.program_id"
        " JOIN tier_ladders l ON l.shop_id = t.shop_id AND l.id = t.ladder_id AND l.main AND l.active"
        " WHERE t.shop_id = %(shop)s AND p.status = 'active' AND p.type = 'tiered' ORDER BY t.threshold",
        {"shop": uow.shop},
    )


def segment_names(uow: UnitOfWork) -> list[tuple[UUID, str]]:
    """The segments that members can be in, by name."""
    rows = uow.all(
        "SELECT id, name FROM segments WHERE shop_id = %(shop)s ORDER BY lower(name), id", {"shop": uow.shop}
    )
    return [(row["id"], row["name"]) for row in rows]
