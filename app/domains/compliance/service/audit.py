"""The audit trail: written in the transaction that makes the change, never changed afterwards."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import UnitOfWork
from app.core.paging import Page, Stretch
from app.domains.compliance import queries
from app.domains.compliance.schemas import AuditEntry, Change

_INSERT = """
INSERT INTO audit_entries (shop_id, created_at, id, actor_kind, actor_id, actor_label, action, subject_kind, subject_id,
  before, after)
SELECT %(shop)s, %(now)s, v.id, %(actor_kind)s, %(actor_id)s, %(actor_label)s, %(action)s, v.kind, v.subject, v.before,
  v.after
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(subjects)s::text[], %(befores)s::jsonb[], %(afters)s::jsonb[])
  AS v (id, kind, subject, before, after)
"""


def record(
    uow: UnitOfWork,
    action: str,
    subject: tuple[str, str],
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Note one change of `subject` (kind, id). The actor is the unit of work's; personal data has no place here."""
    record_many(uow, action, [Change(subject[0], subject[1], before, after)])


def record_many(uow: UnitOfWork, action: str, changes: Sequence[Change]) -> None:
    """Note the same action on many subjects with one statement."""
    if not changes:
        return
    uow.execute(
        _INSERT,
        {
            "shop": uow.shop,
            "now": uow.now,
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "actor_label": uow.actor.label,
            "action": action,
            "ids": [ids.new_id() for _ in changes],
            "kinds": [change.subject_kind for change in changes],
            "subjects": [change.subject_id for change in changes],
            "befores": [Jsonb(change.before) if change.before is not None else None for change in changes],
            "afters": [Jsonb(change.after) if change.after is not None else None for change in changes],
        },
    )


def list_entries(
    uow: UnitOfWork, subject: tuple[str, str] | None = None, *, limit: int = 50, cursor: str | None = None
) -> Page[AuditEntry]:
    """A page of the audit trail, newest first: of one subject (kind, id), or of the whole shop. Raises StaleCursor."""
    return queries.list_entries(uow, subject, limit=limit, cursor=cursor)


def of_subjects(
    uow: UnitOfWork, subjects: tuple[str, Sequence[str]], part: Stretch, without: Sequence[str] = ()
) -> list[AuditEntry]:
    """What was changed at several subjects (kind, ids) in a stretch of the trail, but for entries that name one of these."""
    return queries.of_subjects(uow, subjects, part, without)


def actors(
    uow: UnitOfWork, kind: str, changes: Collection[tuple[str, datetime]]
) -> dict[tuple[str, datetime], str]:
    """The labels of whoever changed subjects of a kind at these instants (id, instant), as far as somebody did."""
    return queries.actors(uow, kind, changes) if changes else {}


def noted_since(
    uow: UnitOfWork, action: str, subject: tuple[str, str | None], field: str, since: datetime
) -> tuple[int, int]:
    """How often an action was noted at a subject (kind, id), or at all of a kind, and what a number in it adds up to."""
    return queries.noted_since(uow, action, subject, field, since)


def ever(uow: UnitOfWork, subject: tuple[str, str], field: str, values: Sequence[str]) -> bool:
    """Whether a subject's audit trail says that `field` once had one of these values."""
    return queries.ever(uow, subject, field, values)
