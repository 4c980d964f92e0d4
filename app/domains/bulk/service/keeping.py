"""Making a bulk action, and reading where it stands."""

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids
from app.core.db import SYSTEM, Actor, UnitOfWork, unit_of_work
from app.core.errors import Invalid
from app.core.i18n import mark
from app.domains.bulk import queries, rules
from app.domains.bulk.errors import FileRefused, RunNotFound
from app.domains.bulk.schemas import Audience, Kind, RowIn, Run, Wanted
from app.domains.compliance import service as compliance
from app.domains.members.errors import MemberNotFound
from app.domains.members.schemas import MembersFilter
from app.domains.notifications import service as notifications
from app.domains.segments import service as segments
from app.domains.tiers import service as tiers

CHECK = "bulk.check"
_PART_CHARACTERS = 200_000
_INSERT = """
INSERT INTO bulk_runs (shop_id, id, kind, status, audience, parameters, reason, note, expected, actor_kind, actor_id,
  actor_label, touched_at, created_at)
VALUES (%(shop)s, %(id)s, %(kind)s, 'checking', %(audience)s, %(parameters)s, %(reason)s, %(note)s, %(expected)s,
  %(actor_kind)s, %(actor_id)s, %(actor_label)s, %(now)s, %(now)s)
"""


def create(uow: UnitOfWork, wanted: Wanted, audience: Audience, text: str | None = None) -> Run:
    """Make a bulk action and have its dry run made after the commit; nothing is done to anybody yet.

    `text` is the file of a "file" audience. Raises Invalid with the refused fields, FileRefused, SegmentNotFound.
    """
    _check(uow, wanted, audience)
    expected = _expected(uow, audience, text)
    run_id = ids.new_id()
    uow.execute(
        _INSERT,
        {
            "shop": uow.shop,
            "id": run_id,
            "kind": wanted.kind,
            "audience": Jsonb(_told(audience)),
            "parameters": Jsonb(_parameters(wanted)),
            "reason": wanted.reason,
            "note": wanted.note,
            "expected": expected,
            "now": uow.now,
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "actor_label": uow.actor.label,
        },
    )
    if text is not None:
        _keep_file(uow, run_id, text)
    compliance.record(
        uow,
        "bulk.created",
        ("bulk_run", str(run_id)),
        None,
        {"kind": wanted.kind, "reason": wanted.reason, "audience": audience.kind, "rows": expected},
    )
    uow.enqueue(CHECK, run=str(run_id))
    return get(uow, run_id)


def _check(uow: UnitOfWork, wanted: Wanted, audience: Audience) -> None:
    refused: dict[str, str] = {}
    if wanted.kind == "enroll" and audience.kind != "file" and audience != guests():
        raise Invalid(mark("Enroll people by a file of e-mails, or whoever ordered as a guest."))
    if wanted.kind in ("tag", "untag") and not wanted.tags:
        refused["tags"] = mark("Enter at least one tag.")
    if wanted.kind == "tier" and wanted.tier_id not in {one for one, _ in tiers.options(uow)}:
        refused["tier_id"] = mark("Choose a tier.")
    if wanted.lock_until and wanted.lock_until <= uow.now:
        refused["locked_until"] = mark("Choose a day in the future.")
    if wanted.kind == "email":
        refused |= notifications.missing_words(uow, wanted.subjects, wanted.texts)
    if refused:
        raise Invalid(fields=refused)


def _expected(uow: UnitOfWork, audience: Audience, text: str | None) -> int | None:
    """How many rows there will be at most, as far as that is known now."""
    if audience.kind == "file":
        if text is None:
            raise FileRefused("empty")
        how = rules.layout(text)
        rows = text.count("\n") + (not text.endswith("\n")) - how.skip
        if rows <= 0:
            raise FileRefused("rows")
        return rows
    if audience.kind == "segment":
        assert audience.segment_id is not None
        return segments.get(uow, audience.segment_id).size
    if audience.kind == "members":
        if not audience.member_ids:
            raise MemberNotFound()
        return len(audience.member_ids)
    MembersFilter.model_validate(audience.filter, extra="forbid")
    return None


def _told(audience: Audience) -> dict[str, Any]:
    told = asdict(audience)
    told["segment_id"] = str(audience.segment_id) if audience.segment_id else None
    told["member_ids"] = [str(one) for one in audience.member_ids]
    return told


def _parameters(wanted: Wanted) -> dict[str, Any]:
    return {
        "points": wanted.points,
        "tags": sorted({one.strip() for one in wanted.tags if one.strip()}),
        "tier_id": str(wanted.tier_id) if wanted.tier_id else None,
        "lock_until": wanted.lock_until.isoformat() if wanted.lock_until else None,
        "subject": wanted.subjects,
        "text": wanted.texts,
    }


def _keep_file(uow: UnitOfWork, run_id: UUID, text: str) -> None:
    parts = [text[at : at + _PART_CHARACTERS] for at in range(0, len(text), _PART_CHARACTERS)]
    uow.execute(
        "INSERT INTO bulk_parts (shop_id, run_id, n, text_sealed)"
        " SELECT %(shop)s, %(run)s, v.n, v.text FROM unnest(%(texts)s::bytea[]) WITH ORDINALITY AS v (text, n)",
        {"shop": uow.shop, "run": run_id, "texts": [uow.seal(one, queries.PART) for one in parts]},
    )


def as_file(rows: Iterable[RowIn]) -> str:
    """Rows of a request as the file that they could have been."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("who", *_OF_A_ROW))
    writer.writerows((one.member, *(_written(getattr(one, name)) for name in _OF_A_ROW)) for one in rows)
    return out.getvalue()


_OF_A_ROW = ("points", "reason", "first_name", "last_name", "locale", "birthday")


def _written(value: Any) -> Any:
    return "" if value is None else value


def guests() -> Audience:
    """Whoever ordered as a guest and was not enrolled yet."""
    return Audience("filter", filter={"status": "guest", "source": "guest"})


def get(uow: UnitOfWork, run_id: UUID) -> Run:
    """One bulk action. Raises RunNotFound."""
    found = queries.run(uow, run_id)
    if found is None:
        raise RunNotFound()
    return found


@contextlib.contextmanager
def work_slice(shop_id: UUID, actor: Actor = SYSTEM) -> Iterator[UnitOfWork]:
    """One transaction of a job that goes on where the run stands.

    It does not wait until its commit is on the disk. What a crash of the database loses are whole slices with the run's place
    in them, so they are done again; and whatever others commit because they saw a slice is on the disk only after it.
    """
    with unit_of_work(shop_id, actor=actor) as uow:
        uow.execute("SET LOCAL synchronous_commit = off")
        yield uow


def moves_points(kind: Kind) -> bool:
    """Whether a kind of action moves points; what it would move counts by the shop's rules for adjusting."""
    return kind in rules.POINT_KINDS or kind == "enroll"


def describe(uow: UnitOfWork, run: Run) -> dict[str, Any]:
    """What a run points to: "tier", the name of the one it moves to; its "filter"; "tiers" and "segments" by id."""
    tier = run.parameters.get("tier_id")
    by_filter = run.audience["kind"] == "filter"
    chosen = MembersFilter.model_validate(run.audience["filter"]) if by_filter else None
    levels = dict(tiers.options(uow)) if tier or (chosen and chosen.tier) else {}
    known = segments.options(uow) if chosen and chosen.segment else []
    return {
        "tier": levels.get(UUID(tier)) if tier else None,
        "filter": chosen,
        "tiers": levels,
        "segments": {one.id: one.name for one in known},
    }


def segment_options(uow: UnitOfWork) -> Sequence[tuple[UUID, str, int]]:
    """The shop's segments as (id, name, size)."""
    return [(one.id, one.name, one.size) for one in segments.options(uow)]
