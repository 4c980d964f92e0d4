"""Erasing a shop: every row of every table that carries its id, in slices, so that no transaction runs for minutes.

The tables come from the catalogue, so a new one cannot be forgotten. The row of the shop itself goes last: as long
as it is there and no domain leads to it, a sweep finds it and goes on.
"""

import logging
from uuid import UUID

from app.core import crypto
from app.core.db import UnitOfWork, cross_shop, unit_of_work
from app.domains.shops import queries
from app.domains.shops.errors import ShopIsLive
from app.domains.shops.events import ShopErased
from app.domains.shops.service import directory

log = logging.getLogger(__name__)
SLICE_ROWS = 5000
KEPT_TABLES = frozenset({"shop_directory"})
_ERASED_BY_FUNCTION = "SELECT points_erase_shop(%(shop)s)"

_TABLES = """
WITH RECURSIVE owned AS (
  SELECT c.oid, c.relname::text AS name FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id' AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition),
depths AS (
  SELECT o.oid, 0 AS depth FROM owned o
  UNION SELECT k.conrelid, d.depth + 1 FROM pg_constraint k
    JOIN depths d ON k.confrelid = d.oid AND k.contype = 'f' AND k.conrelid <> k.confrelid
    JOIN owned o ON o.oid = k.conrelid WHERE d.depth < 20)
SELECT o.name, max(d.depth) AS depth, has_table_privilege(o.oid, 'DELETE') AS deletable,
  (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_index i
   JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = ANY(i.indkey)
   WHERE i.indrelid = o.oid AND i.indisprimary) AS key
FROM owned o JOIN depths d ON d.oid = o.oid GROUP BY o.oid, o.name ORDER BY max(d.depth) DESC, o.name
"""


def mark_erased(uow: UnitOfWork) -> bool:
    """Shopify asked to erase this shop: from now on nothing leads to it, and a job erases its rows.

    False when the shop has the app installed (again); then nothing happens.
    """
    shop = queries.get(uow)
    if shop is not None and shop.status == "installed":
        return False
    directory.set_status(uow, uow.shop, "erased")
    uow.execute("DELETE FROM api_key_directory WHERE shop_id = %(shop)s", {"shop": uow.shop})
    uow.enqueue("shops.erase")
    return True


def erase(shop_id: UUID, *, slice_rows: int = SLICE_ROWS) -> dict[str, int]:
    """Erase every row of a shop that is marked as erased. Returns how many rows went, by table. Raises ShopIsLive.

    May be repeated and interrupted at any point.
    """
    with unit_of_work(shop_id) as uow:
        _refuse_live(uow)
        domain = uow.scalar("SELECT domain FROM shops WHERE shop_id = %(shop)s", {"shop": shop_id})
        tables = [row for row in uow.all(_TABLES) if row["name"] not in KEPT_TABLES]
        uow.execute("SET LOCAL statement_timeout = '15min'")
        uow.execute(_ERASED_BY_FUNCTION, {"shop": shop_id})
    erased = {
        row["name"]: _erase_table(shop_id, row["name"], row["key"], slice_rows)
        for row in tables
        if row["deletable"]
    }
    with unit_of_work(shop_id) as uow:
        left = [row["name"] for row in tables if uow.scalar(*_any_row(row["name"], shop_id))]
        if left:
            raise RuntimeError(f"rows of an erased shop are left in {', '.join(left)}")
        if domain is not None:
            uow.publish([ShopErased(shop_id, domain)])
        uow.after_commit(lambda: crypto.forget_keys(shop_id))
    log.warning("shop %s was erased: %s rows", shop_id, sum(erased.values()))
    return {name: rows for name, rows in erased.items() if rows}


def _refuse_live(uow: UnitOfWork) -> None:
    """The directory's row is locked first, so that a shop cannot come back under this id meanwhile."""
    status = uow.scalar(
        "SELECT status FROM shop_directory WHERE shop_id = %(shop)s AND status <> 'erased' FOR UPDATE",
        {"shop": uow.shop},
    )
    if status is not None:
        raise ShopIsLive()


def _erase_table(shop_id: UUID, table: str, key: list[str], slice_rows: int) -> int:
    """Delete a shop's rows of one table, a slice a transaction."""
    columns = ", ".join(f'"{column}"' for column in key)
    sql = (
        f'DELETE FROM "{table}" WHERE ({columns}) IN'
        f' (SELECT {columns} FROM "{table}" WHERE shop_id = %(shop)s LIMIT %(limit)s)'
    )
    total = 0
    while True:
        with unit_of_work(shop_id) as uow:
            uow.execute("SET LOCAL statement_timeout = '5min'")
            gone = uow.execute(sql, {"shop": shop_id, "limit": slice_rows}).rowcount
        total += gone
        if gone < slice_rows:
            return total


def _any_row(table: str, shop_id: UUID) -> tuple[str, dict[str, UUID]]:
    return f'SELECT 1 FROM "{table}" WHERE shop_id = %(shop)s LIMIT 1', {"shop": shop_id}


def sweep() -> list[UUID]:
    """Shops whose erasure was begun and not finished, or that got late deliveries afterwards."""
    with cross_shop("erasures to be finished") as uow:
        return queries.list_half_erased(uow)
