"""Lists of tiers, page by page: moves, endings, members of a simulation, gifts that are due."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import paging
from app.core.db import UnitOfWork
from app.core.paging import COUNT_CAP, Order, Place
from app.core.walking import Walk, capped, walked
from app.domains.tiers.schemas import EndingsQuery, MovesQuery, SimulatedQuery


def _id(text: Any) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise paging.StaleCursor() from None


def place_in(cursor: str | None) -> UUID | None:
    """The id after which a page by ids begins. Raises StaleCursor."""
    return _id(paging.decode_cursor(cursor, 1)[0]) if cursor else None


_MOVE = (
    "w.id, w.member_id, w.ladder_id, w.from_name, w.to_name, w.direction, w.value, w.reason, w.note, w.created_at,"
    " l.name AS ladder, l.metric"
)
_ON_LADDER = "LEFT JOIN tier_ladders l ON l.shop_id = w.shop_id AND l.id = w.ladder_id"
# Reasons that a partial index holds.
_RARE = ("by_hand", "refund")


def moves(
    uow: UnitOfWork,
    query: MovesQuery,
    member_ids: list[UUID] | None,
    span: tuple[datetime | None, datetime | None],
) -> paging.Found:
    """Moves on ladders: of all members or of these, between two instants. Raises StaleCursor."""
    asked = {"ladder": "w.ladder_id", "direction": "w.direction", "reason": "w.reason"}
    where = [f"{column} = %({name})s" for name, column in asked.items() if getattr(query, name)]
    rare = f" AND reason IN {_RARE}" if query.reason in _RARE else ""
    walk = Walk(
        _source("tier_changes", rare, member_ids),
        Order({"created_at": datetime, "id": UUID}, descending=query.sort == "newest"),
        _MOVE,
        _ON_LADDER,
        " AND ".join(where) or "true",
        span=span,
    )
    values = {name: getattr(query, name) for name in asked}
    values |= {"shop": uow.shop, "members": member_ids}
    return walked(uow, walk, values, query.limit, query.cursor)


def _source(table: str, condition: str, member_ids: list[UUID] | None) -> str:
    """Rows of a table that a walk goes along; of these members each over the index that begins with the member."""
    if member_ids is None:
        return f"SELECT * FROM {table} WHERE shop_id = %(shop)s{condition}{{after}}"
    return (
        f"SELECT x.* FROM unnest(%(members)s::uuid[]) AS m (id) CROSS JOIN LATERAL (SELECT * FROM {table}"
        f" WHERE shop_id = %(shop)s AND member_id = m.id{condition}{{after}} OFFSET 0) x"
    )


_ENDING = """m.member_id, m.ladder_id, m.tier_id, m.ends_at, m.value, m.grace_until, l.name AS ladder, l.metric,
  l.notice_days, t.name AS tier, t.names AS tier_names"""
_STANDING = """
JOIN tier_ladders l ON l.shop_id = m.shop_id AND l.id = m.ladder_id AND l.active
JOIN tiers t ON t.shop_id = m.shop_id AND t.id = m.tier_id
JOIN programs p ON p.shop_id = l.shop_id AND p.id = l.program_id AND p.status = 'active' AND p.type = 'tiered'
"""
_ENDINGS = f"""
SELECT {_ENDING} FROM member_tiers m {_STANDING}
WHERE m.shop_id = %(shop)s AND m.ends_at <= %(until)s
  AND (%(at)s::timestamptz IS NULL OR (m.ends_at, m.member_id, m.ladder_id) > (%(at)s, %(last)s::uuid, %(on)s::uuid))
"""
_STANDS = """m.tier_id IS NOT NULL AND m.ladder_id = ANY(ARRAY(SELECT l.id FROM tier_ladders l
  JOIN programs p ON p.shop_id = l.shop_id AND p.id = l.program_id AND p.status = 'active' AND p.type = 'tiered'
  WHERE l.shop_id = %(shop)s AND l.active))"""
_NAMED = """
JOIN tier_ladders l ON l.shop_id = m.shop_id AND l.id = m.ladder_id
JOIN tiers t ON t.shop_id = m.shop_id AND t.id = m.tier_id
"""
_WHYS = {"grace": "m.grace_until IS NOT NULL", "period": "m.grace_until IS NULL"}


_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def endings(uow: UnitOfWork, query: EndingsQuery, member_ids: list[UUID] | None) -> paging.Found:
    """Who loses a tier unless more is earned: of all members or of these, soonest first. Raises StaleCursor."""
    asked = {"tier": "m.tier_id", "ladder": "m.ladder_id"}
    where = [_STANDS, *(f"{column} = %({name})s" for name, column in asked.items() if getattr(query, name))]
    where += [_WHYS[query.why]] if query.why else []
    walk = Walk(
        _source("member_tiers", " AND ends_at <= %(until)s", member_ids),
        Order({"ends_at": datetime, "member_id": UUID, "ladder_id": UUID}),
        _ENDING,
        _NAMED,
        " AND ".join(where),
        called="m",
    )
    values = {
        "shop": uow.shop,
        "members": member_ids,
        "until": uow.now + timedelta(days=int(query.days)) if query.days else _EVER,
        "tier": query.tier,
        "ladder": query.ladder,
    }
    known = ("tier-endings", query.days, query.tier, query.ladder, query.why) if member_ids is None else None
    return walked(uow, walk, values, query.limit, query.cursor, known)


def endings_to_tell(
    uow: UnitOfWork, after: tuple[datetime, UUID, UUID] | None, until: datetime, limit: int
) -> list[dict[str, Any]]:
    """Endings of ladders that give notice, for telling the members."""
    at, last, on = after or (None, None, None)
    return uow.all(
        _ENDINGS
        + "AND l.notice_days IS NOT NULL AND m.ends_at > %(now)s"
        + " AND m.ends_at <= %(now)s + make_interval(days => l.notice_days)"
        + " ORDER BY m.ends_at, m.member_id, m.ladder_id LIMIT %(limit)s",
        {
            "shop": uow.shop,
            "until": until,
            "now": uow.now,
            "at": at,
            "last": last,
            "on": on,
            "limit": limit,
        },
    )


def count_endings(uow: UnitOfWork, days: int) -> int:
    """How many members lose a tier within so many days, counted up to 10,000."""
    values = {"shop": uow.shop, "until": uow.now + timedelta(days=days), "at": None, "last": None, "on": None}

    def count() -> tuple[int, bool]:
        found = int(uow.scalar(f"SELECT count(*) FROM ({_ENDINGS} LIMIT {COUNT_CAP}) e", values))
        return found, found == COUNT_CAP

    return capped(uow, ("tiers-ending", days), count)[0]


_MONTHS = """
SELECT to_char(date_trunc('month', created_at AT TIME ZONE %(zone)s), 'YYYY-MM') AS month,
  count(*) FILTER (WHERE direction = 'up') AS up, count(*) FILTER (WHERE direction = 'down') AS down
FROM tier_changes WHERE shop_id = %(shop)s AND created_at >= %(since)s GROUP BY 1
"""


def moves_by_month(uow: UnitOfWork, since: datetime, zone: str) -> dict[str, dict[str, int]]:
    """How many moved up and down in each month of the zone since an instant."""
    rows = uow.all(_MONTHS, {"shop": uow.shop, "since": since, "zone": zone})
    return {row["month"]: {"up": row["up"], "down": row["down"]} for row in rows}


def simulation(uow: UnitOfWork, simulation_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """A simulation with its draft, progress and result."""
    return uow.one(
        "SELECT id, ladder_id, ladder_version, draft, status, after, seen, total, result, created_at"
        " FROM tier_simulations WHERE shop_id = %(shop)s AND id = %(id)s" + (" FOR UPDATE" if lock else ""),
        {"shop": uow.shop, "id": simulation_id},
    )


_BY_MEMBER = Order({"member_id": UUID})


def simulated(uow: UnitOfWork, simulation_id: UUID, query: SimulatedQuery) -> paging.Page[dict[str, Any]]:
    """Who moves in a simulation, by member id. Raises StaleCursor."""
    own = " AND outcome = %(outcome)s" if query.outcome else ""
    values = {"shop": uow.shop, "id": simulation_id, "outcome": query.outcome, "limit": query.limit + 1}

    def read(place: Place | None) -> list[dict[str, Any]]:
        return uow.all(
            "SELECT member_id, from_name, to_name, outcome, value FROM tier_simulated_moves"
            f" WHERE shop_id = %(shop)s AND simulation_id = %(id)s{own}{_BY_MEMBER.beside(place)}"
            f" ORDER BY {_BY_MEMBER.by(place)} LIMIT %(limit)s",
            values | _BY_MEMBER.values(place),
        )

    return _BY_MEMBER.page(query.cursor, query.limit, read)


_GIFTS_DUE = """
SELECT m.member_id, m.tier_id FROM member_tiers m
JOIN members e ON e.shop_id = m.shop_id AND e.id = m.member_id AND e.status = 'active' AND e.customer_id IS NOT NULL
JOIN unnest(%(tiers)s::uuid[], %(periods)s::text[]) AS v (tier_id, period) ON v.tier_id = m.tier_id
WHERE m.shop_id = %(shop)s AND (%(after)s::uuid IS NULL OR m.member_id > %(after)s)
  AND NOT EXISTS (SELECT 1 FROM tier_grants g WHERE g.shop_id = m.shop_id AND g.tier_id = m.tier_id
    AND g.member_id = m.member_id AND g.period = v.period)
ORDER BY m.member_id LIMIT %(limit)s
"""


def gifts_due(
    uow: UnitOfWork, periods: dict[UUID, str], after: UUID | None, limit: int
) -> Sequence[tuple[UUID, UUID]]:
    """(member, tier) of members who have not had the gift of their tier's present period."""
    rows = uow.all(
        _GIFTS_DUE,
        {
            "shop": uow.shop,
            "tiers": list(periods),
            "periods": list(periods.values()),
            "after": after,
            "limit": limit,
        },
    )
    return [(row["member_id"], row["tier_id"]) for row in rows]
