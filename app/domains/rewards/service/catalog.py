"""Keeping the catalog: rewards are created, changed, retired, restored and, when nobody used them, deleted."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from babel.numbers import format_currency, format_percent
from sqlalchemy.orm.exc import StaleDataError

from app.core import i18n, ids, money
from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.compliance import service as compliance
from app.domains.points import service as points
from app.domains.programs import service as programs
from app.domains.programs.schemas import RewardIdea
from app.domains.rewards import queries, rules
from app.domains.rewards.errors import InvalidReward, NoProgram, RewardInUse, RewardNotFound, StaleReward
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import CatalogItem, Names, RewardForm
from app.domains.segments import service as segments
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers

_FIELDS = (
    "name",
    "names",
    "description",
    "descriptions",
    "conditions",
    "image_url",
    "kind",
    "points_cost",
    "value_minor",
    "percent_bp",
    "variant_gid",
    "minimum_subtotal_minor",
    "valid_days",
    "per_member_limit",
    "limit_days",
    "stock",
    "tiers",
    "segments",
    "starts_at",
    "ends_at",
    "least_points",
    "most_points",
    "access_tag",
    "cost_minor",
    "returns_expired",
    "returns_canceled",
    "combines_with",
    "code_prefix",
    "status",
    "position",
)
_DRAFTS_SHOWN = 20
_FOR_NOBODY = {
    "tiers": mark("Choose tiers of the reward's own program."),
    "segments": mark("Choose segments that your shop has."),
}
_DEFAULT_NAMES = {
    "free_shipping": mark("Free shipping"),
    "amount_off": mark("{value} off"),
    "percentage_off": mark("{value} off"),
    "gift_card": mark("{value} gift card"),
    "store_credit": mark("{value} store credit"),
}


def get_reward(uow: UnitOfWork, reward_id: UUID) -> Reward:
    """One reward. Raises RewardNotFound."""
    reward = queries.get(uow, reward_id)
    if reward is None:
        raise RewardNotFound()
    return reward


def create_reward(uow: UnitOfWork, form: RewardForm, *, program_id: UUID | None = None) -> Reward:
    """Add a reward to the active program, or to the one named. Raises NoProgram, ProgramNotFound, InvalidReward."""
    program_id = _program(uow, program_id)
    values = _values(uow, form, program_id)
    reward = Reward(**values, id=ids.new_id(), program_id=program_id, status=form.status)
    uow.session.add(reward)
    uow.session.flush()
    _record(uow, "reward.created", reward.id, None, snapshot(reward))
    return reward


def _program(uow: UnitOfWork, wanted: UUID | None) -> UUID:
    """The program that a new reward is for. Raises NoProgram, ProgramNotFound."""
    found = programs.get(uow, wanted) if wanted else programs.active(uow)
    if found is None or found.status == "archived":
        raise NoProgram()
    return found.id


def review_new(uow: UnitOfWork, form: RewardForm, *, program_id: UUID | None = None) -> None:
    """Raise what adding a reward would refuse; fields of the form that nobody could read are None."""
    _judged(uow, form, _program(uow, program_id))


def review_changed(uow: UnitOfWork, reward_id: UUID, form: RewardForm) -> None:
    """Raise what changing a reward would refuse, besides its version; see `review_new`."""
    reward = get_reward(uow, reward_id)
    _judged(uow, form, reward.program_id, kept=reward)


def create_default(uow: UnitOfWork, program_id: UUID, currency: str) -> list[Reward]:
    """The three rewards that a new shop starts with, named in the five languages."""
    return _create_usual(uow, program_id, currency, rules.DEFAULTS, "active")


def create_suggested(
    uow: UnitOfWork, program_id: UUID, currency: str, ideas: Sequence[RewardIdea]
) -> list[Reward]:
    """Drafts of what a program's template suggests, named in the five languages. Amounts are in major units."""
    usual = [
        (
            one.kind,
            one.points_cost,
            {"amount": one.amount} if one.amount else {"percent": one.percent} if one.percent else {},
        )
        for one in ideas
    ]
    return _create_usual(uow, program_id, currency, usual, "draft")


def of_program(uow: UnitOfWork, program_id: UUID) -> list[Reward]:
    """A program's rewards that were not retired, in the catalog's order."""
    return queries.of_program(uow, program_id)


def copy_rewards(uow: UnitOfWork, source_id: UUID, program_id: UUID) -> list[Reward]:
    """Drafts of a program's rewards in another program; what was retired stays behind."""
    made = []
    for reward in queries.of_program(uow, source_id):
        tiers_there = [ids.copied(program_id, tier) for tier in reward.tiers]
        values = {name: getattr(reward, name) for name in _FIELDS} | {"status": "draft", "tiers": tiers_there}
        made.append(Reward(**values, id=ids.new_id(), program_id=program_id))
        uow.session.add(made[-1])
    uow.session.flush()
    for reward in made:
        _record(uow, "reward.created", reward.id, None, snapshot(reward))
    return made


def offer_of_program(uow: UnitOfWork, program_id: UUID, locale: str) -> programs.Offer:
    """What a program offers and could offer, drafts by name in a language."""
    counts = queries.offer_of_program(uow, program_id)
    shown = [
        (rules.localized(one.name, one.names, locale), one.points_cost)
        for one in queries.drafts(uow, program_id, _DRAFTS_SHOWN)
    ]
    return programs.Offer(counts.get("active", 0), counts.get("draft", 0), shown)


def offer_drafts(uow: UnitOfWork, program_id: UUID) -> None:
    """Offer every draft reward of a program."""
    found = queries.drafts(uow, program_id)
    for reward in found:
        reward.status = "active"
    _flush(uow)
    for reward in found:
        _record(uow, "reward.offered", reward.id, {"status": "draft"}, {"status": "active"})


def _create_usual(
    uow: UnitOfWork,
    program_id: UUID,
    currency: str,
    usual: Sequence[tuple[str, int, dict[str, Any]]],
    status: Literal["draft", "active"],
) -> list[Reward]:
    made = []
    for position, (kind, points_cost, value) in enumerate(usual):
        form = RewardForm(
            kind=kind,
            points_cost=points_cost,
            valid_days=90,
            position=position,
            status=status,
            returns_expired=True,
            returns_canceled=True,
            **value,
        )
        made.append(create_reward(uow, form, program_id=program_id))
    return made


def default_names(
    kind: str, amount: Decimal | None, percent: Decimal | None, currency: str
) -> dict[str, str]:
    """What a reward is called in the five languages when nobody named it; empty where its kind does not say enough.

    The amount is in major units, the percentage in percent.
    """
    needed = percent if kind == "percentage_off" else amount
    if kind not in _DEFAULT_NAMES or (needed is None and kind != "free_shipping"):
        return {}
    return {locale: _default_name(kind, needed, currency, locale) for locale in i18n.LOCALES}


def _named(form: RewardForm, kept: Reward | None, currency: str) -> RewardForm:
    """The form with a name: ours where nobody gave one, and where ours still told what the reward gave before."""
    typed = form.names.model_dump(exclude_none=True)
    if kept is not None and typed == kept.names:
        amount = money.to_decimal(kept.value_minor, currency) if kept.value_minor is not None else None
        percent = Decimal(kept.percent_bp) / 100 if kept.percent_bp is not None else None
        if typed == default_names(kept.kind, amount, percent, currency):
            typed = {}
    ours = Names(**default_names(form.kind, form.amount, form.percent, currency))
    return form if typed else form.model_copy(update={"names": ours})


def _default_name(kind: str, value: Decimal | None, currency: str, locale: str) -> str:
    shown = ""
    if kind == "percentage_off" and value is not None:
        shown = format_percent(value / 100, locale=locale, decimal_quantization=False)
    elif value is not None and kind != "free_shipping":
        shown = format_currency(value, currency, locale=locale, decimal_quantization=False)
    sentence = i18n.translations(locale).gettext(_DEFAULT_NAMES[kind])
    return sentence.replace("{value}", i18n.isolated(shown, locale, ltr=True))


def update_reward(uow: UnitOfWork, reward_id: UUID, form: RewardForm) -> Reward:
    """Change a reward; codes issued before keep the terms under which they were redeemed.

    Raises RewardNotFound, StaleReward, InvalidReward.
    """
    reward = _read_at(uow, reward_id, form.version)
    before = snapshot(reward)
    values = _values(uow, form, reward.program_id, kept=reward)
    if (reward.stock is None) != (values["stock"] is None):
        _count_stock_anew(uow, reward)
    if reward.status != "retired":
        values["status"] = form.status
    for name, value in values.items():
        if getattr(reward, name) != value:
            setattr(reward, name, value)
    _flush(uow)
    if snapshot(reward) != before:
        _record(uow, "reward.updated", reward.id, before, snapshot(reward))
    return reward


def _count_stock_anew(uow: UnitOfWork, reward: Reward) -> None:
    """A stock begins or ends: what was redeemed before holds no piece of it. The row's lock keeps redemptions away."""
    uow.execute(
        "SELECT 1 FROM rewards WHERE shop_id = %(shop)s AND id = %(id)s FOR UPDATE",
        {"shop": uow.shop, "id": reward.id},
    )
    uow.execute(
        "UPDATE redemptions SET stocked = false WHERE shop_id = %(shop)s AND reward_id = %(id)s AND stocked",
        {"shop": uow.shop, "id": reward.id},
    )
    uow.execute(
        "UPDATE rewards SET stock_taken = 0 WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": reward.id},
    )


def duplicate(uow: UnitOfWork, reward_id: UUID) -> Reward:
    """A draft with the same settings in the same program. Raises RewardNotFound."""
    reward = get_reward(uow, reward_id)
    values = {name: getattr(reward, name) for name in _FIELDS} | {"status": "draft"}
    made = Reward(**values, id=ids.new_id(), program_id=reward.program_id)
    uow.session.add(made)
    uow.session.flush()
    _record(uow, "reward.created", made.id, None, snapshot(made) | {"copied_from": str(reward_id)})
    return made


def retire(uow: UnitOfWork, reward_id: UUID, *, version: int) -> Reward:
    """Stop offering a reward; issued codes go on working. Raises RewardNotFound, StaleReward."""
    return _set_status(uow, reward_id, version, "retired", "reward.retired")


def restore(uow: UnitOfWork, reward_id: UUID, *, version: int) -> Reward:
    """Offer a retired reward again. Raises RewardNotFound, StaleReward."""
    return _set_status(uow, reward_id, version, "active", "reward.restored")


def delete_reward(uow: UnitOfWork, reward_id: UUID, *, version: int) -> None:
    """Delete a reward that nobody ever redeemed. Raises RewardNotFound, StaleReward, RewardInUse."""
    # The lock waits for a redemption that is being stored, whose foreign key holds the row.
    uow.execute(
        "SELECT 1 FROM rewards WHERE shop_id = %(shop)s AND id = %(id)s FOR UPDATE",
        {"shop": uow.shop, "id": reward_id},
    )
    reward = _read_at(uow, reward_id, version)
    if queries.ever_redeemed(uow, reward_id):
        raise RewardInUse()
    before = snapshot(reward)
    uow.session.delete(reward)
    _flush(uow)
    _record(uow, "reward.deleted", reward_id, before, None)


def catalog(uow: UnitOfWork, member_id: UUID | None = None, *, locale: str = "en") -> list[CatalogItem]:
    """What the active program offers, in a language; for a member also what is short and whether a limit is reached."""
    program = programs.active(uow)
    if program is None:
        return []
    rewards = queries.offered(uow, program.id)
    currency = shops.get(uow).currency
    available = points.balance(uow, member_id).available if member_id else 0
    uses = queries.uses_by_member(uow, member_id) if member_id else {}
    tier = tiers.standing(uow, member_id).tier if member_id else None
    groups = segments.of_members(uow, [member_id])[member_id] if member_id else frozenset()
    items = []
    for reward in rewards:
        offer = offer_of(reward)
        least = reward.least_points or reward.points_cost
        needed = max(least, program.minimum_redemption)
        used = uses.get(reward.id, 0)
        refused = rules.closed(offer, uow.now, timedelta(days=tier.early_days if tier else 0)) or (
            rules.closed_to(offer, tier.id if tier else None, groups, used) if member_id else None
        )
        items.append(
            CatalogItem(
                id=reward.id,
                name=rules.localized(reward.name, reward.names, locale),
                description=rules.localized(reward.description, reward.descriptions, locale),
                conditions=rules.localized("", reward.conditions, locale),
                image_url=reward.image_url,
                kind=reward.kind,
                points_cost=reward.points_cost,
                least_points=reward.least_points,
                most_points=reward.most_points,
                value_minor=reward.value_minor,
                percent_bp=reward.percent_bp,
                minimum_subtotal_minor=reward.minimum_subtotal_minor,
                valid_days=reward.valid_days,
                currency=currency,
                missing=max(0, needed - available),
                left=None if reward.stock is None else max(0, reward.stock - reward.stock_taken),
                limit_reached=offer.limit is not None and used >= offer.limit,
                refusal=refused.code if refused else None,
                redeemable=member_id is not None and available >= needed and refused is None,
            )
        )
    return items


def offer_of(reward: Reward) -> rules.Offer:
    """What the reward says about who may have it, and when."""
    return rules.Offer(
        status=reward.status,
        starts_at=reward.starts_at,
        ends_at=reward.ends_at,
        tiers=tuple(reward.tiers),
        segments=tuple(reward.segments),
        stock=reward.stock,
        stock_taken=reward.stock_taken,
        limit=reward.per_member_limit,
    )


def snapshot(reward: Reward) -> dict[str, Any]:
    """A reward's settings as JSON values, for the audit trail."""
    found = {name: getattr(reward, name) for name in _FIELDS}
    for name in ("starts_at", "ends_at"):
        found[name] = found[name].isoformat() if found[name] else None
    return found | {name: [str(one) for one in getattr(reward, name)] for name in ("tiers", "segments")}


def _set_status(uow: UnitOfWork, reward_id: UUID, version: int, status: str, action: str) -> Reward:
    reward = _read_at(uow, reward_id, version)
    if reward.status != status:
        before = reward.status
        reward.status = status
        _flush(uow)
        _record(uow, action, reward.id, {"status": before}, {"status": status})
    return reward


def _values(
    uow: UnitOfWork, form: RewardForm, program_id: UUID, kept: Reward | None = None
) -> dict[str, Any]:
    """What the form means, named. Raises InvalidReward."""
    shop, named = shops.get(uow), _judged(uow, form, program_id, kept)
    return rules.columns(named, shop.currency, i18n.supported(shop.locale), shop.timezone)


def _judged(uow: UnitOfWork, form: RewardForm, program_id: UUID, kept: Reward | None = None) -> RewardForm:
    """The form, named. Raises InvalidReward with all that is wrong. What is for nobody known is refused, because without it
    the reward would be for everybody; a tier or segment that is gone may stay."""
    shop = shops.get(uow)
    language = i18n.supported(shop.locale)
    named = _named(form, kept, shop.currency)
    refused = rules.refusals(named, shop.currency, language)
    if form.kind in _DEFAULT_NAMES and not named.names.model_dump(exclude_none=True):
        del refused[f"names.{language}"]  # its value is missing, which will name it
    levels = {level.id for level in tiers.main_levels(uow, program_id)}
    groups = {option.id for option in segments.options(uow)}
    unknown = {
        "tiers": set(form.tiers) - levels - set(kept.tiers if kept else ()),
        "segments": set(form.segments) - groups - set(kept.segments if kept else ()),
    }
    refused |= {name: _FOR_NOBODY[name] for name, ids_of in unknown.items() if ids_of}
    if refused:
        raise InvalidReward(fields=refused, currency=shop.currency, decimals=money.exponent(shop.currency))
    return named


def _read_at(uow: UnitOfWork, reward_id: UUID, version: int) -> Reward:
    reward = get_reward(uow, reward_id)
    if reward.version != version:
        raise StaleReward(current=reward.version)
    return reward


def _flush(uow: UnitOfWork) -> None:
    try:
        uow.session.flush()
    except StaleDataError:
        raise StaleReward() from None


def _record(
    uow: UnitOfWork, action: str, reward_id: UUID, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    compliance.record(uow, action, ("reward", str(reward_id)), before, after)
