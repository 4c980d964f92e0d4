"""Previewing a ladder on the shop's real members before it is saved: who would move, seen slice by slice."""

from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from app.core import ids, paging
from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.tiers import queries, rules
from app.domains.tiers.errors import SimulationNotFound, SimulationRunning, StaleVersion
from app.domains.tiers.queries import lists
from app.domains.tiers.queries.values import values
from app.domains.tiers.schemas import Held, Ladder, Outcome, PreviewLine, PreviewQuery, Value
from app.domains.tiers.service import keeping, reading
from app.domains.tiers.service.placing import ladders, windows_of, zone

SLICE = 5_000
# Up to here the answer comes with the page that asked; beyond it a job goes through the members.
AT_ONCE = 2_000


def simulate(uow: UnitOfWork, draft: Ladder, *, version: int) -> UUID:
    """Start a simulation of a draft; returns its id. A small shop has its result at once, a job sees larger ones.

    `version` is that of the ladder the draft started from, 0 for a new one. Raises StaleVersion.
    """
    before = queries.ladder(uow, draft.id)
    if before is not None and before.version != version:
        raise StaleVersion(current=before.version)
    if draft.metric != "points":
        reading.start(uow)
    simulation_id = ids.new_id()
    total = queries.count_members(uow)
    uow.execute(
        "INSERT INTO tier_simulations (shop_id, id, ladder_id, ladder_version, draft, total, created_at)"
        " VALUES (%(shop)s, %(id)s, %(ladder)s, %(version)s, %(draft)s::jsonb, %(total)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": simulation_id,
            "ladder": draft.id,
            "version": version,
            "draft": orjson.dumps(rules.to_json(draft)).decode(),
            "total": total,
            "now": uow.now,
        },
    )
    if total <= AT_ONCE and (draft.metric == "points" or reading.has_read(uow)):
        while run_slice(uow, simulation_id):
            pass
    else:
        uow.enqueue("tiers.simulate", simulation=str(simulation_id))
    return simulation_id


def get(uow: UnitOfWork, simulation_id: UUID, *, lock: bool = False) -> dict[str, Any]:
    """A simulation with `ladder` (the draft), progress and result. Raises SimulationNotFound."""
    found = lists.simulation(uow, simulation_id, lock=lock)
    if found is None:
        raise SimulationNotFound()
    return found | {"ladder": rules.from_json(found["draft"])}


def run(shop_id: UUID, simulation_id: UUID) -> None:
    """See everybody, a slice per transaction; a job that was stopped goes on where it was."""
    while True:
        with unit_of_work(shop_id) as uow:
            if get(uow, simulation_id)["ladder"].metric == "points" or reading.has_read(uow):
                break
            _note(uow, simulation_id, status="reading")
            reading.read_page(uow)
    more = True
    while more:
        with unit_of_work(shop_id) as uow:
            more = run_slice(uow, simulation_id)


def run_slice(uow: UnitOfWork, simulation_id: UUID) -> bool:
    """Judge the next members under the draft; False when everybody was seen."""
    found = get(uow, simulation_id, lock=True)
    if found["status"] == "done":
        return False
    draft: Ladder = found["ladder"]
    if draft.metric == "rfm" and found["after"] is None:
        reading.score(uow, draft.months)
    member_ids = queries.slice_of_members(uow, found["after"], SLICE)
    matrix = Counter({tuple(key): count for key, count in found["result"].get("matrix", [])})
    moves = _judge(uow, draft, member_ids, matrix)
    _keep_moves(uow, simulation_id, moves)
    done = len(member_ids) < SLICE
    _note(
        uow,
        simulation_id,
        status="done" if done else "running",
        after=member_ids[-1] if member_ids else None,
        seen=len(member_ids),
        result={"matrix": [[list(key), count] for key, count in matrix.items()]},
    )
    return not done


Move = tuple[UUID, str | None, str | None, Outcome, int]


def _judge(
    uow: UnitOfWork, draft: Ladder, member_ids: list[UUID], matrix: "Counter[tuple[Any, ...]]"
) -> list[Move]:
    """Who moves; the matrix counts (from, to, outcome) of everybody, tiers by id."""
    at = zone(uow)
    old = queries.ladder(uow, draft.id)
    windows = windows_of(uow, draft, member_ids, at)
    have = values(uow, draft.metric, windows, lifetime=draft.period == "lifetime")
    held = queries.held(uow, member_ids, draft.id)
    moves: list[Move] = []
    for member in member_ids:
        before, value = held.get((draft.id, member)), have.get(member, Value())
        verdict = rules.decide(draft, windows[member], value, before, uow.now, at)
        to = draft.levels[verdict.rank] if verdict.rank is not None else None
        news = verdict.grace_until is not None and (before is None or before.grace_until is None)
        outcome = _outcome(draft, before, verdict.rank, later=news)
        was = _name(old, before)
        matrix[(was, to.name if to else None, outcome or "stays")] += 1
        if outcome:
            moves.append((member, was, to.name if to else None, outcome, value.now))
    return moves


def _name(old: Ladder | None, held: Held | None) -> str | None:
    rank = old.rank(held.tier_id) if old and held else None
    return old.levels[rank].name if old and rank is not None else None


def _outcome(draft: Ladder, held: Held | None, rank: int | None, *, later: bool) -> Outcome | None:
    had = draft.rank(held.tier_id) if held else None
    if later:
        return "later"
    if held is None:
        return "up" if rank else None
    if held.tier_id is not None and had is None:
        return "up" if rank else "down"
    if had == rank:
        return None
    return "up" if (-1 if rank is None else rank) > (-1 if had is None else had) else "down"


def _keep_moves(uow: UnitOfWork, simulation_id: UUID, moves: list[Move]) -> None:
    if not moves:
        return
    uow.execute(
        "INSERT INTO tier_simulated_moves (shop_id, simulation_id, member_id, from_name, to_name, outcome, value)"
        " SELECT %(shop)s, %(id)s, v.* FROM unnest(%(members)s::uuid[], %(was)s::text[], %(will)s::text[],"
        " %(outcomes)s::text[], %(values)s::bigint[]) AS v ON CONFLICT DO NOTHING",
        {
            "shop": uow.shop,
            "id": simulation_id,
            "members": [one[0] for one in moves],
            "was": [one[1] for one in moves],
            "will": [one[2] for one in moves],
            "outcomes": [one[3] for one in moves],
            "values": [one[4] for one in moves],
        },
    )


def _note(
    uow: UnitOfWork,
    simulation_id: UUID,
    *,
    status: str,
    after: UUID | None = None,
    seen: int = 0,
    result: dict[str, Any] | None = None,
) -> None:
    uow.execute(
        "UPDATE tier_simulations SET status = %(status)s, after = coalesce(%(after)s, after), seen = seen + %(seen)s,"
        " result = coalesce(%(result)s::jsonb, result) WHERE shop_id = %(shop)s AND id = %(id)s",
        {
            "shop": uow.shop,
            "id": simulation_id,
            "status": status,
            "after": after,
            "seen": seen,
            "result": orjson.dumps(result).decode() if result is not None else None,
        },
    )


def apply(uow: UnitOfWork, simulation_id: UUID) -> Ladder:
    """Save the ladder that was previewed. Raises SimulationNotFound, SimulationRunning and what `keeping.save` raises."""
    found = get(uow, simulation_id)
    if found["status"] != "done":
        raise SimulationRunning()
    before = queries.ladder(uow, found["ladder_id"])
    draft: Ladder = found["ladder"]
    if before is not None:
        draft = replace(draft, main=before.main)
    saved = keeping.save(uow, draft, version=found["ladder_version"])
    uow.execute(
        "DELETE FROM tier_simulations WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": simulation_id},
    )
    return saved


def preview(uow: UnitOfWork, query: PreviewQuery) -> paging.Page[PreviewLine]:
    """Where members belong on the main ladder by what counts now, by member id. Raises StaleCursor."""
    after = lists.place_in(query.cursor)
    main = next((one for one in ladders(uow) if one.main and one.levels), None)
    if main is None:
        return paging.Page([])
    found = queries.slice_of_members(uow, after, query.limit + 1)
    shown = found[: query.limit]
    at = zone(uow)
    windows = windows_of(uow, main, shown, at)
    have = values(uow, main.metric, windows, lifetime=main.period == "lifetime")
    held, known = queries.held(uow, shown), members.by_ids(uow, shown)
    lines = []
    for member in shown:
        value = have.get(member, Value())
        verdict = rules.decide(main, windows[member], value, held.get((main.id, member)), uow.now, at)
        level = main.levels[verdict.rank] if verdict.rank is not None else None
        customer = known[member].customer_id if member in known else None
        lines.append(
            PreviewLine(
                customer_id=str(customer) if customer else None,
                member_id=member,
                tier_id=level.id if level else None,
                tier_name=level.name if level else None,
                value=value.now,
            )
        )
    more = len(found) > query.limit
    return paging.Page(lines, paging.encode_cursor(shown[-1]) if more else None)


def drop_old(uow: UnitOfWork) -> None:
    """Forget simulations of more than a week ago."""
    uow.execute(
        "DELETE FROM tier_simulations WHERE shop_id = %(shop)s AND created_at < %(now)s::timestamptz - interval '7 days'",
        {"shop": uow.shop, "now": uow.now},
    )
