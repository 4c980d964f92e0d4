"""The life of a program, and how its settings become terms."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from app.core import ids
from app.core.money import plain
from app.domains.programs.schemas import (
    PURCHASE,
    SIGNUP,
    Caps,
    EarningRule,
    Eligibility,
    Exclusions,
    Expiry,
    Multiplier,
    Per,
    ProgramTerms,
)

NEXT_STATUS: dict[str, frozenset[str]] = {
    "draft": frozenset({"active", "scheduled", "archived"}),
    "scheduled": frozenset({"active", "paused", "draft"}),
    "active": frozenset({"paused"}),
    "paused": frozenset({"active", "scheduled", "archived"}),
    "archived": frozenset({"draft"}),
}

# Settings that decide about points: a change makes a new version.
SETTINGS = (
    "type",
    "points_per_unit",
    "signup_bonus",
    "earn_trigger",
    "holding_days",
    "expiry_months",
    "expiry",
    "rounding",
    "earn_on_tax",
    "minimum_redemption",
    "step",
    "zone",
    "debt_policy",
    "multiplier_mode",
    "rules",
    "multipliers",
    "caps",
    "eligibility",
)
# What stands in a version as it is set; the figures of the two rules that every program has stand in its rules.
_KEPT = (
    "type",
    "earn_trigger",
    "holding_days",
    "expiry_months",
    "expiry",
    "rounding",
    "minimum_redemption",
    "zone",
    "debt_policy",
    "multiplier_mode",
    "multipliers",
    "caps",
    "eligibility",
)
_PARTS = ("multipliers", "caps", "expiry", "eligibility")
_PER: dict[str, Per] = {"punch_card": "stamp_order", "spend_based": "spend_step"}


def may_become(status: str, wanted: str) -> bool:
    """Whether a program may go from one status to another in one step."""
    return wanted in NEXT_STATUS[status]


def stored(part: EarningRule | Multiplier | Caps) -> dict[str, Any]:
    """A part of the terms as JSON values, without what it leaves at its default."""
    return part.model_dump(mode="json", exclude_defaults=True)


def complete(settings: Mapping[str, Any]) -> list[EarningRule]:
    """Every rule of a program, the two that each has included, from its settings (as in SETTINGS, JSON values)."""
    kept = {one["id"]: EarningRule.model_validate(one) for one in settings["rules"]}
    purchase = kept.pop(PURCHASE, None) or EarningRule(id=PURCHASE, kind="purchase", step=Decimal(1))
    signup = kept.pop(SIGNUP, None) or EarningRule(id=SIGNUP, kind="signup", per="order")
    per = _PER.get(settings["type"], "unit")
    step = Decimal(settings["step"]) if settings.get("step") else None
    exclusions = purchase.exclusions.model_dump() | {"tax": not settings["earn_on_tax"]}
    return [
        purchase.model_copy(
            update={
                "kind": "purchase",
                "points": Decimal(settings["points_per_unit"]),
                "per": "stamp_item" if per == "stamp_order" and purchase.per == "stamp_item" else per,
                "step": (step or Decimal(10)) if per != "unit" else None,
                "exclusions": Exclusions.model_validate(exclusions),
            }
        ),
        signup.model_copy(
            update={"kind": "signup", "points": Decimal(settings["signup_bonus"]), "per": "order"}
        ),
        *kept.values(),
    ]


def terms(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The terms that a version keeps, as JSON values."""
    return _kept(settings) | {"rules": [stored(rule) for rule in complete(settings)]}


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """What settings and terms have alike. Versions from before programs had eligibility leave nobody out."""
    return {"eligibility": {}} | {name: values[name] for name in _KEPT if name in values}


def settings_of(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that lead to a version's terms: the way back, for a rollback."""
    rules = {one["id"]: EarningRule.model_validate(one) for one in kept["rules"]}
    purchase, signup = rules[PURCHASE], rules[SIGNUP]
    plainly = purchase.model_copy(
        update={
            "points": Decimal(0),
            "step": None,
            "per": "stamp_item" if purchase.per == "stamp_item" else "unit",
            "exclusions": purchase.exclusions.model_copy(update={"tax": False}),
        }
    )
    refined = [
        stored(one)
        for one in (plainly, signup.model_copy(update={"points": Decimal(0), "per": "unit"}))
        if set(stored(one)) - {"id", "kind"}
    ]
    return _kept(kept) | {
        "points_per_unit": plain(purchase.points),
        "signup_bonus": int(signup.points),
        "earn_on_tax": not purchase.exclusions.tax,
        "step": plain(purchase.step) if purchase.step is not None and purchase.per != "unit" else None,
        "rules": refined + [stored(one) for key, one in rules.items() if key not in (PURCHASE, SIGNUP)],
    }


def read_terms(version_id: UUID, program_id: UUID, kept: Mapping[str, Any]) -> ProgramTerms:
    """A version's terms as an award sees them."""
    return ProgramTerms(
        version_id=version_id,
        program_id=program_id,
        rules=_by_priority(EarningRule.model_validate(one) for one in kept["rules"]),
        multipliers=_by_priority(Multiplier.model_validate(one) for one in kept["multipliers"]),
        caps=Caps.model_validate(kept["caps"]),
        expiry=Expiry.model_validate(kept["expiry"]),
        eligibility=Eligibility.model_validate(kept.get("eligibility", {})),
        **{name: kept[name] for name in _KEPT if name not in _PARTS},
    )


_Part = TypeVar("_Part", EarningRule, Multiplier)


def _by_priority(parts: Iterable[_Part]) -> tuple[_Part, ...]:
    return tuple(sorted(parts, key=lambda part: -part.priority))


def with_rule(settings: Mapping[str, Any], rule: EarningRule) -> dict[str, Any]:
    """Settings with a rule added or changed; the two that every program has give their figures to the program."""
    if not rule.on_orders:
        rule = rule.model_copy(update={"exclusions": Exclusions()})
    changed = dict(settings)
    if rule.id == PURCHASE:
        changed |= {"points_per_unit": plain(rule.points), "earn_on_tax": not rule.exclusions.tax}
        rule = rule.model_copy(
            update={
                "points": Decimal(0),
                "step": Decimal(1) if rule.counts else None,
                "exclusions": rule.exclusions.model_copy(update={"tax": False}),
            }
        )
    elif rule.id == SIGNUP:
        changed["signup_bonus"] = int(rule.points)
        rule = rule.model_copy(update={"points": Decimal(0)})
    others = list(settings["rules"])
    places = [n for n, one in enumerate(others) if one["id"] == rule.id]
    if places:
        others[places[0]] = stored(rule)
    else:
        others.append(stored(rule))
    return changed | {"rules": others}


def without_rule(settings: Mapping[str, Any], rule_id: str) -> dict[str, Any]:
    """Settings without a rule."""
    return dict(settings) | {"rules": [one for one in settings["rules"] if one["id"] != rule_id]}


def with_campaign(settings: Mapping[str, Any], campaign: Multiplier) -> dict[str, Any]:
    """Settings with a campaign added or changed."""
    kept = stored(campaign)
    others = list(settings["multipliers"])
    places = [n for n, one in enumerate(others) if one["id"] == campaign.id]
    if places:
        others[places[0]] = kept
    else:
        others.append(kept)
    return dict(settings) | {"multipliers": others}


def without_campaign(settings: Mapping[str, Any], campaign_id: str) -> dict[str, Any]:
    """Settings without a campaign."""
    return dict(settings) | {
        "multipliers": [one for one in settings["multipliers"] if one["id"] != campaign_id]
    }


def for_copy(settings: Mapping[str, Any], program_id: UUID) -> dict[str, Any]:
    """The settings of a copy under an id: its rules and campaigns name the copies of the tiers that the original's name."""
    return dict(settings) | {
        name: [_with_copied_tiers(one, program_id) for one in settings[name]]
        for name in ("rules", "multipliers")
    }


def _with_copied_tiers(part: Mapping[str, Any], program_id: UUID) -> dict[str, Any]:
    asked = part.get("conditions") or {}
    if not asked.get("tiers"):
        return dict(part)
    tiers = [str(ids.copied(program_id, UUID(str(one)))) for one in asked["tiers"]]
    return dict(part) | {"conditions": dict(asked) | {"tiers": tiers}}


def campaign_state(campaign: Multiplier, today: date, given: int) -> str:
    """Whether a campaign is "off", "upcoming", "running", "over" or "spent" on a day, having added so many points."""
    if not campaign.enabled:
        return "off"
    when = campaign.conditions
    if when.ends_on and today > when.ends_on:
        return "over"
    if campaign.budget is not None and given >= campaign.budget:
        return "spent"
    return "upcoming" if when.starts_on and today < when.starts_on else "running"


def overlap(one: tuple[datetime, datetime | None], other: tuple[datetime, datetime | None]) -> bool:
    """Whether two spans share an instant; an end of None never comes, and an end is no part of its span."""
    (start, end), (other_start, other_end) = one, other
    return (end is None or other_start < end) and (other_end is None or start < other_end)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changed between two settings, one line a setting: {field, part, before, after}; texts or None.

    `part` is the name of the earning rule or multiplier whose field it is, else empty.
    """
    found: list[dict[str, Any]] = []
    for name in SETTINGS:
        if name in ("rules", "multipliers"):
            found += _part_differences(name, before[name], after[name])
        elif name in ("caps", "expiry", "eligibility"):
            found += _field_differences("", before.get(name, {}), after.get(name, {}))
        elif before[name] != after[name]:
            found.append(_line(name, "", before[name], after[name]))
    return found


def _part_differences(
    kind: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    old, new = ({part["id"]: part for part in parts} for parts in (before, after))
    found: list[dict[str, Any]] = []
    for key in [*old, *(key for key in new if key not in old)]:
        told = new.get(key) or old[key]
        name = told.get("name") or told.get("kind") or key
        if key not in old and key not in (PURCHASE, SIGNUP):
            found.append(_line(kind, name, None, told.get("points") or told.get("factor")))
        elif key not in new and key not in (PURCHASE, SIGNUP):
            found.append(_line(kind, name, told.get("points") or told.get("factor"), None))
        else:
            found += _field_differences(name, old.get(key, {}), new.get(key, {}))
    return found


def _field_differences(
    part: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Leaves that differ; a value that is absent is at its default."""
    found: list[dict[str, Any]] = []
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new or name in ("id", "kind"):
            continue
        if isinstance(old or new, dict):
            found += _field_differences(part, old or {}, new or {})
        else:
            found.append(_line(name, part, old, new))
    return found


def _line(field: str, part: str, before: Any, after: Any) -> dict[str, Any]:
    return {"field": field, "part": part, "before": _shown(before), "after": _shown(after)}


def _shown(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return None if value is None else str(value)
