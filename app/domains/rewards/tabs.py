"""The reward catalog in the admin: the list, the editor with its preview, and what members redeemed."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import i18n, money
from app.core.i18n import enumerated, mark, translate
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.orders.errors import OrderNotFound
from app.domains.programs import service as programs
from app.domains.rewards import queries, rules, service
from app.domains.rewards.lists import REDEMPTIONS, REWARDS, named, row_of
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import (
    CatalogQuery,
    NewReward,
    NewRewardForm,
    PreviewForm,
    RedemptionsFilter,
    RewardForm,
)
from app.domains.segments import service as segments
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import Done, Fragment, action, tab, tab_page

_KEY = "reward-catalog"
_HISTORY_SHOWN = 10


@tab(
    _KEY,
    title=mark("Reward catalog"),
    group="manage",
    icon="badge-percent",
    permission=Permission.REWARDS_READ,
    query=CatalogQuery,
)
def reward_catalog(ctx: Context, query: CatalogQuery) -> dict[str, Any]:
    """What members can get for their points, and how often they did."""
    return {
        "list": show_list(ctx, REWARDS, query, options={"program": _programs(ctx)}),
        "program": query.program,
        "can_write": ctx.can(Permission.REWARDS_WRITE),
    }


def _programs(ctx: Context) -> list[tuple[str, str]]:
    """Programs to choose from, when there are several."""
    found = programs.kept(ctx.uow)
    return [(str(one.id), one.name) for one in found] if len(found) > 1 else []


@tab_page(
    _KEY,
    "/new",
    "reward.html",
    title=mark("New reward"),
    permission=Permission.REWARDS_WRITE,
    query=NewReward,
)
def new_reward(ctx: Context, query: NewReward) -> dict[str, Any]:
    """The empty editor, for a program."""
    choices = programs.kept(ctx.uow)
    program = next((one for one in choices if one.id == query.program), next(iter(choices), None))
    language = i18n.supported(shops.get(ctx.uow).locale)
    initial: dict[str, Any] = {
        "program": program.id if program else "",
        "kind": "amount_off",
        "code_prefix": "LN",
        "status": "active",
        "valid_days": 90,
        "names": {},
        "returns_expired": True,
        "returns_canceled": True,
    }
    return {
        "reward": None,
        "initial": initial,
        "language": language,
        "preview": None,
        "program": program,
        "choices": choices,
        "tiers": _tiers(ctx, program.id) if program else [],
        "segments": _segments(ctx),
        "can_write": True,
    }


def _tiers(ctx: Context, program_id: UUID, reward: Reward | None = None) -> list[tuple[str, str, None]]:
    """The tiers of a program that a reward may be for, and those that it is for although they are gone."""
    found = {level.id: level.localized(ctx.locale) for level in tiers.main_levels(ctx.uow, program_id)}
    gone = translate(ctx.locale, mark("A tier that was removed"))
    found |= {tier: gone for tier in (reward.tiers if reward else ()) if tier not in found}
    return [(str(tier), name, None) for tier, name in found.items()]


def _segments(ctx: Context, reward: Reward | None = None) -> list[tuple[str, str, None]]:
    """The shop's segments, and those that a reward is for although they are gone."""
    found = {one.id: one.name for one in segments.options(ctx.uow)}
    gone = translate(ctx.locale, mark("A segment that was deleted"))
    found |= {one: gone for one in (reward.segments if reward else ()) if one not in found}
    return [(str(segment), name, None) for segment, name in found.items()]


def _refused_reward(ctx: Context) -> dict[str, Any]:
    try:
        return new_reward(ctx, NewReward(program=UUID(ctx.form_values["program"])))
    except (KeyError, ValueError):
        return new_reward(ctx, NewReward())


@tab_page(_KEY, "/<uuid:id>", "reward.html", title=mark("Reward"), permission=Permission.REWARDS_READ)
def reward(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one reward, its preview, its latest redemptions and its history."""
    found = service.get_reward(ctx.uow, id)
    shop = shops.get(ctx.uow)
    latest = queries.redemptions(ctx.uow, RedemptionsFilter(reward=id, limit=_HISTORY_SHOWN, cursor=None))
    history = compliance.list_entries(ctx.uow, ("reward", str(id)), limit=_HISTORY_SHOWN).items
    initial = _typed(found, shop.currency, shop.timezone)
    return {
        "title": rules.localized(found.name, found.names, ctx.locale),
        "reward": found,
        "initial": initial,
        "language": i18n.supported(shop.locale),
        "preview": _preview(
            PreviewForm.model_validate({name: initial[name] for name in _SHOWN}), ctx.locale, shop.currency
        ),
        "program": programs.get(ctx.uow, found.program_id),
        "tiers": _tiers(ctx, found.program_id, found),
        "segments": _segments(ctx, found),
        "figures": queries.figures(ctx.uow, id),
        "sales": queries.sales(ctx.uow, id, shop.currency),
        "sold_with": queries.SOLD_WITH,
        "redemptions": named(ctx, [row_of(ctx, one) for one in latest.items]),
        "history": history,
        "told": [_told(ctx, one.before, one.after) for one in history],
        "unused": not latest.items,
        "can_write": ctx.can(Permission.REWARDS_WRITE),
    }


@tab_page(
    _KEY,
    "/redemptions",
    "redemptions.html",
    title=mark("Redemptions"),
    permission=Permission.REWARDS_READ,
    query=RedemptionsFilter,
)
def redemptions(ctx: Context, query: RedemptionsFilter) -> dict[str, Any]:
    """What members redeemed, newest first."""
    return {"list": show_list(ctx, REDEMPTIONS, query), "can_write": ctx.can(Permission.REWARDS_WRITE)}


@tab_page(
    _KEY,
    "/redemptions/<uuid:id>",
    "redemption.html",
    title=mark("Redemption"),
    permission=Permission.REWARDS_READ,
)
def redemption(ctx: Context, id: UUID) -> dict[str, Any]:
    """One redemption in a drawer: what became of it, and what staff can do."""
    found = service.get_redemption(ctx.uow, id)
    may_see = ctx.can(Permission.MEMBERS_READ)
    profile = members.profiles(ctx.uow, {found.member_id}).get(found.member_id) if may_see else None
    return {
        "title": rules.localized(found.terms.name, found.terms.names, ctx.locale),
        "row": row_of(ctx, found) | {"member": profile.name if profile else ""},
        "terms": found.terms,
        "may_see": may_see,
        "order": _order(ctx, found.used_order_id) if found.used_order_id else None,
        "currency": found.terms.currency,
        "history": compliance.list_entries(ctx.uow, ("redemption", str(id)), limit=_HISTORY_SHOWN).items,
        "can_write": ctx.can(Permission.REWARDS_WRITE),
    }


def _told(ctx: Context, before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """Which settings a change of the editor changed, in words; nothing for other steps."""
    if not before or not after or "kind" not in before:
        return ""
    changed = [
        translate(ctx.locale, word) for name, word in _WORDS.items() if before.get(name) != after.get(name)
    ]
    return enumerated(ctx.locale, list(dict.fromkeys(changed)))


_WORDS = {
    "names": mark("Name"),
    "descriptions": mark("Description"),
    "conditions": mark("Terms"),
    "image_url": mark("Image"),
    "kind": mark("Kind"),
    "points_cost": mark("Points price"),
    "value_minor": mark("Amount"),
    "percent_bp": mark("Percentage"),
    "variant_gid": mark("Product variant"),
    "least_points": mark("Fewest points"),
    "most_points": mark("Most points"),
    "access_tag": mark("Customer tag"),
    "minimum_subtotal_minor": mark("Smallest order"),
    "combines_with": mark("The code can be combined with"),
    "valid_days": mark("Code works for"),
    "per_member_limit": mark("Times per member"),
    "limit_days": mark("Counted over"),
    "stock": mark("Stock"),
    "tiers": mark("Only for tiers"),
    "segments": mark("Only for segments"),
    "starts_at": mark("First day"),
    "ends_at": mark("Last day"),
    "cost_minor": mark("What one costs you"),
    "returns_expired": mark("Points return when the code expires unused"),
    "returns_canceled": mark("Points return when the order is canceled"),
    "code_prefix": mark("Codes begin with"),
    "status": mark("Status"),
    "position": mark("Position"),
}


def _order(ctx: Context, order_id: int) -> dict[str, str]:
    """The order in which a code was used: its name and its page in Shopify's admin."""
    try:
        name = orders.seen(ctx.uow, order_id).name
    except OrderNotFound:
        name = ""
    return {"name": name or str(order_id), "url": shops.admin_page(ctx.uow, f"orders/{order_id}")}


def _typed(found: Reward, currency: str, timezone: str) -> dict[str, Any]:
    """A reward's settings as the form shows them: money in major units, days of the shop's zone."""

    def major(minor: int | None) -> Decimal | None:
        return None if minor is None else money.to_decimal(minor, currency)

    kept = (*_AS_STORED, "status", "position", "version")
    return {name: getattr(found, name) for name in kept} | {
        "amount": major(found.value_minor),
        "cost": major(found.cost_minor),
        "percent": None if found.percent_bp is None else Decimal(found.percent_bp) / 100,
        "variant": found.variant_gid,
        "minimum_subtotal": major(found.minimum_subtotal_minor),
        "starts_on": rules.day(found.starts_at, timezone),
        "ends_on": rules.day(found.ends_at, timezone, before=True),
        "tiers": [str(tier) for tier in found.tiers],
        "segments": [str(segment) for segment in found.segments],
    }


_AS_STORED = (
    "names",
    "descriptions",
    "conditions",
    "image_url",
    "kind",
    "points_cost",
    "least_points",
    "most_points",
    "access_tag",
    "valid_days",
    "per_member_limit",
    "limit_days",
    "stock",
    "returns_expired",
    "returns_canceled",
    "combines_with",
    "code_prefix",
)


_SHOWN = (
    "names",
    "descriptions",
    "conditions",
    "image_url",
    "kind",
    "points_cost",
    "amount",
    "least_points",
    "most_points",
    "minimum_subtotal",
    "valid_days",
    "per_member_limit",
    "limit_days",
)


def _preview(form: PreviewForm, locale: str, currency: str) -> dict[str, Any]:
    """The card that shoppers would see; amounts in minor units of the currency."""
    names = form.names.model_dump(exclude_none=True)
    names = names or service.default_names(form.kind, form.amount, form.percent, currency)
    descriptions = form.descriptions.model_dump(exclude_none=True)
    return {
        "name": rules.localized(next(iter(names.values()), ""), names, locale),
        "description": rules.localized(next(iter(descriptions.values()), ""), descriptions, locale),
        "conditions": rules.localized("", form.conditions.model_dump(exclude_none=True), locale),
        "image_url": form.image_url,
        "points_cost": form.points_cost,
        "least_points": form.least_points,
        "most_points": form.most_points,
        "value_minor": money.to_minor(form.amount, currency) if form.amount else None,
        "minimum_subtotal_minor": money.to_minor(form.minimum_subtotal, currency)
        if form.minimum_subtotal
        else None,
        "valid_days": form.valid_days,
        "per_member_limit": form.per_member_limit,
        "limit_days": form.limit_days,
        "kind": form.kind,
    }


@action(_KEY, "preview", permission=Permission.REWARDS_READ, form=PreviewForm, live=True)
def preview(ctx: Context, form: PreviewForm) -> Done:
    """Show the card of what is being typed; nothing is saved."""
    card = _preview(form, ctx.locale, shops.get(ctx.uow).currency)
    return Done(refresh=Fragment("admin/rewards/_preview.html", {"preview": card}))


def _review_new(ctx: Context, form: NewRewardForm) -> None:
    service.review_new(ctx.uow, form, program_id=form.program)


def _review_changed(ctx: Context, id: UUID, form: RewardForm) -> None:
    service.review_changed(ctx.uow, id, form)


@action(
    _KEY,
    "create",
    permission=Permission.REWARDS_WRITE,
    form=NewRewardForm,
    prepare=_refused_reward,
    review=_review_new,
)
def create(ctx: Context, form: NewRewardForm) -> Done:
    """Add a reward to a program."""
    made = service.create_reward(ctx.uow, form, program_id=form.program)
    return Done(mark("The reward was added."), location=f"/app/{_KEY}/{made.id}")


@action(
    _KEY,
    "save",
    page="reward",
    permission=Permission.REWARDS_WRITE,
    form=RewardForm,
    review=_review_changed,
)
def save(ctx: Context, id: UUID, form: RewardForm) -> Done:
    """Save the editor."""
    service.update_reward(ctx.uow, id, form)
    return Done(mark("The reward was saved."))


def _version(ctx: Context) -> int:
    """The version that the page showed; 0, which never matches, when the button did not say."""
    text = ctx.form_values.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@action(_KEY, "retire", page="reward", permission=Permission.REWARDS_WRITE)
def retire(ctx: Context, id: UUID) -> Done:
    """Stop offering the reward."""
    service.retire(ctx.uow, id, version=_version(ctx))
    return Done(mark("The reward was retired."))


@action(_KEY, "restore", page="reward", permission=Permission.REWARDS_WRITE)
def restore(ctx: Context, id: UUID) -> Done:
    """Offer the reward again."""
    service.restore(ctx.uow, id, version=_version(ctx))
    return Done(mark("The reward is offered again."))


@action(_KEY, "duplicate", page="reward", permission=Permission.REWARDS_WRITE)
def duplicate(ctx: Context, id: UUID) -> Done:
    """Make a draft with the same settings."""
    made = service.duplicate(ctx.uow, id)
    return Done(mark("A draft with the same settings was added."), location=f"/app/{_KEY}/{made.id}")


@action(_KEY, "delete", page="reward", permission=Permission.REWARDS_WRITE)
def delete(ctx: Context, id: UUID) -> Done:
    """Delete a reward that nobody ever redeemed."""
    service.delete_reward(ctx.uow, id, version=_version(ctx))
    return Done(mark("The reward was deleted."), location=f"/app/{_KEY}")


@action(_KEY, "cancel-redemption", "/redemptions/<uuid:id>/cancel", permission=Permission.REWARDS_WRITE)
def cancel_redemption(ctx: Context, id: UUID) -> Done:
    """Take an unused code back; the points return when Shopify has switched it off."""
    service.cancel(ctx.uow, id)
    return Done(
        mark("The code is being switched off. The points return in a moment."),
        location=f"/app/{_KEY}/redemptions",
    )


@action(_KEY, "resend-code", "/redemptions/<uuid:id>/resend", permission=Permission.POINTS_REDEEM)
def resend_code(ctx: Context, id: UUID) -> Done:
    """Send a working code to its member again."""
    service.resend(ctx.uow, id)
    return Done(mark("The code is on its way to the member."), refresh="nothing")


@action(_KEY, "fulfill-redemption", "/redemptions/<uuid:id>/fulfill", permission=Permission.REWARDS_WRITE)
def fulfill_redemption(ctx: Context, id: UUID) -> Done:
    """Say that a reward that staff hand over was handed over; the points are spent."""
    service.fulfill(ctx.uow, id)
    return Done(mark("The reward is marked as handed over."), location=f"/app/{_KEY}/redemptions")


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    seen = ctx.can(Permission.REWARDS_READ)
    latest = (
        queries.redemptions(ctx.uow, RedemptionsFilter(member=member_id, limit=_ON_MEMBER)) if seen else None
    )
    return {
        "wide": True,
        "seen": seen,
        "member_id": member_id,
        "redemptions": [row_of(ctx, one) for one in latest.items] if latest else [],
        "more": latest is not None and latest.next_cursor is not None,
        "can_give": ctx.can(Permission.POINTS_ADJUST),
    }


_ON_MEMBER = 5
members.register_panel("rewards", 15, "admin/rewards/_panel.html", _panel)
