"""Every SELECT of liability: the ledger added up by month, and what was stored of it."""

from datetime import date, datetime
from typing import Any

from app.core.db import UnitOfWork
from app.domains.liability.rules import Cell

# What each entry of a time span did to the lots it made or touched, by the buckets that points left and reached. Moving
# points between members is no issue and no reversal on the whole.
_CELLS = """
WITH span AS MATERIALIZED (
  SELECT id, kind, points, trace FROM points_entries
  WHERE shop_id = %(shop)s AND created_at >= %(start)s AND created_at < %(end)s),
effects AS (
  SELECT l.id AS lot_id, CASE WHEN e.kind = 'move_in' THEN 0 ELSE l.points END AS issued, 0::bigint AS restored,
    0::bigint AS redeemed, 0::bigint AS expired, CASE WHEN e.kind = 'move_in' THEN -l.points ELSE 0 END AS reversed,
    CASE WHEN e.kind = 'award' AND l.order_id IS NOT NULL AND e.trace->>'currency' = %(currency)s
      THEN coalesce(round((e.trace->>'base_minor')::numeric * e.points / nullif((e.trace->>'order_points')::numeric, 0)), 0)
      ELSE 0 END AS sales
  FROM span e JOIN points_lots l ON l.shop_id = %(shop)s AND l.entry_id = e.id
  UNION ALL
  SELECT v.lot_id, 0, CASE v.source WHEN 'spent' THEN v.points ELSE 0 END,
    CASE v.target WHEN 'spent' THEN v.points ELSE 0 END,
    CASE WHEN v.target = 'expired' THEN v.points WHEN v.source = 'expired' THEN -v.points ELSE 0 END,
    CASE WHEN v.target = 'reversed' THEN v.points WHEN v.source = 'reversed' THEN -v.points ELSE 0 END, 0
  FROM span e JOIN points_moves v ON v.shop_id = %(shop)s AND v.entry_id = e.id)
SELECT date_trunc('month', l.earned_at AT TIME ZONE %(zone)s)::date AS cohort,
  CASE WHEN l.order_id IS NULL THEN 'gift' ELSE 'sale' END AS origin,
  sum(f.issued)::bigint AS issued, sum(f.restored)::bigint AS restored, sum(f.redeemed)::bigint AS redeemed,
  sum(f.expired)::bigint AS expired, sum(f.reversed)::bigint AS reversed, sum(f.sales)::bigint AS sales
FROM effects f JOIN points_lots l ON l.shop_id = %(shop)s AND l.id = f.lot_id GROUP BY 1, 2 ORDER BY 1, 2
"""

_TOTALS = """
SELECT count(*) AS entries, coalesce(sum(points), 0)::bigint AS points FROM points_entries
WHERE shop_id = %(shop)s AND created_at >= %(start)s AND created_at < %(end)s
"""


def cells_of(
    uow: UnitOfWork, period: date, start: datetime, end: datetime, zone: str, currency: str
) -> list[Cell]:
    """What the ledger says of one month, from its entries between two instants; debt closes it to the sum of them."""
    span = {"shop": uow.shop, "start": start, "end": end}
    found = [
        Cell(period=period, **row) for row in uow.all(_CELLS, span | {"zone": zone, "currency": currency})
    ]
    rest = totals_of(uow, start, end)[1] - sum(cell.change for cell in found)
    return [*found, Cell(period, period, "debt", reversed=-rest)] if rest else found


def totals_of(uow: UnitOfWork, start: datetime, end: datetime) -> tuple[int, int]:
    """How many entries a time span has, and their points."""
    row = uow.one(_TOTALS, {"shop": uow.shop, "start": start, "end": end})
    assert row is not None
    return row["entries"], row["points"]


def first_entry_at(uow: UnitOfWork) -> datetime | None:
    """When the ledger of the shop begins."""
    found: datetime | None = uow.scalar(
        "SELECT created_at FROM points_entries WHERE shop_id = %(shop)s ORDER BY created_at, id LIMIT 1",
        {"shop": uow.shop},
    )
    return found


def periods(uow: UnitOfWork) -> list[dict[str, Any]]:
    """Closed months, oldest first."""
    return uow.all(
        "SELECT period, starts_at, ends_at, entries, points, currency, rate_bp, rate_source, value_minor, sharing"
        " FROM liability_periods WHERE shop_id = %(shop)s ORDER BY period",
        {"shop": uow.shop},
    )


def cells(uow: UnitOfWork) -> list[Cell]:
    """The cells of closed months."""
    rows = uow.all(
        "SELECT period, cohort, origin, issued, restored, redeemed, expired, reversed, sales FROM liability_cells"
        " WHERE shop_id = %(shop)s ORDER BY period, cohort, origin",
        {"shop": uow.shop},
    )
    return [Cell(**row) for row in rows]


def settings(uow: UnitOfWork) -> dict[str, Any] | None:
    """How the shop values points; None until it said so."""
    return uow.one(
        "SELECT value_minor, fallback_bp, override_bp, override_reason, sharing, accounts, version"
        " FROM liability_settings WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )


def best_reward_value(uow: UnitOfWork) -> int | None:
    """The most that 1,000 points buy as an amount off, in minor units, among rewards on offer."""
    found: int | None = uow.scalar(
        "SELECT max(value_minor * 1000 / points_cost) FROM rewards"
        " WHERE shop_id = %(shop)s AND status = 'active' AND kind = 'amount_off' AND points_cost > 0",
        {"shop": uow.shop},
    )
    return int(found) if found else None


def by_status(uow: UnitOfWork) -> dict[str, int]:
    """The shop's points now by status, from the accounts."""
    row = uow.one(
        "SELECT coalesce(sum(available), 0)::bigint AS available, coalesce(sum(pending), 0)::bigint AS pending,"
        " coalesce(sum(held), 0)::bigint AS held, coalesce(sum(debt), 0)::bigint AS debt FROM points_accounts"
        " WHERE shop_id = %(shop)s",
        {"shop": uow.shop},
    )
    assert row is not None
    return row


def outstanding_in_lots(uow: UnitOfWork, zone: str) -> dict[date, int]:
    """Points still in lots now by the month in which they were earned."""
    rows = uow.all(
        "SELECT date_trunc('month', earned_at AT TIME ZONE %(zone)s)::date AS cohort, sum(remaining + held)::bigint AS points"
        " FROM points_lots WHERE shop_id = %(shop)s GROUP BY 1 HAVING sum(remaining + held) <> 0",
        {"shop": uow.shop, "zone": zone},
    )
    return {row["cohort"]: row["points"] for row in rows}
