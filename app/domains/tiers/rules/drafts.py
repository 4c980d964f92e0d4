"""A ladder as it would be: changes laid over what is saved, checked, compared, and kept as JSON while it is previewed."""

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any
from uuid import UUID

from app.domains.tiers.errors import (
    FirstTierNeeded,
    ThresholdTaken,
    ThresholdTooHigh,
    WindowNotAllowed,
)
from app.domains.tiers.schemas import Ladder, LadderForm, Level

_MOVING = ("metric", "period", "months", "grace_days", "downgrade", "active")
_SETTINGS = ("name", *_MOVING, "take_back", "notice_days")
_HIGHEST_SCORE = 15


def with_settings(ladder: Ladder, form: LadderForm) -> Ladder:
    """The ladder with the settings of the form."""
    return replace(ladder, **{name: getattr(form, name) for name in _SETTINGS})


def with_tier(ladder: Ladder, level: Level) -> Ladder:
    """The ladder with a tier added, or changed when it is on it already."""
    return replace(ladder, levels=_sorted([*(one for one in ladder.levels if one.id != level.id), level]))


def without_tier(ladder: Ladder, tier_id: UUID) -> Ladder:
    """The ladder without a tier."""
    return replace(ladder, levels=tuple(one for one in ladder.levels if one.id != tier_id))


def _sorted(levels: Iterable[Level]) -> tuple[Level, ...]:
    return tuple(sorted(levels, key=lambda one: (one.threshold, one.name)))


def check(ladder: Ladder, changed: UUID | None = None) -> None:
    """Refuse a ladder that cannot stand; `changed` is the tier whose field is to blame.

    Raises ThresholdTaken, ThresholdTooHigh, FirstTierNeeded, WindowNotAllowed.
    """
    if ladder.metric == "rfm" and ladder.period != "rolling":
        raise WindowNotAllowed(fields={"period": WindowNotAllowed.default_message})
    if ladder.metric == "rfm" and any(one.threshold > _HIGHEST_SCORE for one in ladder.levels):
        raise ThresholdTooHigh(fields={"threshold": ThresholdTooHigh.default_message})
    for low, high in zip(ladder.levels, ladder.levels[1:], strict=False):
        if low.threshold == high.threshold:
            other = high if low.id == changed else low
            raise ThresholdTaken(fields={"threshold": ThresholdTaken.default_message}, name=other.name)
    if ladder.levels and ladder.levels[0].threshold > 0:
        raise FirstTierNeeded()


def moves_members(before: Ladder | None, after: Ladder) -> bool:
    """Whether a change can move members, so that it is previewed first. A ladder without tiers moves nobody."""
    if before is None or not before.levels:
        return bool(before is not None and after.levels)
    if any(getattr(before, name) != getattr(after, name) for name in _MOVING):
        return True
    return [(one.id, one.threshold) for one in before.levels] != [
        (one.id, one.threshold) for one in after.levels
    ]


def differences(before: Ladder | None, after: Ladder) -> list[dict[str, Any]]:
    """What changes: {tier, field, before, after} with raw values; `tier` None for the ladder's own settings."""
    found = [
        {"tier": None, "field": name, "before": getattr(before, name, None), "after": getattr(after, name)}
        for name in _SETTINGS
        if getattr(before, name, None) != getattr(after, name)
    ]
    was = {one.id: one for one in before.levels} if before else {}
    will = {one.id: one for one in after.levels}
    for tier_id, level in will.items():
        old = was.get(tier_id)
        found += [
            {
                "tier": level.name,
                "field": one.name,
                "before": getattr(old, one.name, None),
                "after": getattr(level, one.name),
            }
            for one in fields(Level)
            if one.name != "id"
            and (getattr(old, one.name) if old else one.default) != getattr(level, one.name)
        ]
    found += [
        {"tier": one.name, "field": "removed", "before": one.threshold, "after": None}
        for one in was.values()
        if one.id not in will
    ]
    return found


def to_json(ladder: Ladder) -> dict[str, Any]:
    """The ladder as JSON values."""
    return asdict(ladder)


def from_json(kept: dict[str, Any]) -> Ladder:
    """What `to_json` wrote."""
    levels = tuple(
        Level(**one | {name: UUID(one[name]) for name in _IDS if one[name]}) for one in kept["levels"]
    )
    own = {"id": UUID(kept["id"]), "program_id": UUID(kept["program_id"]), "levels": levels}
    return Ladder(**kept | own)


_IDS = ("id", "entry_reward_id", "gift_reward_id")
