"""Previewing a ladder on the shop's real members before it is saved: who would move, seen slice by slice."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.core import ids, paging
from app.core.db import UnitOfWork, unit_of_work
from app.domains.members import service as members
from app.domains.tiers import queries, rules
from app.domains.tiers.errors import SimulationNotFound, SimulationRunning, StaleVersion
from app.domains.tiers.queries import lists, values
from app.domains.tiers.schemas import Ladder, PreviewLine, PreviewQuery, Value
from app.domains.tiers.service import keeping, reading
from app.domains.tiers.service.placing import ladders, windows_of, zone

SLICE = 10_000
# Up to here the answer comes with the page that asked; beyond it a job goes through the members.
AT_ONCE = 2_000
_FIRST = UUID(int=0)
_LEAP = 2000


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
        reading.score_for_draft(
            uow, draft.months, {one.months for one in ladders(uow) if one.metric == "rfm"}
        )
    matrix = Counter({tuple(key): count for key, count in found["result"].get("matrix", [])})
    after = found["after"] or _FIRST
    until, seen = queries.end_of_slice(uow, after, SLICE)
    if until is not None:
        matrix += _foresee(uow, simulation_id, draft, (after, until))
    done = seen < SLICE
    _note(
        uow,
        simulation_id,
        status="done" if done else "running",
        after=until,
        seen=seen,
        result={"matrix": [[list(key), count] for key, count in matrix.items()]},
    )
    return not done


# One pass over the members of a range: of which kind each is, what becomes of that kind, who moves, and how many each way.
_FORESEE = """
WITH told AS (
  SELECT k.member_id, k.value, f.was, f.will, f.outcome FROM ({kinds}) k
  JOIN unnest(%(helds)s::integer[], %(reacheds)s::integer[], %(lockeds)s::boolean[], %(graces)s::integer[], %(was)s::text[],
    %(will)s::text[], %(outcomes)s::text[]) AS f (held, reached, locked, grace, was, will, outcome)
  USING (held, reached, locked, grace)
), kept AS (
  INSERT INTO tier_simulated_moves (shop_id, simulation_id, member_id, from_name, to_name, outcome, value)
  SELECT %(shop)s, %(id)s, member_id, was, will, outcome, value FROM told WHERE outcome IS NOT NULL
  ON CONFLICT DO NOTHING)
SELECT was, will, coalesce(outcome, 'stays') AS outcome, count(*) AS members FROM told GROUP BY 1, 2, 3
"""


# Each range is planned for itself, and never member by member: that is what a planner chooses for a shop that its statistics
# have not seen.
_PLANNED = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_nestloop = off"
_UNPLANNED = "SET LOCAL plan_cache_mode TO DEFAULT; SET LOCAL enable_nestloop TO DEFAULT"


def _foresee(
    uow: UnitOfWork, simulation_id: UUID, draft: Ladder, between: tuple[UUID, UUID]
) -> "Counter[tuple[Any, ...]]":
    """Keep who moves among the members of a range; counts (from, to, outcome) of all of them, tiers by name."""
    at, old = zone(uow), queries.ladder(uow, draft.id)
    kinds = list(rules.foresee(old, draft, uow.now, at))
    select = values.kinds_sql(
        draft.metric, lifetime=draft.period == "lifetime", own_windows=draft.period == "anniversary"
    )
    merged = queries.merged_into(uow, *between)
    uow.execute(_PLANNED)
    rows = uow.all(
        _FORESEE.format(kinds=select),
        _windows(draft, uow.now, at)
        | {
            "shop": uow.shop,
            "id": simulation_id,
            "now": uow.now,
            "after": between[0],
            "until": between[1],
            "ladder": draft.id,
            "months": draft.months,
            "known": rules.known_tiers(old, draft),
            "thresholds": [one.threshold for one in draft.levels],
            "helds": [one.held for one in kinds],
            "reacheds": [one.reached for one in kinds],
            "lockeds": [one.locked for one in kinds],
            "graces": [one.grace for one in kinds],
            "was": [one.was for one in kinds],
            "will": [one.will for one in kinds],
            "outcomes": [one.outcome for one in kinds],
            "gone": list(merged),
            "kept": list(merged.values()),
        },
    )
    uow.execute(_UNPLANNED)
    return Counter({(row["was"], row["will"], row["outcome"]): row["members"] for row in rows})


def _windows(draft: Ladder, now: datetime, at: ZoneInfo) -> dict[str, Any]:
    """The draft's window, or its window for each day of the year on which somebody may have joined."""
    if draft.period != "anniversary":
        one = rules.window(draft.period, draft.months, at, None, now)
        return {"starts": one.starts, "previous": one.previous}
    days = [date(_LEAP, 1, 1) + timedelta(days=number) for number in range(366)]
    joined = [datetime.combine(day, time(12), at) for day in days]
    found = [rules.window(draft.period, draft.months, at, one, now) for one in joined]
    return {
        "zone": at.key,
        "days": [day.strftime("%m-%d") for day in days],
        "starts": [one.starts for one in found],
        "previous": [one.previous for one in found],
    }


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
    have = values.values(uow, main.metric, windows, lifetime=main.period == "lifetime", months=main.months)
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
