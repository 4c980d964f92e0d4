"""What a campaign promises, in the five languages: as friends read it, as advocates send it, as staff preview it."""

from babel.numbers import format_currency, format_decimal

from app.core import money
from app.core.i18n import isolated, mark, translate, translations
from app.domains.referrals.schemas import Terms

_FRIEND_AT_ONCE = mark("You get {points} when you create an account.")
_FRIEND_FIRST = mark("You get {points} with your first order.")
_FRIEND_FROM = mark("You get {points} with your first order from {amount}.")
_FRIEND_COUPON = mark("You get {coupon}.")
_ADVOCATE = mark("You get {points} for every friend who buys for the first time.")
_ADVOCATE_COUPON = mark("You get {coupon} for every friend who buys for the first time.")
_INVITATION = mark("A friend invites you to {shop}. {offer}")


def friend_offer(terms: Terms, currency: str, locale: str, coupon: str | None = None) -> str:
    """What an invited friend gets, and for what; `coupon` is the name of a reward that comes with the invitation."""
    said = [translate(locale, _FRIEND_COUPON, coupon=isolated(coupon, locale))] if coupon else []
    return " ".join(said + ([_for_points(terms, currency, locale)] if terms.friend_points else []))


def _for_points(terms: Terms, currency: str, locale: str) -> str:
    points = _points(terms.friend_points, locale)
    if terms.reward_on == "account":
        return translate(locale, _FRIEND_AT_ONCE, points=points)
    if not terms.minimum_purchase_minor:
        return translate(locale, _FRIEND_FIRST, points=points)
    least = money.to_decimal(terms.minimum_purchase_minor, currency)
    amount = format_currency(least, currency, locale=locale)
    return translate(locale, _FRIEND_FROM, points=points, amount=isolated(amount, locale, ltr=True))


def advocate_promise(terms: Terms, locale: str, coupon: str | None = None) -> str:
    """What inviting a friend brings."""
    said = [translate(locale, _ADVOCATE_COUPON, coupon=isolated(coupon, locale))] if coupon else []
    points = terms.advocate_points or not coupon
    return " ".join(
        said
        + ([translate(locale, _ADVOCATE, points=_points(terms.advocate_points, locale))] if points else [])
    )


def invitation(text: str, offer: str, shop: str, locale: str) -> str:
    """The message that an advocate sends: the merchant's own, else ours."""
    return text or translate(locale, _INVITATION, shop=isolated(shop, locale), offer=offer).strip()


def _points(count: int, locale: str) -> str:
    text = translations(locale).ngettext("{points} point", "{points} points", count)
    return text.format(points=format_decimal(count, locale=locale))
