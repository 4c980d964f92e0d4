"""The storefront's verbs. The customer's id comes from Shopify's signature and from nowhere else."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from app.core.db import UnitOfWork
from app.core.i18n import direction, mark, supported, translate
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.points.errors import MemberCannotEarn, NoProgramActive
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramTerms, ShopperForm
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import Referral
from app.domains.rewards import service as rewards
from app.domains.shops import service as shops
from app.domains.storefront import queries, rules
from app.domains.storefront.errors import (
    MemberBeingPrepared,
    RedemptionUnknown,
    RewardAlreadyUsed,
    RewardNotReturnable,
)
from app.domains.storefront.schemas import (
    BasketIn,
    EndingsOut,
    Locale,
    PromiseOut,
    ReferralClaimOut,
    ReferralOut,
    ReferralVisitOut,
    State,
    SummaryOut,
    View,
    WidgetCard,
    WidgetConfig,
    WidgetEarning,
    WidgetEntry,
    WidgetFriend,
    WidgetRedemption,
    WidgetRewardText,
    WidgetTranslations,
)

_POINTS = mark("Points")
_REWARDS = mark("Rewards")
_SENT_AGAIN = mark("The code is on its way to your e-mail address.")
_ENDINGS_SHOWN = 12
_COUNTED = mark("Your friend's invitation counts.")
_NOT_COUNTED = mark("This invitation is for new customers only.")


def summary(uow: UnitOfWork, customer_id: int | None, locale: str) -> SummaryOut:
    """All that the panel shows to a customer, or to a guest (None), in the language that serves `locale`."""
    language = cast(Locale, supported(locale))
    view = queries.view(uow, customer_id)
    if customer_id is not None and view.holder and view.holder.claims_guest:
        members.claim(uow, [customer_id], [])
        view = queries.view(uow, customer_id)
    state = _state(view, customer_id)
    cards = _cards(uow, view, state, language)
    found = SummaryOut(
        version="", state=state, language=language, cards=cards, **_parts(view, state, language, uow.now)
    )
    seq = view.holder.seq if view.holder else 0
    digest = hashlib.blake2b(orjson.dumps(found.model_dump(mode="json")), digest_size=8).hexdigest()
    return found.model_copy(update={"version": f"{seq}-{digest}"})


def _state(view: View, customer_id: int | None) -> State:
    if view.offer is None:
        return "closed"
    if customer_id is None:
        return "guest"
    if view.holder is None:
        return "preparing"
    return "member" if view.holder.status == "active" else "blocked"


def _cards(
    uow: UnitOfWork, view: View, state: State, language: str, terms: ProgramTerms | None = None
) -> list[WidgetCard]:
    """Where a member is on punch cards and goals; asked for only where the program has some."""
    if state != "member" or view.holder is None or not (terms or (view.offer and view.offer.counts)):
        return []
    return [rules.card(one) for one in points.cards(uow, view.holder.id, language, terms)]


def _parts(view: View, state: State, language: str, now: datetime) -> dict[str, Any]:
    offer, holder = view.offer, view.holder
    shown = offer is not None and state != "blocked"
    active = holder if shown else None
    zone = offer.timezone if offer else "UTC"
    return {
        "program": rules.localized(offer.program_name, offer.names, language) if offer else None,
        "notice": None if offer else view.pause_notes.get(language) or view.pause_notes.get("en") or None,
        "balance": rules.balance(active, zone, language) if state in ("member", "preparing") else None,
        "tier": rules.tier(offer, active, language) if offer and active else None,
        "rewards": [rules.reward(one, offer, active, language) for one in view.rewards] if offer else [],
        "codes": [rules.code(one, zone, language) for one in view.owned],
        "earning": [
            WidgetEarning(text=way)
            for way in rules.ways_to_earn(offer, language, now.astimezone(ZoneInfo(zone)).date())
        ]
        if offer and shown
        else [],
        "activity": [_entry(row, zone, language) for row in view.entries],
    }


def _entry(row: dict[str, Any], zone: str, language: str) -> WidgetEntry:
    return WidgetEntry(
        id=row["id"],
        points=row["points"],
        points_text=rules.signed(row["points"], language),
        reason=points.explain(row, language),
        created_at=row["created_at"],
        date_text=rules.day(row["created_at"], zone, language),
    )


def referral(uow: UnitOfWork, customer_id: int | None, locale: str) -> ReferralOut:
    """What the shopper gets for inviting friends and how their invitations stand; for a guest, what a friend gets."""
    language = supported(locale)
    campaign = referrals.running(uow, uow.now)
    member = members.by_customer(uow, customer_id) if customer_id is not None else None
    friends = referrals.invited(uow, member.id) if member else []
    shop = shops.get(uow)
    terms = referrals.promised(campaign) if campaign else None
    coupons = referrals.coupons(uow, terms, language) if terms else {}
    offer = referrals.friend_offer(terms, shop.currency, language, coupons.get("friend")) if terms else None
    inviting = campaign if member and member.active else None
    share = inviting.share_texts.get(language, "") if inviting else ""
    return ReferralOut(
        running=campaign is not None,
        offer=offer,
        promise=referrals.advocate_promise(terms, language, coupons.get("advocate")) if terms else None,
        share_text=referrals.invitation(share, offer or "", shop.name or shop.domain, language)
        if inviting
        else None,
        code=referrals.link(uow, member.id) if member and inviting else None,
        channels=inviting.sharing_channels if inviting else [],
        friends=[_friend(one, shop.timezone, language) for one in friends],
        earned_text=rules.points(sum(one.advocate_given for one in friends), language) if friends else None,
    )


def _friend(one: Referral, zone: str, language: str) -> WidgetFriend:
    return WidgetFriend(
        status=one.status,
        status_text=rules.friend_status(one.status, language),
        date_text=rules.day(one.recorded_at, zone, language),
        points_text=rules.signed(one.advocate_given, language) if one.advocate_given else None,
    )


def claim_referral(uow: UnitOfWork, customer_id: int, code: str, locale: str) -> ReferralClaimOut:
    """Note whose code brought the customer. Raises MemberBeingPrepared and what referrals refuse."""
    member = members.by_customer(uow, customer_id)
    if member is None:
        raise MemberBeingPrepared()
    found = referrals.claim(uow, member.id, code.upper())
    message = _NOT_COUNTED if found.status == "rejected" else _COUNTED
    return ReferralClaimOut(status=found.status, message=translate(supported(locale), message))


def promise(uow: UnitOfWork, customer_id: int | None, basket: BasketIn, locale: str) -> PromiseOut:
    """What a basket would earn the customer, or somebody new (None), in the language that serves `locale`."""
    language = cast(Locale, supported(locale))
    member = members.by_customer(uow, customer_id) if customer_id is not None else None
    wanted = rules.as_cart(basket, shops.get(uow).currency)
    try:
        found = points.calculate(uow, member, wanted, language)
    except (NoProgramActive, MemberCannotEarn):
        return PromiseOut(points=0, text=None, why=None, language=language)
    terms = programs.active_terms(uow)
    at_most = terms is not None and rules.may_be_less(basket, terms)
    told = rules.earns(found.points, language, at_most=at_most) if found.points else None
    return PromiseOut(
        points=found.points, text=told, why=found.why if found.points else None, language=language
    )


def visit_referral(uow: UnitOfWork, code: str, cart: str) -> ReferralVisitOut:
    """Count a visit by an advocate's link."""
    return ReferralVisitOut(counted=referrals.visit(uow, code.upper(), cart))


def redeem(
    uow: UnitOfWork, customer_id: int, reward_id: UUID, key: str, locale: str, chosen: int | None = None
) -> WidgetRedemption:
    """Use a customer's points for a reward, `chosen` of them if they choose; a key returns its first redemption.

    Raises MemberBeingPrepared and whatever rewards refuse.
    """
    member = members.by_customer(uow, customer_id)
    if member is None:
        raise MemberBeingPrepared()
    made = rewards.redeem(
        uow, member.id, reward_id, key=f"widget:{customer_id}:{key}", channel="widget", chosen=chosen
    )
    return redemption(uow, customer_id, made.id, locale)


def redemption(uow: UnitOfWork, customer_id: int, redemption_id: UUID, locale: str) -> WidgetRedemption:
    """What became of one of the customer's redemptions. Raises RedemptionUnknown."""
    owned = queries.redemption(uow, customer_id, redemption_id)
    if owned is None:
        raise RedemptionUnknown()
    language = supported(locale)
    status = "returning" if owned.returning else owned.status
    return WidgetRedemption.model_validate(
        {
            "id": owned.id,
            "status": status,
            "name": rules.localized(owned.name, owned.names, language),
            "code": owned.code,
            "message": rules.outcome(status, language),
        }
    )


def give_back(uow: UnitOfWork, customer_id: int, redemption_id: UUID, locale: str) -> WidgetRedemption:
    """Give an unused reward back: its code is switched off in Shopify first, then the points return.

    What is on its way back, or is back, is answered as it stands. Raises RedemptionUnknown, RewardAlreadyUsed,
    RewardNotReturnable.
    """
    owned = queries.redemption(uow, customer_id, redemption_id, lock=True)
    if owned is None:
        raise RedemptionUnknown()
    if not owned.returning and owned.status != "cancelled":
        if owned.status == "used":
            raise RewardAlreadyUsed()
        if not owned.returnable or (owned.expires_at is not None and owned.expires_at <= uow.now):
            raise RewardNotReturnable()
        rewards.cancel(uow, redemption_id, ending="member")
    return redemption(uow, customer_id, redemption_id, locale)


def resend(uow: UnitOfWork, customer_id: int, redemption_id: UUID, locale: str) -> WidgetRedemption:
    """Send the customer a working code again, by e-mail. Raises RedemptionUnknown, CodeNotUsable, MemberWithoutEmail."""
    if queries.redemption(uow, customer_id, redemption_id) is None:
        raise RedemptionUnknown()
    rewards.resend(uow, redemption_id)
    found = redemption(uow, customer_id, redemption_id, locale)
    return found.model_copy(update={"message": translate(supported(locale), _SENT_AGAIN)})


def endings(uow: UnitOfWork, customer_id: int, locale: str) -> EndingsOut:
    """What of the customer's points ends when."""
    member = members.by_customer(uow, customer_id)
    if member is None or not member.active:
        return EndingsOut(endings=[], more=False)
    found = points.endings_of(uow, member.id, limit=_ENDINGS_SHOWN + 1)
    zone = shops.get(uow).timezone
    shown = [rules.ending(one.points, one.ends_at, zone, supported(locale)) for one in found]
    return EndingsOut(endings=shown[:_ENDINGS_SHOWN], more=len(shown) > _ENDINGS_SHOWN)


def widget_config(uow: UnitOfWork, locale: str) -> WidgetConfig:
    """The program's texts for a widget of one's own, in the language that serves `locale`."""
    language = supported(locale)
    offer, offered = queries.catalog(uow)
    program = rules.localized(offer.program_name, offer.names, language) if offer else None
    texts = {
        str(one.id): WidgetRewardText(
            name=rules.localized(one.name, one.names, language),
            description=one.description,
            price=rules.points(one.points_cost, language),
        )
        for one in offered
    }
    return WidgetConfig.model_validate(
        {
            "language": language,
            "rtl": direction(language) == "rtl",
            "translations": WidgetTranslations(
                points_label=translate(language, _POINTS),
                rewards_label=translate(language, _REWARDS),
                program=program,
                rewards=texts,
            ),
        }
    )


def preview_for_staff(uow: UnitOfWork, name: str, terms: ProgramTerms, asked: ShopperForm) -> dict[str, Any]:
    """The panel as a shopper would read it under terms that may not be saved: its own texts and what the app answers.

    {unknown} when no member has the e-mail; otherwise {summary, texts, language, direction}.
    """
    language = asked.locale
    member = next(iter(members.search(uow, asked.email)), None) if "@" in asked.email else None
    if asked.who == "member" and member is None:
        return {"unknown": True}
    customer = member.customer_id if member and asked.who == "member" else None
    view = queries.view(uow, customer, terms.program_id)
    if view.offer is not None:
        view = replace(view, offer=rules.offer_under(view.offer, name, terms))
    if asked.who in ("new", "tier"):
        holder = rules.somebody(view.offer, asked.tier if asked.who == "tier" else None)
        view = replace(view, holder=holder, rewards=rules.seen_from(view, holder))
    state: State = (
        "guest" if view.holder is None else "member" if view.holder.status == "active" else "blocked"
    )
    cards = _cards(uow, view, state, language, terms)
    summary = SummaryOut(
        version="", state=state, language=language, cards=cards, **_parts(view, state, language, uow.now)
    )
    return {
        "summary": summary,
        "texts": rules.panel_texts(language),
        "language": language,
        "direction": direction(language),
    }


programs.register_shopper(preview_for_staff)
