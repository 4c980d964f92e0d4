"""What orders and deeds gave, and what is left of caps."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.points.queries.entries import ENTRY

_POSTED = """
SELECT order_id, sum(points)::bigint AS points, sum(points - waived)::bigint AS owed, count(*) AS entries,
  (array_agg(member_id ORDER BY created_at, seq))[1] AS member_id,
  (array_agg(program_version_id ORDER BY created_at, seq))[1] AS version_id,
  (array_agg(trace ORDER BY created_at, seq))[1] AS first_trace,
  (array_agg(trace ORDER BY created_at DESC, id DESC))[1] AS last_trace
FROM points_entries WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s) AND kind IN ('award', 'reverse', 'undo')
GROUP BY order_id
"""


def posted_for_orders(uow: UnitOfWork, order_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """What orders gave so far; `points` is what members have of them, `owed` that less what reversals had to leave."""
    rows = uow.all(_POSTED, {"shop": uow.shop, "orders": list(order_ids)})
    return {row["order_id"]: row for row in rows}


# What an order gave stands in its last entry; what has no split by rule came from the base rule.
_GIVEN = """
SELECT e.member_id, e.day, g.key AS rule, sum(g.value::bigint)::bigint AS points FROM (
  SELECT DISTINCT ON (coalesce(order_id, id)) member_id, order_id, trace,
    coalesce(trace->>'day', to_char(created_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD')) AS day
  FROM points_entries
  WHERE shop_id = %(shop)s AND member_id = ANY(%(members)s) AND kind IN ('award', 'reverse', 'undo')
  ORDER BY coalesce(order_id, id), created_at DESC, id DESC) e
CROSS JOIN LATERAL jsonb_each_text(coalesce(e.trace->'given', CASE WHEN e.order_id IS NULL THEN '{}'
  ELSE jsonb_build_object('purchase', coalesce(e.trace->'order_points', '0')) END)) g
GROUP BY 1, 2, 3"""


def given_by_rule(uow: UnitOfWork, member_ids: Iterable[UUID], zone: str) -> list[dict[str, Any]]:
    """What rules gave to members, by rule id and the program's day ("2026-11-01")."""
    return uow.all(_GIVEN, {"shop": uow.shop, "members": list(member_ids), "zone": zone})


def counts_of_orders(uow: UnitOfWork, order_ids: Iterable[UUID]) -> dict[UUID, dict[str, dict[str, Any]]]:
    """What orders added to counts over several orders, by order and rule."""
    rows = uow.all(
        "SELECT order_id, rule_id, units_before, completed_before, units, completed FROM earning_counts"
        " WHERE shop_id = %(shop)s AND order_id = ANY(%(orders)s)",
        {"shop": uow.shop, "orders": list(order_ids)},
    )
    found: dict[UUID, dict[str, dict[str, Any]]] = {row["order_id"]: {} for row in rows}
    for row in rows:
        found[row["order_id"]][row["rule_id"]] = row
    return found


def counts_of_members(
    uow: UnitOfWork, program_id: UUID, member_ids: Iterable[UUID]
) -> dict[tuple[UUID, str, str], tuple[int, int]]:
    """Units and completions that stand on members' counts, by member, rule and period."""
    rows = uow.all(
        "SELECT member_id, rule_id, period, sum(units)::bigint AS units, sum(completed)::bigint AS completed"
        " FROM earning_counts WHERE shop_id = %(shop)s AND program_id = %(program)s AND member_id = ANY(%(members)s)"
        " GROUP BY 1, 2, 3",
        {"shop": uow.shop, "program": program_id, "members": list(member_ids)},
    )
    return {
        (row["member_id"], row["rule_id"], row["period"]): (row["units"], row["completed"]) for row in rows
    }


_BUDGETS = """
SELECT rule_id, given FROM earning_budgets
WHERE shop_id = %(shop)s AND program_id = %(program)s AND rule_id = ANY(%(rules)s) ORDER BY rule_id"""


def budgets(
    uow: UnitOfWork, program_id: UUID, rule_ids: Sequence[str], *, lock: bool = True
) -> dict[str, int]:
    """What is given of budgets, by rule; locked until the end of the transaction, so that none is given twice."""
    rows = uow.all(
        _BUDGETS + (" FOR UPDATE" if lock else ""),
        {"shop": uow.shop, "program": program_id, "rules": sorted(rule_ids)},
    )
    return {row["rule_id"]: row["given"] for row in rows}


def award_of_order(uow: UnitOfWork, order_id: UUID) -> dict[str, Any] | None:
    """The first award of an order."""
    return uow.one(
        f"SELECT {ENTRY} FROM points_entries WHERE shop_id = %(shop)s AND order_id = %(order)s AND kind = 'award'"
        " ORDER BY seq LIMIT 1",
        {"shop": uow.shop, "order": order_id},
    )


def rehearsal(uow: UnitOfWork, rehearsal_id: UUID) -> dict[str, Any] | None:
    """One rehearsal."""
    sql = "SELECT * FROM rehearsals WHERE shop_id = %(shop)s AND id = %(id)s"
    return uow.one(sql, {"shop": uow.shop, "id": rehearsal_id})


def deeds_since(uow: UnitOfWork, since: Any) -> list[dict[str, Any]]:
    """What members were awarded without an order under a program's rules, oldest first."""
    return uow.all(
        "SELECT member_id, points, reason, trace, program_version_id, created_at::date AS day FROM points_entries"
        " WHERE shop_id = %(shop)s AND created_at >= %(since)s AND kind = 'award' AND order_id IS NULL"
        " AND program_version_id IS NOT NULL AND (trace ? 'given' OR reason = 'signup') ORDER BY created_at, id",
        {"shop": uow.shop, "since": since},
    )


def awarded_between(uow: UnitOfWork, began: datetime, ended: datetime) -> tuple[int, int]:
    """How many orders earned in a span of time, and how many points they earned."""
    row = uow.one(
        "SELECT count(DISTINCT order_id) AS orders, coalesce(sum(points), 0)::bigint AS points FROM points_entries"
        " WHERE shop_id = %(shop)s AND created_at >= %(began)s AND created_at < %(ended)s"
        " AND kind = 'award' AND order_id IS NOT NULL",
        {"shop": uow.shop, "began": began, "ended": ended},
    )
    assert row is not None
    return row["orders"], row["points"]
