"""Referral campaigns in the admin: the list, the editor with a preview, and who came through a campaign."""

from typing import Any
from uuid import UUID

from app.core import i18n, money
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.orders import service as orders
from app.domains.points import service as points
from app.domains.referrals import queries, rules, service
from app.domains.referrals.errors import ReferralNotFound
from app.domains.referrals.lists import CAMPAIGNS, FRIENDS, numbers
from app.domains.referrals.schemas import (
    CampaignCreate,
    CampaignForm,
    CampaignsQuery,
    FriendsQuery,
    PreviewForm,
    StatusForm,
    Terms,
)
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import Done, Fragment, action, tab, tab_page

_KEY = "referral-campaigns"


@tab(
    _KEY,
    title=mark("Referral campaigns"),
    group="manage",
    icon="megaphone",
    permission=Permission.REFERRALS_READ,
    query=CampaignsQuery,
)
def referral_campaigns(ctx: Context, query: CampaignsQuery) -> dict[str, Any]:
    """Every campaign with how many friends it brought and how many of them bought."""
    return {
        "list": show_list(ctx, CAMPAIGNS, query),
        "links": queries.count_links(ctx.uow),
        "can_write": ctx.can(Permission.REFERRALS_WRITE),
    }


@tab_page(_KEY, "/new", "campaign.html", title=mark("New campaign"), permission=Permission.REFERRALS_WRITE)
def new_campaign(ctx: Context) -> dict[str, Any]:
    """The empty editor."""
    blank = CampaignForm(name="?", advocate_points=500, friend_points=200)
    initial = blank.model_dump() | {"name": ""}
    return {
        "campaign": None,
        "initial": initial,
        "rewards": _rewards(ctx, initial),
        "preview": _preview(ctx, PreviewForm()),
        "can_write": True,
    }


@tab_page(
    _KEY,
    "/<uuid:id>",
    "campaign.html",
    title=mark("Referral campaign"),
    permission=Permission.REFERRALS_READ,
    query=FriendsQuery,
)
def campaign(ctx: Context, id: UUID, query: FriendsQuery) -> dict[str, Any]:
    """The editor of one campaign, its numbers, and the newest friends who came through it."""
    found = service.get(ctx.uow, id)
    currency = shops.get(ctx.uow).currency
    minimum = money.to_decimal(found.minimum_purchase_minor, currency)
    initial = service.snapshot(found) | {
        "minimum_purchase": minimum,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
    }
    return {
        "campaign": found,
        "initial": initial,
        "rewards": _rewards(ctx, initial),
        "preview": _preview(ctx, PreviewForm.model_validate(initial)),
        "numbers": numbers(
            found, queries.counts(ctx.uow, [id]).get(id, {}), queries.visits(ctx.uow, [id])[id]
        ),
        "list": show_list(ctx, FRIENDS, query, place={"id": id}),
        "next": sorted(rules.NEXT_STATUS[found.status]),
        "can_write": ctx.can(Permission.REFERRALS_WRITE),
    }


def _rewards(ctx: Context, initial: dict[str, Any]) -> list[tuple[str, str]]:
    """What can be chosen, and what is chosen already although it was retired."""
    chosen = {str(initial[name]) for name in ("advocate_reward_id", "friend_reward_id") if initial[name]}
    offered = {str(reward): name for reward, name in rewards.choices(ctx.uow, ctx.locale)}
    return list(offered.items()) + [
        (one, rewards.get_reward(ctx.uow, UUID(one)).name) for one in sorted(chosen - offered.keys())
    ]


def _preview(ctx: Context, form: PreviewForm) -> dict[str, Any]:
    """What an advocate sends and what a friend reads, in each language, from what is being typed."""
    shop = shops.get(ctx.uow)
    terms = Terms(
        advocate_points=form.advocate_points,
        friend_points=form.friend_points,
        minimum_purchase_minor=money.to_minor(form.minimum_purchase, shop.currency),
        maximum_per_advocate=None,
        reward_on=form.reward_on,
        advocate_reward_id=form.advocate_reward_id,
        friend_reward_id=form.friend_reward_id,
    )
    texts = form.share_texts.model_dump(exclude_none=True)
    name = shop.name or shop.domain
    shown = []
    for locale in i18n.LOCALES:
        coupon = service.coupons(ctx.uow, terms, locale).get("friend")
        offer = service.friend_offer(terms, shop.currency, locale, coupon)
        sent = service.invitation(texts.get(locale, ""), offer, name, locale)
        shown.append({"locale": locale, "direction": i18n.direction(locale), "sent": sent, "offer": offer})
    return {"languages": shown, "link": f"https://{shop.domain}/?ref=…"}


@action(_KEY, "preview", permission=Permission.REFERRALS_READ, form=PreviewForm, live=True)
def preview(ctx: Context, form: PreviewForm) -> Done:
    """Show what is being typed as members and friends would read it; nothing is saved."""
    return Done(refresh=Fragment("admin/referrals/_preview.html", {"preview": _preview(ctx, form)}))


@tab_page(
    _KEY,
    "/referrals/<uuid:id>",
    "referral.html",
    title=mark("Referral"),
    permission=Permission.REFERRALS_READ,
)
def referral(ctx: Context, id: UUID) -> dict[str, Any]:
    """One referral beside the list: who, which order, what was posted and why it counts or not."""
    found = queries.referral(ctx.uow, id)
    if found is None:
        raise ReferralNotFound()
    people = [found.advocate_id, found.member_id]
    known = members.profiles(ctx.uow, people) if ctx.can(Permission.MEMBERS_READ) else {}
    coupons = {"advocate": found.advocate_redemption_id, "friend": found.friend_redemption_id}
    return {
        "referral": found,
        "advocate": known[found.advocate_id].name if found.advocate_id in known else "",
        "friend": rules.masked(known[found.member_id].email) if found.member_id in known else "",
        "order": orders.names(ctx.uow, [found.order_id]).get(found.order_id) if found.order_id else None,
        "entries": points.of_order(ctx.uow, found.id, ctx.locale),
        "coupons": {
            side: rewards.get_redemption(ctx.uow, one) if one else None for side, one in coupons.items()
        },
    }


def _settings(ctx: Context, form: CampaignForm) -> dict[str, Any]:
    """The form's values as the service takes them: money in minor units, only languages that were filled in."""
    values = form.model_dump(exclude={"version", "minimum_purchase", "share_texts"})
    currency = shops.get(ctx.uow).currency
    return values | {
        "minimum_purchase_minor": money.to_minor(form.minimum_purchase, currency),
        "share_texts": form.share_texts.model_dump(exclude_none=True),
    }


@action(_KEY, "create", permission=Permission.REFERRALS_WRITE, form=CampaignForm, prepare=new_campaign)
def create(ctx: Context, form: CampaignForm) -> Done:
    """Create a draft."""
    made = service.create(ctx.uow, CampaignCreate(**_settings(ctx, form)))
    return Done(
        mark("{name} was created as a draft."), {"name": made.name}, location=f"/app/{_KEY}/{made.id}"
    )


@action(_KEY, "save", page="campaign", permission=Permission.REFERRALS_WRITE, form=CampaignForm)
def save(ctx: Context, id: UUID, form: CampaignForm) -> Done:
    """Save the editor."""
    service.update(ctx.uow, id, _settings(ctx, form), version=form.version)
    return Done(mark("The campaign was saved. Friends who came before keep what they were promised."))


@action(_KEY, "set-status", page="campaign", permission=Permission.REFERRALS_WRITE, form=StatusForm)
def set_status(ctx: Context, id: UUID, form: StatusForm) -> Done:
    """Activate, pause or complete a campaign."""
    service.update(ctx.uow, id, {"status": form.status}, version=form.version)
    return Done(
        {
            "active": mark("The campaign is active."),
            "paused": mark("The campaign is paused."),
            "completed": mark("The campaign was completed."),
        }[form.status]
    )


@action(_KEY, "delete", page="campaign", permission=Permission.REFERRALS_WRITE)
def delete(ctx: Context, id: UUID) -> Done:
    """Delete a campaign that brought nobody."""
    service.delete(ctx.uow, id)
    return Done(mark("The campaign was deleted."), location=f"/app/{_KEY}")
