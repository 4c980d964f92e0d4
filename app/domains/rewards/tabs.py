"""The reward catalog in the admin: the list, the editor with its preview, and what members redeemed."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import i18n, money
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.rewards import queries, rules, service
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import (
    PreviewForm,
    RedemptionsFilter,
    RewardForm,
    RewardsFilter,
)
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.tabs import Done, Fragment, action, tab, tab_page

_KEY = "reward-catalog"
_HISTORY_SHOWN = 10


@tab(
    _KEY,
    title=mark("Reward catalog"),
    group="manage",
    icon="badge-percent",
    permission=Permission.REWARDS_READ,
    query=RewardsFilter,
)
def reward_catalog(ctx: Context, query: RewardsFilter) -> dict[str, Any]:
    """What members can get for their points, and how often they did."""
    rewards = queries.listed(ctx.uow, query.status)
    uses = queries.redeemed_recently(ctx.uow, [reward.id for reward in rewards])
    return {
        "rewards": [
            service.snapshot(reward)
            | {
                "id": reward.id,
                "name": rules.localized(reward.name, reward.names, ctx.locale),
                "redeemed": uses.get(reward.id, 0),
            }
            for reward in rewards
        ],
        "can_write": ctx.can(Permission.REWARDS_WRITE),
    }


@tab_page(_KEY, "/new", "reward.html", title=mark("New reward"), permission=Permission.REWARDS_WRITE)
def new_reward(ctx: Context) -> dict[str, Any]:
    """The empty editor."""
    language = i18n.supported(shops.get(ctx.uow).locale)
    initial = {"kind": "amount_off", "code_prefix": "LN", "status": "active", "valid_days": 90, "names": {}}
    return {"reward": None, "initial": initial, "language": language, "preview": None, "can_write": True}


@tab_page(_KEY, "/<uuid:id>", "reward.html", title=mark("Reward"), permission=Permission.REWARDS_READ)
def reward(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one reward, its preview, its latest redemptions and its history."""
    found = service.get_reward(ctx.uow, id)
    shop = shops.get(ctx.uow)
    latest = queries.redemptions(ctx.uow, RedemptionsFilter(reward=id, limit=_HISTORY_SHOWN, cursor=None))
    initial = _typed(found, shop.currency)
    return {
        "title": rules.localized(found.name, found.names, ctx.locale),
        "reward": found,
        "initial": initial,
        "language": i18n.supported(shop.locale),
        "preview": _preview(PreviewForm.model_validate(initial), ctx.locale, shop.currency),
        "redemptions": [_row(ctx, one) for one in latest.items],
        "history": compliance.list_entries(ctx.uow, ("reward", str(id)), limit=_HISTORY_SHOWN).items,
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
    page = queries.redemptions(ctx.uow, query)
    names = (
        members.profiles(ctx.uow, {one.member_id for one in page.items})
        if ctx.can(Permission.MEMBERS_READ)
        else {}
    )
    rows = [
        _row(ctx, one) | {"member": names[one.member_id].name if one.member_id in names else ""}
        for one in page.items
    ]
    return {"page": page, "rows": rows, "can_write": ctx.can(Permission.REWARDS_WRITE)}


def _row(ctx: Context, one: Any) -> dict[str, Any]:
    expired = one.status == "issued" and one.expires_at is not None and one.expires_at < ctx.uow.now
    return {
        "id": one.id,
        "code": one.code,
        "reward_id": one.reward_id,
        "reward": rules.localized(one.terms.name, one.terms.names, ctx.locale),
        "member_id": one.member_id,
        "points": one.points,
        "state": "waiting" if one.cancelling else "expired" if expired else one.status,
        "failure": one.failure or "",
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "cancellable": one.status == "issued" and not one.cancelling,
    }


def _typed(found: Reward, currency: str) -> dict[str, Any]:
    """A reward's settings as the form shows them: money in major units."""

    def major(minor: int | None) -> Decimal | None:
        return None if minor is None else money.to_decimal(minor, currency)

    kept = (
        "description",
        "kind",
        "points_cost",
        "valid_days",
        "per_member_limit",
        "combines_with",
        "code_prefix",
    )
    return {name: getattr(found, name) for name in (*kept, "status", "position", "version")} | {
        "names": found.names,
        "amount": major(found.value_minor),
        "percent": None if found.percent_bp is None else Decimal(found.percent_bp) / 100,
        "variant": found.variant_gid,
        "minimum_subtotal": major(found.minimum_subtotal_minor),
    }


def _preview(form: PreviewForm, locale: str, currency: str) -> dict[str, Any]:
    """The card that shoppers would see; amounts in minor units of the currency."""
    names = form.names.model_dump(exclude_none=True)
    return {
        "name": rules.localized(next(iter(names.values()), ""), names, locale),
        "description": form.description or "",
        "points_cost": form.points_cost,
        "minimum_subtotal_minor": money.to_minor(form.minimum_subtotal, currency)
        if form.minimum_subtotal
        else None,
        "valid_days": form.valid_days,
        "per_member_limit": form.per_member_limit,
        "kind": form.kind,
    }


@action(_KEY, "preview", permission=Permission.REWARDS_READ, form=PreviewForm, idempotent=False)
def preview(ctx: Context, form: PreviewForm) -> Done:
    """Show the card of what is being typed; nothing is saved."""
    card = _preview(form, ctx.locale, shops.get(ctx.uow).currency)
    return Done(refresh=Fragment("admin/rewards/_preview.html", {"preview": card}))


@action(_KEY, "create", permission=Permission.REWARDS_WRITE, form=RewardForm, prepare=new_reward)
def create(ctx: Context, form: RewardForm) -> Done:
    """Add a reward to the active program."""
    made = service.create_reward(ctx.uow, form)
    return Done(mark("The reward was added."), location=f"/app/{_KEY}/{made.id}")


@action(_KEY, "save", page="reward", permission=Permission.REWARDS_WRITE, form=RewardForm)
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
