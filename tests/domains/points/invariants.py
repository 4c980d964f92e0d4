"""The laws of the ledger as SQL; each query lists what breaks it."""

from uuid import UUID

from app.core.db import UnitOfWork

_TABLES = ("points_accounts", "points_entries", "points_lots")

LAWS = {
    "an account is the sum of its entries": """
        SELECT a.member_id FROM points_accounts a
        LEFT JOIN (SELECT shop_id, member_id, sum(points) AS points FROM points_entries GROUP BY 1, 2) e
          USING (shop_id, member_id)
        WHERE a.available + a.pending + a.held - a.debt <> coalesce(e.points, 0)""",
    "an account is the sum of its lots": """
        SELECT a.member_id FROM points_accounts a
        LEFT JOIN (SELECT shop_id, member_id, sum(remaining) FILTER (WHERE NOT pending) AS available,
                     sum(remaining) FILTER (WHERE pending) AS pending, sum(held) AS held
                   FROM points_lots GROUP BY 1, 2) l USING (shop_id, member_id)
        WHERE (a.available, a.pending, a.held)
          <> (coalesce(l.available, 0), coalesce(l.pending, 0), coalesce(l.held, 0))""",
    "issued = available + pending + held + spent + expired + reversed": """
        SELECT shop_id FROM points_lots GROUP BY shop_id
        HAVING sum(points) <> sum(remaining + held + spent + expired + reversed)""",
    "debt and points to spend do not stand side by side": """
        SELECT member_id FROM points_accounts WHERE debt > 0 AND available > 0""",
    "an entry stands on the one before it": """
        SELECT id FROM (SELECT e.*, lag(available_after + pending_after + held_after - debt_after, 1, 0::bigint) OVER w
            AS before, lag(hash, 1, '\\x'::bytea) OVER w AS hash_before, row_number() OVER w AS n
          FROM points_entries e WINDOW w AS (PARTITION BY shop_id, member_id ORDER BY seq)) c
        WHERE available_after + pending_after + held_after - debt_after <> before + points
           OR previous_hash <> hash_before OR seq <> n""",
    "an entry's hash covers what it says": """
        SELECT e.id FROM public.points_entries e JOIN points_entries USING (shop_id, id) WHERE e.hash <> points_digest(e)""",
    "the account ends where its last entry ends": """
        SELECT a.member_id FROM points_accounts a
        LEFT JOIN LATERAL (SELECT * FROM points_entries e WHERE e.shop_id = a.shop_id AND e.member_id = a.member_id
          ORDER BY seq DESC LIMIT 1) e ON true
        WHERE a.seq > 0 AND ((a.available, a.pending, a.held, a.debt, a.seq, a.last_hash)
          <> (e.available_after, e.pending_after, e.held_after, e.debt_after, e.seq, e.hash))""",
}


def broken(uow: UnitOfWork, member: UUID | None = None) -> dict[str, list[dict[str, object]]]:
    """Laws that do not hold, with the rows that break them; of one member or of all that the work sees."""
    only = f"WHERE member_id = '{member}'" if member else ""
    seen = ", ".join(f"{table} AS (SELECT * FROM public.{table} {only})" for table in _TABLES)
    found = {law: uow.all(f"WITH {seen} {sql}") for law, sql in LAWS.items()}
    return {law: rows for law, rows in found.items() if rows}
