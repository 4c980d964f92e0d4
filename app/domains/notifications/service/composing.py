"""A message in the member's language, made when it is sent: balance and tier are those of that moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import i18n, mail
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Profile
from app.domains.notifications import rules
from app.domains.notifications.schemas import (
    CodeNews,
    ExpiryNews,
    PointsNews,
    ReferralNews,
    ReturnNews,
    ReversalNews,
    TierNews,
)
from app.domains.notifications.service.expiring import expiry_news
from app.domains.notifications.service.inviting import invitation_news
from app.domains.notifications.service.leaving import ending_news
from app.domains.orders import service as orders
from app.domains.points import service as points
from app.domains.referrals import service as referrals
from app.domains.rewards import service as rewards
from app.domains.rewards.errors import RedemptionNotFound
from app.domains.rewards.schemas import Redemption
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers


@dataclass(frozen=True)
class _Told:
    """Who is told, in which language, by which shop, and what the outbox kept about the fact."""

    kind: str
    profile: Profile
    payload: dict[str, Any]
    locale: str
    shop: str


def compose(uow: UnitOfWork, message: dict[str, Any], payload: dict[str, Any]) -> mail.Letter | str:
    """The letter of a queued message, or why the member gets none."""
    profile = members.profiles(uow, [message["member_id"]]).get(message["member_id"])
    reason = _unreachable(profile)
    if profile is None or profile.email is None or reason:
        return reason or "no e-mail address"
    locale = i18n.supported(profile.locale)
    shop = shops.get(uow)
    news = _NEWS[message["kind"]](
        uow, _Told(message["kind"], profile, payload, locale, shop.name or shop.domain)
    )
    if news is None:
        return "it no longer holds"
    return mail.Letter(
        locale=locale,
        to=profile.email,
        from_name=news.shop,
        reply_to=shops.contact_email(uow),
        message_id=rules.message_id(message["id"], shop.domain),
        content=mail.render(f"notifications/{message['kind']}", locale, news, _look(uow, locale)),
    )


def _look(uow: UnitOfWork, locale: str) -> mail.Look:
    brand = shops.brand(uow)
    return mail.Look(brand.name(locale), brand.accent, brand.logo_url)


def _unreachable(profile: Profile | None) -> str:
    if profile is None or profile.status in ("erased", "merged"):
        return "the member was erased"
    if profile.status == "blocked":
        return "the member is blocked"
    return "" if profile.email else "no e-mail address"


def _points_news(uow: UnitOfWork, told: _Told) -> PointsNews:
    balance = points.balance(uow, told.profile.member_id)
    level = next((one for one in tiers.ladder(uow) if str(one.id) == told.payload["tier_id"]), None)
    return PointsNews(
        shop=told.shop,
        first_name=told.profile.first_name,
        order=_order_name(uow, told.payload),
        points=told.payload["points"],
        available=balance.available,
        pending=balance.pending,
        tier=level.localized(told.locale) if level else None,
    )


def _order_name(uow: UnitOfWork, payload: dict[str, Any]) -> str:
    order_id = UUID(payload["order_id"])
    return orders.names(uow, [order_id]).get(order_id, "")


def _reversal_news(uow: UnitOfWork, told: _Told) -> ReversalNews:
    balance = points.balance(uow, told.profile.member_id)
    return ReversalNews(
        shop=told.shop,
        first_name=told.profile.first_name,
        order=_order_name(uow, told.payload),
        points=told.payload["points"],
        reason=told.payload["reason"],
        available=balance.available,
        debt=balance.debt,
    )


def _referral_news(uow: UnitOfWork, told: _Told) -> ReferralNews | None:
    """None when the referral was taken back before the message went out."""
    referral = referrals.find(uow, UUID(told.payload["referral_id"]))
    if referral is None or referral.status in ("rejected", "reversed"):
        return None
    friend = told.kind == "referral_friend"
    coupon_id = referral.friend_redemption_id if friend else referral.advocate_redemption_id
    coupon = rewards.get_redemption(uow, coupon_id) if coupon_id else None
    balance = points.balance(uow, told.profile.member_id)
    return ReferralNews(
        shop=told.shop,
        first_name=told.profile.first_name,
        points=told.payload["points"],
        available=balance.available,
        pending=balance.pending,
        coupon=_reward_name(coupon, told.locale) if coupon else None,
        code=coupon.usable_code if coupon else None,
    )


def _reward_name(redemption: Redemption, locale: str) -> str:
    return redemption.terms.names.get(locale) or redemption.terms.name


def _redemption(uow: UnitOfWork, told: _Told) -> Redemption | None:
    try:
        return rewards.get_redemption(uow, UUID(told.payload["redemption_id"]))
    except RedemptionNotFound:
        return None


def _code_news(uow: UnitOfWork, told: _Told) -> CodeNews | None:
    """None when the code was used, taken back, or ran out before the message went out."""
    redemption = _redemption(uow, told)
    if redemption is None or not rewards.sendable(uow, redemption):
        return None
    zone = ZoneInfo(shops.get(uow).timezone)
    ends = redemption.expires_at
    return CodeNews(
        shop=told.shop,
        first_name=told.profile.first_name,
        reward=_reward_name(redemption, told.locale),
        code=redemption.code,
        last_day=ends.astimezone(zone).date() if ends else None,
    )


def _return_news(uow: UnitOfWork, told: _Told) -> ReturnNews | None:
    redemption = _redemption(uow, told)
    if redemption is None:
        return None
    return ReturnNews(
        shop=told.shop,
        first_name=told.profile.first_name,
        reward=_reward_name(redemption, told.locale),
        points=redemption.points,
        reason=told.payload["reason"],
        available=points.balance(uow, told.profile.member_id).available,
    )


def _expiry_news(uow: UnitOfWork, told: _Told) -> ExpiryNews | None:
    blank = ExpiryNews(told.shop, told.profile.first_name, 0, date.min, 0, idle=False)
    return expiry_news(uow, told.profile.member_id, datetime.fromisoformat(told.payload["ends_at"]), blank)


def _tier_news(uow: UnitOfWork, told: _Told) -> TierNews | None:
    blank = TierNews(told.shop, told.profile.first_name, "", date.min)
    ladder_id, tier_id = UUID(told.payload["ladder_id"]), UUID(told.payload["tier_id"])
    return ending_news(uow, told.profile.member_id, ladder_id, tier_id, told.locale, blank)


_NEWS: dict[str, Callable[[UnitOfWork, _Told], Any]] = {
    "points_earned": _points_news,
    "points_reversed": _reversal_news,
    "referral_joined": _referral_news,
    "referral_advocate": _referral_news,
    "referral_friend": _referral_news,
    "reward_code": _code_news,
    "reward_returned": _return_news,
    "expiry_warning": _expiry_news,
    "last_chance": _expiry_news,
    "tier_ending": _tier_news,
    "invitation": lambda uow, told: invitation_news(
        uow, told.payload, told.locale, told.shop, told.profile.first_name
    ),
}
