"""Rules over the database's catalogue. Each takes a connection of the owner and returns what breaks it."""

from collections.abc import Callable
from typing import Any

import psycopg

Connection = psycopg.Connection[dict[str, Any]]
Rule = Callable[[Connection], list[str]]

GLOBAL = ("shop_directory", "api_key_directory", "alembic_version")
# Unique keys of the partitioned inbox contain its partition key after the shop; nothing else leaves the shop out.
APPLICATION = "loyalnest_app"

_TABLES = """
SELECT c.oid, c.relname::text AS name, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced, c.relispartition AS part,
  EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shop_id' AND NOT a.attisdropped) AS owned,
  EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'shop_id' AND a.attnotnull) AS always
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 2
"""


def _tables(connection: Connection, *, parts: bool = False) -> list[dict[str, Any]]:
    return [row for row in connection.execute(_TABLES).fetchall() if parts or not row["part"]]


def tables_belong_to_shops(connection: Connection) -> list[str]:
    """A table has a shop or is on the short global list."""
    return [
        f"{row['name']} has no shop_id"
        for row in _tables(connection)
        if row["name"] not in GLOBAL and not (row["owned"] and row["always"])
    ]


def policies_are_forced(connection: Connection) -> list[str]:
    """Every table of a shop has row-level security, forced, with a policy for reading and writing."""
    covered = {
        row["tablename"]
        for row in connection.execute(
            "SELECT tablename::text FROM pg_policies WHERE schemaname = 'public' AND cmd = 'ALL'"
            " AND permissive = 'PERMISSIVE' AND qual LIKE '%current_shop%'"
        ).fetchall()
    }
    return [
        f"{row['name']} is not protected"
        for row in _tables(connection)
        if row["name"] not in GLOBAL and not (row["secured"] and row["forced"] and row["name"] in covered)
    ]


def policies_stand_alone(connection: Connection) -> list[str]:
    """No second policy widens the first one."""
    rows = connection.execute(
        "SELECT tablename::text AS name FROM pg_policies WHERE schemaname = 'public' GROUP BY 1 HAVING count(*) > 1"
    ).fetchall()
    return [f"{row['name']} has several policies" for row in rows]


def keys_start_with_the_shop(connection: Connection) -> list[str]:
    """Primary and unique keys of a shop's table start with shop_id, so that nothing is unique across shops."""
    rows = connection.execute(
        "SELECT t.relname::text AS name, i.relname::text AS index, a.attname::text AS first FROM pg_index x"
        " JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid"
        " LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]"
        " WHERE t.relnamespace = 'public'::regnamespace AND x.indisunique"
    ).fetchall()
    return [
        f"{row['name']}.{row['index']} starts with {row['first']}"
        for row in rows
        if row["name"] not in GLOBAL and row["first"] != "shop_id"
    ]


def tables_have_primary_keys(connection: Connection) -> list[str]:
    """Every table has a primary key."""
    rows = connection.execute(
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary)"
    ).fetchall()
    return [f"{row['name']} has no primary key" for row in rows]


def references_carry_the_shop(connection: Connection) -> list[str]:
    """A foreign key between shops' tables contains shop_id on both sides."""
    rows = connection.execute(
        "SELECT k.conname::text AS name, k.conrelid::regclass::text AS table,"
        " (SELECT bool_or(a.attname = 'shop_id' AND b.attname = 'shop_id') FROM generate_subscripts(k.conkey, 1) n"
        "  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[n]"
        "  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[n]) AS carried"
        " FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace"
    ).fetchall()
    return [f"{row['table']}.{row['name']}" for row in rows if not row["carried"]]


def partitions_are_reached_through_their_table(connection: Connection) -> list[str]:
    """The application may not touch a partition, whose policy is that of its table."""
    return [
        f"{row['name']} can be used directly"
        for row in _tables(connection, parts=True)
        if row["part"]
        and _scalar(
            connection,
            "SELECT has_table_privilege(%s, %s::regclass, 'SELECT') OR has_table_privilege(%s, %s::regclass, 'INSERT') AS x",
            APPLICATION,
            row["name"],
            APPLICATION,
            row["name"],
        )
    ]


def the_application_owns_nothing(connection: Connection) -> list[str]:
    """Its role is neither superuser nor owner, bypasses nothing and creates nothing."""
    role = connection.execute(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = %s",
        (APPLICATION,),
    ).fetchone()
    found = ["there is no such role"] if role is None else [name for name, value in role.items() if value]
    owned = connection.execute(
        "SELECT c.relname::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " AND pg_get_userbyid(c.relowner) = %s"
        " UNION ALL SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
        " AND pg_get_userbyid(p.proowner) = %s",
        (APPLICATION, APPLICATION),
    ).fetchall()
    found += [f"owns {row['name']}" for row in owned]
    for role_name in ("pg_read_all_data", "pg_write_all_data", "loyalnest_owner"):
        exists = _scalar(connection, "SELECT 1 AS x FROM pg_roles WHERE rolname = %s", role_name)
        if exists and _scalar(
            connection, "SELECT pg_has_role(%s, %s, 'MEMBER') AS x", APPLICATION, role_name
        ):
            found.append(f"is a member of {role_name}")
    if _scalar(connection, "SELECT has_schema_privilege(%s, 'public', 'CREATE') AS x", APPLICATION):
        found.append("may create tables")
    return found


def history_cannot_be_rewritten(connection: Connection) -> list[str]:
    """The application adds to ledger and audit trail, and changes and deletes nothing there."""
    sql = "SELECT has_table_privilege(%s, %s::regclass, %s) AS x"
    return [
        f"may {right} {table}"
        for table in ("points_entries", "points_moves", "audit_entries")
        for right in ("UPDATE", "DELETE", "TRUNCATE")
        if _scalar(connection, sql, APPLICATION, table, right)
    ]


def powerful_functions_are_bounded(connection: Connection) -> list[str]:
    """Functions that run with the owner's rights fix their search path."""
    rows = connection.execute(
        "SELECT proname::text AS name, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    ).fetchall()
    return [
        row["name"]
        for row in rows
        if not any(one.startswith("search_path=") for one in row["proconfig"] or [])
    ]


def _scalar(connection: Connection, sql: str, *params: Any) -> Any:
    row = connection.execute(sql, params).fetchone()  # type: ignore[call-overload]
    return row["x"] if row else None


RULES: tuple[Rule, ...] = (
    tables_belong_to_shops,
    policies_are_forced,
    policies_stand_alone,
    keys_start_with_the_shop,
    tables_have_primary_keys,
    references_carry_the_shop,
    partitions_are_reached_through_their_table,
    the_application_owns_nothing,
    history_cannot_be_rewritten,
    powerful_functions_are_bounded,
)
