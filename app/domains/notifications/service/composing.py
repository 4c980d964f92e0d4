"""A message in the member's language, made when it is sent: balance and tier are those of that moment."""

from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from app.core import i18n
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.schemas import Profile
from app.domains.notifications import rules
from app.domains.notifications.schemas import Letter, PointsNews, Rendered
from app.domains.orders import service as orders
from app.domains.points import service as points
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers

_TEMPLATES = Path(__file__).resolve().parents[4] / "templates"
_ISOLATE, _ISOLATE_LEFT, _POP = "\u2068", "\u2066", "\u2069"


def compose(uow: UnitOfWork, message: dict[str, Any], payload: dict[str, Any]) -> Letter | str:
    """The letter of a queued message, or why the member gets none."""
    profile = members.profiles(uow, [message["member_id"]]).get(message["member_id"])
    reason = _unreachable(profile)
    if profile is None or profile.email is None or reason:
        return reason or "no e-mail address"
    locale = i18n.supported(profile.locale)
    shop = shops.get(uow)
    news = _points_news(uow, profile, payload, locale, shop.name or shop.domain)
    return Letter(
        locale=locale,
        to=profile.email,
        from_name=rules.one_line(news.shop),
        reply_to=shops.contact_email(uow),
        message_id=rules.message_id(message["id"], shop.domain),
        content=render(message["kind"], locale, news),
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


def render(kind: str, locale: str, news: Any) -> Rendered:
    """Subject, text and HTML of a kind of message from its values."""
    environment = _environment(locale)
    values = {"news": news, "locale": locale, "direction": i18n.direction(locale)}
    place = f"email/notifications/{kind}"
    return Rendered(
        subject=rules.one_line(environment.get_template(f"{place}.subject.txt").render(values), 200),
        text=environment.get_template(f"{place}.txt").render(values).strip() + "\n",
        html=environment.get_template(f"{place}.html").render(values),
    )


@cache
def _environment(locale: str) -> Environment:
    """Templates of one language. Workers have no request, so translations are bound here instead of by Flask-Babel."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(i18n.translations(locale), newstyle=True)  # type: ignore[attr-defined]
    right_to_left = i18n.direction(locale) == "rtl"

    def number(value: int, *, signed: bool = False) -> str:
        """A grouped number with Latin digits; with a sign it keeps its order in right-to-left text."""
        text = format_decimal(abs(value), format="#,##0", locale=locale, numbering_system="latn")
        sign = ("\u2212" if value < 0 else "+") if signed else ""
        return f"{_ISOLATE_LEFT}{sign}{text}{_POP}" if right_to_left and sign else sign + text

    def isolated(text: str) -> str:
        """Somebody's text inside a sentence of another direction; not needed where both run the same way."""
        return f"{_ISOLATE}{text}{_POP}" if right_to_left else text

    environment.filters.update(number=number, isolated=isolated)
    return environment
