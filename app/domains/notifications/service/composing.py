"""A message in the member's language, made when it is sent: balance and tier are those of that moment."""

from typing import Any
from uuid import UUID

from app.core import i18n, mail
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Profile
from app.domains.notifications import rules
from app.domains.notifications.schemas import PointsNews
from app.domains.orders import service as orders
from app.domains.points import service as points
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers


def compose(uow: UnitOfWork, message: dict[str, Any], payload: dict[str, Any]) -> mail.Letter | str:
    """The letter of a queued message, or why the member gets none."""
    profile = members.profiles(uow, [message["member_id"]]).get(message["member_id"])
    reason = _unreachable(profile)
    if profile is None or profile.email is None or reason:
        return reason or "no e-mail address"
    locale = i18n.supported(profile.locale)
    shop = shops.get(uow)
    news = _points_news(uow, profile, payload, locale, shop.name or shop.domain)
    return mail.Letter(
        locale=locale,
        to=profile.email,
        from_name=news.shop,
        reply_to=shops.contact_email(uow),
        message_id=rules.message_id(message["id"], shop.domain),
        content=mail.render(f"notifications/{message['kind']}", locale, news),
    )


def _unreachable(profile: Profile | None) -> str:
    if profile is None or profile.status in ("erased", "merged"):
        return "the member was erased"
    if profile.status == "blocked":
        return "the member is blocked"
    return "" if profile.email else "no e-mail address"


def _points_news(
    uow: UnitOfWork, profile: Profile, payload: dict[str, Any], locale: str, shop: str
) -> PointsNews:
    balance = points.balance(uow, profile.member_id)
    order_id = UUID(payload["order_id"])
    level = next((one for one in tiers.ladder(uow) if str(one.id) == payload["tier_id"]), None)
    return PointsNews(
        shop=shop,
        first_name=profile.first_name,
        order=orders.names(uow, [order_id]).get(order_id, ""),
        points=payload["points"],
        available=balance.available,
        pending=balance.pending,
        tier=level.localized(locale) if level else None,
    )
