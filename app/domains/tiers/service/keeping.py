"""Keeping ladders: drafts laid over what is saved, saved when their version still holds."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from app.core import i18n, ids, money
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.shops import service as shops
from app.domains.tiers import queries, rules
from app.domains.tiers.errors import (
    LadderNotFound,
    MainLadderStays,
    RewardNotGivable,
    StaleVersion,
    TierNotFound,
    WholeNumberNeeded,
)
from app.domains.tiers.models import Tier, TierLadder
from app.domains.tiers.schemas import BASIS_POINTS, Ladder, LadderForm, Level, TierForm
from app.domains.tiers.service import granting, reading

_LADDERS = "tiers.ladders"
_DEFAULTS: tuple[tuple[str, dict[str, str], int, int, str], ...] = (
    ("Bronze", {"es": "Bronce", "fr": "Bronze", "ar": "برونزي", "he": "ארד"}, 0, 10_000, "#a8622d"),
    ("Silver", {"es": "Plata", "fr": "Argent", "ar": "فضي", "he": "כסף"}, 1_000, 12_500, "#8a94a3"),
    ("Gold", {"es": "Oro", "fr": "Or", "ar": "ذهبي", "he": "זהב"}, 5_000, 15_000, "#c99700"),
)
_DEFAULT_NAME = i18n.mark("Tiers")


def create_default(uow: UnitOfWork, program_id: UUID, thresholds: Sequence[int] = ()) -> None:
    """The main ladder with three tiers that a new program starts with; the upper two start at `thresholds` if given."""
    starts = (0, *thresholds) if thresholds else [threshold for *_, threshold, _, _ in _DEFAULTS]
    levels = tuple(
        Level(ids.new_id(), name, names, start, multiplier, color)
        for start, (name, names, _, multiplier, color) in zip(starts, _DEFAULTS, strict=True)
    )
    _store(uow, replace(first(uow, program_id), levels=levels))


def first(uow: UnitOfWork, program_id: UUID) -> Ladder:
    """The main ladder that a program starts with, named in the shop's language, without tiers and not saved."""
    name = i18n.translations(i18n.supported(shops.get(uow).locale)).gettext(_DEFAULT_NAME)
    return replace(empty(program_id), name=name, main=True)


def copy_ladders(uow: UnitOfWork, original: UUID, program_id: UUID) -> None:
    """The ladders of one program for another that is a copy of it."""
    for one in queries.of_program(uow, original):
        levels = tuple(replace(level, id=ids.copied(program_id, level.id)) for level in one.levels)
        _store(uow, replace(one, id=ids.new_id(), program_id=program_id, levels=levels))


def empty(program_id: UUID) -> Ladder:
    """A ladder without tiers, not saved."""
    return Ladder(
        ids.new_id(), program_id, "", "points", "lifetime", 12, 0, "to_earned", True, None, False, True, 0
    )


def get_ladder(uow: UnitOfWork, ladder_id: UUID) -> Ladder:
    """One ladder. Raises LadderNotFound."""
    found = queries.ladder(uow, ladder_id)
    if found is None:
        raise LadderNotFound()
    return found


def get_tier(uow: UnitOfWork, tier_id: UUID) -> tuple[Ladder, Level]:
    """A tier and its ladder. Raises TierNotFound."""
    ladder_id = queries.ladder_of_tier(uow, tier_id)
    found = queries.ladder(uow, ladder_id) if ladder_id else None
    if found is None:
        raise TierNotFound()
    return found, next(one for one in found.levels if one.id == tier_id)


def draft_settings(before: Ladder, form: LadderForm) -> Ladder:
    """A ladder with the settings of the form, checked. Raises what `rules.check` raises."""
    draft = rules.with_settings(before, form)
    rules.check(draft)
    return draft


def draft_tier(
    uow: UnitOfWork, before: Ladder, form: TierForm, tier_id: UUID | None, *, minor: bool = False
) -> Ladder:
    """A ladder with a tier added or changed, checked. `minor` says that a threshold of spend is in minor units already.

    Raises ThresholdTaken, ThresholdTooHigh, FirstTierNeeded, WholeNumberNeeded, RewardNotGivable.
    """
    level = Level(
        tier_id or ids.new_id(),
        form.name,
        form.names.model_dump(exclude_none=True),
        int(form.threshold) if minor else threshold(uow, before, form.threshold),
        int(form.multiplier * BASIS_POINTS) if before.main else BASIS_POINTS,
        form.color.lower(),
        form.entry_points,
        form.entry_reward_id,
        form.gift_reward_id,
        form.gift_every,
        form.early_days,
    )
    _check_rewards(uow, before, level)
    draft = rules.with_tier(before, level)
    rules.check(draft, level.id)
    return draft


def _check_rewards(uow: UnitOfWork, before: Ladder, level: Level) -> None:
    """A reward that a tier gave before may stay, also when it was retired meanwhile."""
    old = next((one for one in before.levels if one.id == level.id), None)
    kept = {old.entry_reward_id, old.gift_reward_id} if old else set()
    named = {"entry_reward_id": level.entry_reward_id, "gift_reward_id": level.gift_reward_id}
    fresh = {name: reward for name, reward in named.items() if reward and reward not in kept}
    if not fresh:
        return
    known = {reward for reward, _ in granting.givable(uow, among=set(fresh.values()))}
    wrong = [name for name, reward in fresh.items() if reward not in known]
    if wrong:
        raise RewardNotGivable(fields=dict.fromkeys(wrong, RewardNotGivable.default_message))


def threshold(uow: UnitOfWork, ladder: Ladder, typed: Decimal) -> int:
    """A threshold as it is kept: spend in minor units of the shop's currency. Raises WholeNumberNeeded."""
    if ladder.metric == "spend":
        return money.to_minor(typed, shops.get(uow).currency)
    if typed != int(typed):
        raise WholeNumberNeeded(fields={"threshold": WholeNumberNeeded.default_message})
    return int(typed)


def save(uow: UnitOfWork, draft: Ladder, *, version: int) -> Ladder:
    """Save a ladder as drafted; `version` is that of the ladder it started from, 0 for a new one.

    Members are placed anew by a job when the change can move them. Raises StaleVersion, MainLadderStays, LadderNotFound.
    """
    before = queries.ladder(uow, draft.id)
    if before is None and version:
        raise LadderNotFound()
    if before is not None and before.version != version:
        raise StaleVersion(current=before.version)
    if before is None and not any(one.main for one in _siblings(uow, draft.program_id)):
        draft = replace(draft, main=True)
    if draft.main and not draft.active and _siblings(uow, draft.program_id, but=draft.id):
        raise MainLadderStays()
    _store(uow, draft)
    after = get_ladder(uow, draft.id)
    action = "tier_ladder.created" if before is None else "tier_ladder.updated"
    was = snapshot(before) if before else None
    if was != snapshot(after):
        compliance.record(uow, action, ("tier_ladder", str(draft.id)), was, snapshot(after))
    _follow(uow, before, after)
    return after


def _siblings(uow: UnitOfWork, program_id: UUID, but: UUID | None = None) -> list[Ladder]:
    found = queries.of_program(uow, program_id)
    return [one for one in found if one.id != but]


def make_main(uow: UnitOfWork, ladder_id: UUID, *, version: int) -> Ladder:
    """Let a ladder's multipliers enter the price of orders instead of the present main one's.

    Raises LadderNotFound, StaleVersion, MainLadderStays when the ladder is switched off.
    """
    wanted = get_ladder(uow, ladder_id)
    if wanted.version != version:
        raise StaleVersion(current=wanted.version)
    if wanted.main:
        return wanted
    if not wanted.active:
        raise MainLadderStays()
    for one in _siblings(uow, wanted.program_id):
        row = queries.stored_ladder(uow, one.id)
        if row is not None and row.main != (one.id == ladder_id):
            row.main = False
            row.version += 1
    _flush(uow)
    row = queries.stored_ladder(uow, ladder_id)
    assert row is not None
    row.main = True
    row.version += 1
    _flush(uow)
    uow.forget(_LADDERS)
    uow.execute(
        "UPDATE member_tiers m SET main = (m.ladder_id = %(ladder)s) FROM tier_ladders l WHERE m.shop_id = %(shop)s"
        " AND l.shop_id = m.shop_id AND l.id = m.ladder_id AND l.program_id = %(program)s"
        " AND m.main <> (m.ladder_id = %(ladder)s)",
        {"shop": uow.shop, "ladder": ladder_id, "program": wanted.program_id},
    )
    compliance.record(
        uow, "tier_ladder.made_main", ("tier_ladder", str(ladder_id)), None, {"name": wanted.name}
    )
    uow.enqueue("tiers.place_all")
    return get_ladder(uow, ladder_id)


def remove(uow: UnitOfWork, ladder_id: UUID, *, version: int) -> None:
    """Remove a ladder with its tiers; its history stays. Raises LadderNotFound, StaleVersion, MainLadderStays."""
    found = get_ladder(uow, ladder_id)
    if found.version != version:
        raise StaleVersion(current=found.version)
    if found.main and _siblings(uow, found.program_id, but=ladder_id):
        raise MainLadderStays()
    row = queries.stored_ladder(uow, ladder_id)
    assert row is not None
    for tier in queries.stored_tiers(uow, ladder_id).values():
        uow.session.delete(tier)
    _flush(uow)
    uow.session.delete(row)
    _flush(uow)
    uow.forget(_LADDERS)
    compliance.record(uow, "tier_ladder.removed", ("tier_ladder", str(ladder_id)), snapshot(found), None)
    uow.enqueue("tiers.place_all")


def _follow(uow: UnitOfWork, before: Ladder | None, after: Ladder) -> None:
    uow.forget(_LADDERS)
    if after.metric != "points":
        reading.start(uow)
    multiplied = [one.multiplier_bp for one in after.levels] != [
        one.multiplier_bp for one in (before.levels if before else ())
    ]
    if multiplied or rules.moves_members(before, after):
        uow.enqueue("tiers.place_all")


def _store(uow: UnitOfWork, wanted: Ladder) -> None:
    row = queries.stored_ladder(uow, wanted.id)
    if row is None:
        row = TierLadder(id=wanted.id, program_id=wanted.program_id, version=0)
        uow.session.add(row)
    for name in (
        "name", "metric", "period", "months", "grace_days", "downgrade", "take_back", "notice_days", "main", "active",
    ):  # fmt: skip
        setattr(row, name, getattr(wanted, name))
    row.version += 1
    _flush(uow)
    _store_levels(uow, wanted)


_LEVEL_FIELDS = (
    "name", "names", "multiplier_bp", "color", "entry_points", "entry_reward_id", "gift_reward_id", "gift_every",
    "early_days",
)  # fmt: skip


def _store_levels(uow: UnitOfWork, wanted: Ladder) -> None:
    """Thresholds are unique at every moment, so those that move are parked first."""
    rows = queries.stored_tiers(uow, wanted.id)
    kept = {one.id for one in wanted.levels}
    for tier_id, row in rows.items():
        if tier_id not in kept:
            uow.session.delete(row)
    moving = [one for one in wanted.levels if one.id in rows and rows[one.id].threshold != one.threshold]
    for number, level in enumerate(moving):
        rows[level.id].threshold = 2**60 + number
    _flush(uow)
    for level in wanted.levels:
        row = rows.get(level.id) or Tier(
            id=level.id, program_id=wanted.program_id, ladder_id=wanted.id, threshold=level.threshold
        )
        row.threshold = level.threshold
        for name in _LEVEL_FIELDS:
            setattr(row, name, getattr(level, name))
        uow.session.add(row)
    _flush(uow)


def snapshot(ladder: Ladder) -> dict[str, Any]:
    """A ladder's settings and tiers as JSON values, for the audit trail."""
    found = {name: value for name, value in rules.to_json(ladder).items() if name not in _UNTOLD}
    found["tiers"] = {level.name: tier_snapshot(level) for level in ladder.levels}
    return found


_UNTOLD = ("id", "program_id", "version", "levels")


def tier_snapshot(level: Level) -> dict[str, Any]:
    """A tier's settings as JSON values."""
    return {
        "name": level.name,
        "names": level.names,
        "threshold": level.threshold,
        "multiplier": money.plain(Decimal(level.multiplier_bp) / BASIS_POINTS),
        "color": level.color,
        "entry_points": level.entry_points,
        "entry_reward_id": str(level.entry_reward_id) if level.entry_reward_id else None,
        "gift_reward_id": str(level.gift_reward_id) if level.gift_reward_id else None,
        "gift_every": level.gift_every,
        "early_days": level.early_days,
    }


def program_ladders(uow: UnitOfWork, program_id: UUID) -> Sequence[Ladder]:
    """A program's ladders, also those that are off, the main one first."""
    return queries.of_program(uow, program_id)


def main_levels(uow: UnitOfWork, program_id: UUID) -> Sequence[Level]:
    """The tiers of a program's main ladder, lowest first, whether the program is active or not."""
    return next((one.levels for one in queries.of_program(uow, program_id) if one.main), ())


def _flush(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except StaleDataError:
        raise StaleVersion() from None
