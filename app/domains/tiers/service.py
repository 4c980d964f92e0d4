"""The verbs of tiers: keeping the ladder, and keeping members where their points lead."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.points import service as points
from app.domains.tiers import queries, rules
from app.domains.tiers.errors import FirstTierNeeded, StaleVersion, ThresholdTaken, TierNotFound
from app.domains.tiers.events import TierChanged
from app.domains.tiers.models import Tier
from app.domains.tiers.schemas import Level, Standing, TierForm

_DEFAULTS: tuple[tuple[str, dict[str, str], int, int, str], ...] = (
    ("Bronze", {"es": "Bronce", "fr": "Bronze", "ar": "برونزي", "he": "ארד"}, 0, 10_000, "#a8622d"),
    ("Silver", {"es": "Plata", "fr": "Argent", "ar": "فضي", "he": "כסף"}, 1_000, 12_500, "#8a94a3"),
    ("Gold", {"es": "Oro", "fr": "Or", "ar": "ذهبي", "he": "זהב"}, 5_000, 15_000, "#c99700"),
)


def ladder(uow: UnitOfWork) -> list[Level]:
    """The active program's tiers, lowest first."""
    return queries.ladder(uow)


def standing(uow: UnitOfWork, member_id: UUID) -> Standing:
    """Where a member is on the ladder."""
    return rules.standing(queries.ladder(uow), queries.qualifying(uow, member_id))


def create_default(uow: UnitOfWork, program_id: UUID) -> None:
    """The three tiers that a new program starts with."""
    for name, names, threshold, multiplier, color in _DEFAULTS:
        uow.session.add(
            Tier(
                id=ids.new_id(),
                program_id=program_id,
                name=name,
                names=names,
                threshold_points=threshold,
                multiplier_bp=multiplier,
                color=color,
            )
        )
    uow.session.flush()


_PLACE = """
INSERT INTO member_tiers (shop_id, member_id, tier_id, since)
SELECT %(shop)s, v.member, v.tier, %(now)s FROM unnest(%(members)s::uuid[], %(tiers)s::uuid[]) AS v (member, tier)
ON CONFLICT (shop_id, member_id) DO UPDATE SET tier_id = excluded.tier_id, since = excluded.since
"""

_NOTE = """
INSERT INTO tier_changes (shop_id, id, member_id, from_name, to_name, direction, qualifying_points, created_at)
SELECT %(shop)s, v.*, %(now)s FROM unnest(%(ids)s::uuid[], %(members)s::uuid[], %(from_names)s::text[],
  %(to_names)s::text[], %(directions)s::text[], %(points)s::bigint[]) AS v
"""


def place_members(uow: UnitOfWork, qualifying: Mapping[UUID, int]) -> None:
    """Put members on the tier that their qualifying points lead to, with a few statements for all of them.

    The ledger is told the multiplier of later purchases and the band in which the tier holds; TierChanged is told for
    those who moved from one tier to another (a member's first place at the bottom is no move).
    """
    levels = queries.ladder(uow) if qualifying else []
    if not levels:
        return
    points.watch(uow, {member_id: rules.band(levels, count) for member_id, count in qualifying.items()})
    before = queries.current(uow, qualifying)
    moved: list[tuple[UUID, Level | None, dict[str, Any] | None]] = []
    for member_id, count in sorted(qualifying.items()):
        level, present = rules.place(levels, count), before.get(member_id)
        if present is None or present["tier_id"] != (level.id if level else None):
            moved.append((member_id, level, present))
    if not moved:
        return
    uow.execute(
        _PLACE,
        {
            "shop": uow.shop,
            "now": uow.now,
            "members": [member_id for member_id, _, _ in moved],
            "tiers": [level.id if level else None for _, level, _ in moved],
        },
    )
    _tell(uow, [_event(levels, *one) for one in moved if _is_move(levels, *one)], qualifying)


def _is_move(levels: list[Level], _: UUID, level: Level | None, present: dict[str, Any] | None) -> bool:
    return present is not None or level is not levels[0]


def _event(
    levels: list[Level], member_id: UUID, level: Level | None, present: dict[str, Any] | None
) -> TierChanged:
    start = levels[0].threshold_points if present is None else present["threshold_points"] or 0
    reached = level.threshold_points if level else -1
    return TierChanged(
        member_id,
        levels[0].name if present is None else present["name"],
        level.name if level else None,
        "up" if reached >= start else "down",
    )


def _tell(uow: UnitOfWork, moves: list[TierChanged], qualifying: Mapping[UUID, int]) -> None:
    if not moves:
        return
    uow.execute(
        _NOTE,
        {
            "shop": uow.shop,
            "now": uow.now,
            "ids": [ids.new_id() for _ in moves],
            "members": [move.member_id for move in moves],
            "from_names": [move.from_name for move in moves],
            "to_names": [move.to_name for move in moves],
            "directions": [move.direction for move in moves],
            "points": [qualifying[move.member_id] for move in moves],
        },
    )
    uow.publish(moves)


def save(uow: UnitOfWork, program_id: UUID, tier_id: UUID | None, form: TierForm) -> Tier:
    """Create or change a tier; members are placed anew by a job afterwards.

    Raises TierNotFound, StaleVersion, ThresholdTaken, FirstTierNeeded.
    """
    siblings = queries.of_program(uow, program_id)
    tier = next((one for one in siblings if one.id == tier_id), None)
    if tier_id is not None and tier is None:
        raise TierNotFound()
    others = [one for one in siblings if one is not tier]
    for other in others:
        if other.threshold_points == form.threshold_points:
            raise ThresholdTaken(name=other.name, points=other.threshold_points)
    if form.threshold_points > 0 and all(other.threshold_points > 0 for other in others):
        raise FirstTierNeeded()
    before = snapshot(tier) if tier else None
    if tier is None:
        tier = Tier(id=ids.new_id(), program_id=program_id)
        uow.session.add(tier)
    elif tier.version != form.version:
        raise StaleVersion(current=tier.version)
    tier.name = form.name
    tier.names = form.names.model_dump(exclude_none=True)
    tier.threshold_points = form.threshold_points
    tier.multiplier_bp = int(form.multiplier * 10_000)
    tier.color = form.color.lower()
    _flush(uow)
    _changed(uow, "tier.created" if before is None else "tier.updated", tier.id, before, snapshot(tier))
    return tier


def remove(uow: UnitOfWork, tier_id: UUID) -> None:
    """Take a tier off its ladder; its members are placed anew. Raises TierNotFound, FirstTierNeeded."""
    tier = queries.get(uow, tier_id)
    if tier is None:
        raise TierNotFound()
    siblings = [one for one in queries.of_program(uow, tier.program_id) if one.id != tier_id]
    if siblings and siblings[0].threshold_points > 0:
        raise FirstTierNeeded()
    before = snapshot(tier)
    uow.session.delete(tier)
    _flush(uow)
    _changed(uow, "tier.removed", tier_id, before, None)


def _changed(
    uow: UnitOfWork, action: str, tier_id: UUID, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    compliance.record(uow, action, ("tier", str(tier_id)), before, after)
    uow.enqueue("tiers.place_all")


def snapshot(tier: Tier) -> dict[str, Any]:
    """A tier's settings as JSON values."""
    return {
        "name": tier.name,
        "names": tier.names,
        "threshold_points": tier.threshold_points,
        "multiplier": format(Decimal(tier.multiplier_bp) / 10_000, "f"),
        "color": tier.color,
    }


def _flush(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except StaleDataError:
        raise StaleVersion() from None
