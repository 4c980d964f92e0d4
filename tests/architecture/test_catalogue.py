"""Rules over the database's catalogue, and a change that breaks each of them."""

from collections.abc import Iterator

import pytest

from tests.architecture import catalogue
from tests.architecture.catalogue import Connection, Rule
from tests.fixtures import rows

TABLE = "CREATE TABLE sample (shop_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (shop_id, id))"
PROTECT = "CALL protect('sample')"
GRANT = "GRANT {rights} ON {table} TO " + catalogue.APPLICATION

BREACHES: list[tuple[Rule, list[str]]] = [
    (catalogue.tables_belong_to_shops, ["CREATE TABLE sample (id uuid PRIMARY KEY)"]),
    (catalogue.tables_belong_to_shops, ["CREATE TABLE sample (id uuid PRIMARY KEY, shop_id uuid)"]),
    (catalogue.policies_are_forced, [TABLE]),
    (catalogue.policies_are_forced, [TABLE, PROTECT, "ALTER TABLE sample NO FORCE ROW LEVEL SECURITY"]),
    (catalogue.policies_are_forced, [TABLE, PROTECT, "ALTER TABLE sample DISABLE ROW LEVEL SECURITY"]),
    (catalogue.policies_are_forced, [TABLE, PROTECT, "DROP POLICY own_shop ON sample"]),
    (
        catalogue.policies_are_forced,
        [TABLE, PROTECT, "DROP POLICY own_shop ON sample", "CREATE POLICY all_of_it ON sample USING (true)"],
    ),
    (catalogue.policies_stand_alone, [TABLE, PROTECT, "CREATE POLICY more ON sample USING (true)"]),
    (
        catalogue.keys_start_with_the_shop,
        ["CREATE TABLE sample (shop_id uuid NOT NULL, id uuid PRIMARY KEY)"],
    ),
    (catalogue.keys_start_with_the_shop, [TABLE, "ALTER TABLE sample ADD COLUMN code text UNIQUE"]),
    (catalogue.keys_start_with_the_shop, [TABLE, "CREATE UNIQUE INDEX ON sample (lower(id::text))"]),
    (catalogue.tables_have_primary_keys, ["CREATE TABLE sample (shop_id uuid NOT NULL)"]),
    (
        catalogue.references_carry_the_shop,
        [
            "CREATE TABLE parent (id uuid PRIMARY KEY)",
            "CREATE TABLE sample (shop_id uuid, id uuid REFERENCES parent)",
        ],
    ),
    (
        catalogue.partitions_are_reached_through_their_table,
        [GRANT.format(rights="SELECT", table="audit_entries_rest")],
    ),
    (catalogue.the_application_owns_nothing, ["GRANT CREATE ON SCHEMA public TO " + catalogue.APPLICATION]),
    (catalogue.history_cannot_be_rewritten, [GRANT.format(rights="UPDATE", table="audit_entries")]),
    (catalogue.history_cannot_be_rewritten, [GRANT.format(rights="DELETE", table="points_entries")]),
    (
        catalogue.powerful_functions_are_bounded,
        ["CREATE FUNCTION sample() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"],
    ),
]


@pytest.fixture
def owner() -> Iterator[Connection]:
    """A connection of the schema's owner whose changes are undone."""
    with rows.connect() as connection:
        connection.autocommit = False
        yield connection
        connection.rollback()


@pytest.mark.parametrize("rule", catalogue.RULES, ids=lambda rule: rule.__name__)
def test_the_schema_keeps_it(rule: Rule, owner: Connection) -> None:
    assert rule(owner) == []


@pytest.mark.parametrize(("rule", "statements"), BREACHES)
def test_a_change_that_breaks_it_is_noticed(rule: Rule, statements: list[str], owner: Connection) -> None:
    owner.execute("SELECT set_config('loyalnest.app_role', %s, true)", (catalogue.APPLICATION,))
    for statement in statements:
        owner.execute(statement)  # type: ignore[call-overload]
    assert rule(owner)


def test_a_protected_table_breaks_nothing(owner: Connection) -> None:
    owner.execute("SELECT set_config('loyalnest.app_role', %s, true)", (catalogue.APPLICATION,))
    owner.execute(TABLE)  # type: ignore[call-overload]
    owner.execute(PROTECT)  # type: ignore[call-overload]
    assert [found for rule in catalogue.RULES for found in rule(owner)] == []


def test_every_rule_has_a_breach() -> None:
    assert {rule for rule, _ in BREACHES} == set(catalogue.RULES)


def test_the_global_list_is_short_and_true() -> None:
    assert len(catalogue.GLOBAL) == 3
    with rows.connect() as connection:
        known = connection.execute(
            "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
    assert set(catalogue.GLOBAL) <= {row["name"] for row in known}
