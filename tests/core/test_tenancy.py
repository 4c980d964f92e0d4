"""The nets that keep shops apart: the session's guard over every kind of statement, then the database's own policy."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import delete, exists, func, insert, select, text, union_all, update
from sqlalchemy.orm import Session, aliased

from app.core import ids
from app.core.db import UnitOfWork, cross_shop, unit_of_work
from app.core.settings import get_settings
from app.core.tenancy import UnscopedStatement, owned_tables
from app.domains.programs.models import Program
from app.domains.tiers.models import Tier, TierLadder
from app.factory import load_domains
from tests.fixtures import rows

MINE, THEIRS = ids.new_id(), ids.new_id()


@pytest.fixture(autouse=True)
def _two_shops(clean_database: None) -> None:
    """Each has a program `own`, with tiers, and the other's is called the same."""
    load_domains()
    for number, shop_id in enumerate((MINE, THEIRS)):
        with unit_of_work(shop_id) as uow:
            uow.execute(
                "INSERT INTO shops (shop_id, domain, installed_at) VALUES (%(shop)s, %(domain)s, now())",
                {"shop": shop_id, "domain": f"shop-{number}.myshopify.com"},
            )
            program = Program(name="own", points_per_unit=10 + number)
            uow.session.add(program)
            uow.session.flush()
            ladder = TierLadder(id=ids.new_id(), program_id=program.id, name="own")
            uow.session.add(ladder)
            uow.session.flush()
            for level in range(2 + number):
                uow.session.add(
                    Tier(program_id=program.id, ladder_id=ladder.id, name=f"tier {level}", threshold=level)
                )


@pytest.fixture
def session() -> Iterator[Session]:
    """A session of the first shop without the policy's help: only the guard stands between it and the other."""
    with unit_of_work(MINE) as uow:
        uow.execute("SELECT set_config('app.cross_shop', 'on', true)")
        yield uow.session


def test_without_the_guard_the_other_shop_would_be_seen() -> None:
    with cross_shop("test") as uow:
        assert uow.scalar("SELECT count(*) FROM tiers") == 5
        assert len(uow.session.scalars(select(Program)).all()) == 2


other = aliased(Tier)
STATEMENTS: dict[str, tuple[Callable[[], Any], Any]] = {
    "entity": (lambda: select(Tier.shop_id), [MINE, MINE]),
    "column": (lambda: select(Tier.threshold).order_by(Tier.threshold), [0, 1]),
    "aggregate": (lambda: select(func.count(Tier.id)), [2]),
    "maximum": (lambda: select(func.max(Tier.threshold)), [1]),
    "alias": (lambda: select(other.shop_id), [MINE, MINE]),
    "join": (
        lambda: select(Tier.shop_id).join(Program, Program.name == "own").where(Program.points_per_unit > 10),
        [],
    ),
    "outer join": (
        lambda: select(Tier.threshold).outerjoin(other, other.threshold == 2).where(other.id.is_not(None)),
        [],
    ),
    "subquery": (lambda: select(Program.shop_id).where(Program.id.in_(select(Tier.program_id))), [MINE]),
    "scalar subquery": (lambda: select(select(func.count(Tier.id)).scalar_subquery()), [2]),
    "exists": (lambda: select(Program.name).where(exists().where(Tier.threshold == 2)), []),
    "from subquery": (lambda: select(func.count()).select_from(select(Tier).subquery()), [2]),
    "common table expression": (lambda: select(func.count()).select_from(select(Tier).cte()), [2]),
    "counting rows": (lambda: select(func.count()).select_from(Tier), [2]),
}


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_statement_sees_its_own_shop_or_is_refused(session: Session, kind: str) -> None:
    make, expected = STATEMENTS[kind]
    try:
        found = list(session.scalars(make()).all())
    except UnscopedStatement:
        return
    assert found == expected


MUST_WORK = ("entity", "column", "aggregate", "alias", "join", "subquery", "counting rows")


@pytest.mark.parametrize("kind", MUST_WORK)
def test_ordinary_statements_are_not_refused(session: Session, kind: str) -> None:
    make, expected = STATEMENTS[kind]
    assert list(session.scalars(make()).all()) == expected


REFUSED: dict[str, Callable[[], Any]] = {
    "table": lambda: select(Tier.__table__.c.name),
    "table in from": lambda: select(func.count()).select_from(Tier.__table__),
    "table in where": lambda: select(Program).where(Program.id == Tier.__table__.c.program_id),
    "table update": lambda: update(Tier.__table__).values(name="x"),
    "table delete": lambda: delete(Tier.__table__),
    "table insert": lambda: insert(Tier.__table__).values(name="x"),
    "text": lambda: text("SELECT name FROM tiers"),
    "text as entities": lambda: select(Tier).from_statement(text("SELECT * FROM tiers")),
    "union": lambda: union_all(select(Tier.name), select(Program.name)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_scoped_is_refused(session: Session, kind: str) -> None:
    with pytest.raises(UnscopedStatement):
        session.execute(REFUSED[kind]())


def test_bulk_changes_touch_their_own_shop() -> None:
    with unit_of_work(MINE) as uow:
        uow.execute("SELECT set_config('app.cross_shop', 'on', true)")
        uow.session.execute(update(Tier).values(name="mine"))
        uow.session.execute(delete(Tier).where(Tier.threshold == 1))
    with cross_shop("test") as uow:
        names = uow.all("SELECT shop_id, array_agg(name ORDER BY name) AS names FROM tiers GROUP BY shop_id")
    assert {row["shop_id"]: row["names"] for row in names} == {
        MINE: ["mine"],
        THEIRS: ["tier 0", "tier 1", "tier 2"],
    }


def test_a_row_is_found_by_its_whole_key_only(session: Session) -> None:
    program = session.scalars(select(Program)).one()
    assert session.get(Program, (MINE, program.id)) is program
    theirs = (
        session.connection()
        .exec_driver_sql(f"SELECT id FROM programs WHERE shop_id = '{THEIRS}'")
        .scalar_one()
    )
    assert session.get(Program, (MINE, theirs)) is None
    assert session.get(Program, (THEIRS, theirs)) is None


def test_a_new_row_belongs_to_the_units_shop(session: Session) -> None:
    program = Program(name="new", points_per_unit=1)
    session.add(program)
    session.flush()
    assert program.shop_id == MINE
    session.add(Program(shop_id=THEIRS, name="smuggled", points_per_unit=1))
    with pytest.raises(UnscopedStatement, match="another shop"):
        session.flush()
    session.expunge_all()


def test_work_across_shops_has_no_guard() -> None:
    with cross_shop("test") as uow:
        assert {row.shop_id for row in uow.session.scalars(select(Program))} == {MINE, THEIRS}


def test_every_mapped_table_of_a_shop_is_guarded() -> None:
    found = {table.name for table in owned_tables()}
    assert {"programs", "tiers", "rewards"} <= found
    assert found <= set(rows.shop_tables())


def in_database(shop_id: UUID | None, statement: str) -> list[dict[str, Any]]:
    """Run text with the policy alone: no shop named, one named, or work across shops when None."""
    if shop_id is None:
        with cross_shop("test") as uow:
            return uow.all(statement)
    with unit_of_work(shop_id) as uow:
        return uow.all(statement)


def test_the_policy_shows_a_shop_its_rows() -> None:
    assert len(in_database(MINE, "SELECT 1 FROM tiers")) == 2
    assert len(in_database(THEIRS, "SELECT 1 FROM tiers")) == 3
    assert len(in_database(ids.new_id(), "SELECT 1 FROM tiers")) == 0
    assert len(in_database(None, "SELECT 1 FROM tiers")) == 5


def test_without_a_shop_nothing_is_there() -> None:
    with psycopg.connect(get_settings().database_url) as connection:
        for table in rows.shop_tables():
            if table not in ("shop_directory", "api_key_directory"):
                assert connection.execute(f'SELECT count(*) FROM "{table}"').fetchone() == (0,), table  # type: ignore[call-overload]


def test_the_policy_refuses_foreign_rows() -> None:
    def smuggle(uow: UnitOfWork) -> None:
        uow.execute(
            "INSERT INTO staff (shop_id, id, user_id) VALUES (%(shop)s, %(id)s, '1')",
            {"shop": THEIRS, "id": ids.new_id()},
        )

    with pytest.raises(psycopg.errors.InsufficientPrivilege), unit_of_work(MINE) as uow:
        smuggle(uow)


def test_the_policy_lets_no_row_move() -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), unit_of_work(MINE) as uow:
        uow.execute("UPDATE tiers SET shop_id = %(shop)s", {"shop": THEIRS})


def test_foreign_rows_are_neither_changed_nor_deleted() -> None:
    with unit_of_work(MINE) as uow:
        changed = uow.execute("UPDATE tiers SET name = 'x' WHERE shop_id = %(shop)s", {"shop": THEIRS})
        assert changed.rowcount == 0
        assert uow.execute("DELETE FROM programs WHERE shop_id = %(shop)s", {"shop": THEIRS}).rowcount == 0


@pytest.mark.parametrize("statement", ["SELECT points_erase_shop(%(other)s)"])
def test_functions_do_not_reach_another_shop(statement: str) -> None:
    with pytest.raises(psycopg.errors.RaiseException), unit_of_work(MINE) as uow:
        uow.execute(statement, {"other": THEIRS})


def test_the_role_can_neither_bypass_nor_change_the_policy() -> None:
    with unit_of_work(MINE) as uow:
        role = uow.one(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
    assert role is not None and not any(role.values())
    for statement in (
        "ALTER TABLE tiers DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_shop ON tiers",
        "SET ROLE postgres",
        "CREATE TABLE sneaky (x int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), unit_of_work(MINE) as uow:
            uow.execute(statement)
