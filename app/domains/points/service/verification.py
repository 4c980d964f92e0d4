"""Proof of the ledger: everything that is stored is worked out again from what cannot be changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.db import UnitOfWork, unit_of_work
from app.domains.points import queries
from app.domains.points.schemas import Finding

_SLICE = 200
_LONGEST = timedelta(hours=1)


@dataclass(frozen=True)
class Verified:
    """How much was looked at, and the first finding of each member whose ledger does not add up."""

    members: int
    entries: int
    findings: list[Finding]


def verify(
    shop_id: UUID,
    *,
    since: datetime | None = None,
    on_progress: Callable[[int, int], None] = lambda members, entries: None,
) -> Verified:
    """Recompute balances, lots, the chain of amounts and the chain of hashes of a shop's members, in slices.

    `since` limits it to members with entries from that instant on; their whole chains are checked. `on_progress` hears
    how many members and entries are done. Each slice is read in one snapshot, so that the ledger may go on meanwhile.
    """
    done, entries = 0, 0
    findings: list[Finding] = []
    for member_ids in _slices(shop_id, since):
        with unit_of_work(shop_id, snapshot=True) as uow:
            entries += queries.count_entries(uow, member_ids)
            findings += check(uow, member_ids)
        done += len(member_ids)
        on_progress(done, entries)
    return Verified(done, entries, findings)


def _slices(shop_id: UUID, since: datetime | None) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while True:
        with unit_of_work(shop_id) as uow:
            found = queries.members_with_entries(uow, after, since, _SLICE)
        if not found:
            return
        yield found
        after = found[-1]


def check(uow: UnitOfWork, member_ids: list[UUID]) -> list[Finding]:
    """The first thing that does not add up for each of these members; nothing when all does."""
    first: dict[UUID, Finding] = {}
    for law, rows in queries.broken_laws(uow, member_ids).items():
        for row in rows:
            found = Finding(law, row["member_id"], row["entry_id"], row["seq"])
            known = first.get(found.member_id)
            if known is None or found.position < known.position:
                first[found.member_id] = found
    return sorted(first.values(), key=lambda one: (one.position, str(one.member_id)))


def note(uow: UnitOfWork, result: Verified) -> None:
    """Remember the outcome, so that the admin can show when the ledger was last proved."""
    uow.execute(
        "INSERT INTO points_proofs (shop_id, members, entries, findings, checked_at)"
        " VALUES (%(shop)s, %(members)s, %(entries)s, %(findings)s, %(now)s)"
        " ON CONFLICT (shop_id) DO UPDATE SET members = excluded.members, entries = excluded.entries,"
        " findings = excluded.findings, checked_at = excluded.checked_at",
        {
            "shop": uow.shop,
            "members": result.members,
            "entries": result.entries,
            "findings": [one.entry_id or one.member_id for one in result.findings[:100]],
            "now": uow.now,
        },
    )


def start_proof(uow: UnitOfWork) -> bool:
    """Let a job verify the whole ledger now; False when one is at it."""
    known = queries.proof_run(uow)
    if known and known["ended_at"] is None and uow.now - known["started_at"] < _LONGEST:
        return False
    uow.execute(
        "INSERT INTO points_proof_runs (shop_id, members, started_at)"
        " SELECT %(shop)s, count(*), %(now)s FROM points_accounts WHERE shop_id = %(shop)s"
        " ON CONFLICT (shop_id) DO UPDATE SET members = excluded.members, members_done = 0, entries_done = 0,"
        " started_at = excluded.started_at, ended_at = NULL",
        {"shop": uow.shop, "now": uow.now},
    )
    uow.enqueue("points.prove")
    return True


def prove(shop_id: UUID) -> Verified:
    """Verify the whole ledger, telling how far it is, and remember the outcome. Safe to run again."""

    def tell(members: int, entries: int) -> None:
        with unit_of_work(shop_id) as uow:
            uow.execute(
                "UPDATE points_proof_runs SET members_done = %(members)s, entries_done = %(entries)s"
                " WHERE shop_id = %(shop)s",
                {"shop": uow.shop, "members": members, "entries": entries},
            )

    result = verify(shop_id, on_progress=tell)
    with unit_of_work(shop_id) as uow:
        note(uow, result)
        uow.execute(
            "UPDATE points_proof_runs SET ended_at = %(now)s WHERE shop_id = %(shop)s",
            {"shop": uow.shop, "now": uow.now},
        )
    return result
