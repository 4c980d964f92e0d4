"""The second net of tenant isolation: an ORM session adds its shop to every statement and refuses what it cannot scope.

The first net is the unit of work, the third forced row-level security, the fourth keys that carry the shop.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Insert, Select, Table, Update, event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors

from app.core.db import Base, ShopOwned


class UnscopedStatement(RuntimeError):
    """A statement names a shop's table in a way the guard cannot scope."""


def owned_tables() -> frozenset[Table]:
    """Every mapped table that belongs to a shop."""
    return frozenset(
        mapper.local_table  # type: ignore[misc]
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, ShopOwned)
    )


def guard(session: Session, shop_id: UUID | None) -> None:
    """Bind a session to one shop. With None (work across shops) nothing is added; row-level security still applies."""
    if shop_id is None:
        return

    def scope(state: ORMExecuteState) -> None:
        _refuse_unscoped(state)
        if state.is_select or state.is_update or state.is_delete:
            state.statement = state.statement.options(
                with_loader_criteria(
                    ShopOwned,
                    lambda cls: cls.shop_id == shop_id,
                    include_aliases=True,
                    track_closure_variables=True,
                )
            )

    def own_new_rows(working: Session, *_: Any) -> None:
        for row in working.new:
            if isinstance(row, ShopOwned):
                owner: UUID | None = row.shop_id
                if owner is None:
                    row.shop_id = shop_id
                elif owner != shop_id:
                    raise UnscopedStatement(f"a new {type(row).__name__} belongs to another shop")

    event.listen(session, "do_orm_execute", scope)
    event.listen(session, "before_flush", own_new_rows)


def _refuse_unscoped(state: ORMExecuteState) -> None:
    """Core tables, text and set operations name owned tables without an entity, so no criterion would reach them."""
    statement = state.statement
    if not isinstance(statement, (Select, Update, Delete, Insert)):
        raise UnscopedStatement(f"{type(statement).__name__} statements run through UnitOfWork.execute")
    visible = _entity_tables(statement)
    for element in visitors.iterate(statement):
        if isinstance(element, Table) and element in owned_tables() and element not in visible:
            raise UnscopedStatement(f"table {element.name} is named without its entity")


def _entity_tables(statement: Any) -> set[Any]:
    found: set[Any] = set()
    for element in visitors.iterate(statement):
        annotations = getattr(element, "_annotations", {})
        parent = annotations.get("parententity")
        if parent is not None:
            found.add(parent.mapper.local_table)
    return found
