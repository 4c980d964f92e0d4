"""The one canonical form of a shop: its lower-case `{handle}.myshopify.com` domain."""

import re

from app.core.errors import Invalid
from app.core.i18n import mark

SUFFIX = ".myshopify.com"
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}\.[Mm][Yy][Ss][Hh][Oo][Pp][Ii][Ff][Yy]\.[Cc][Oo][Mm]")


class InvalidShop(Invalid):
    """Something that should be a shop's domain is not one."""

    code = "invalid_shop"
    default_message = mark("This is not a shop's myshopify.com domain.")


def parse(text: object) -> str | None:
    """The canonical domain, or None. The whole text must be a domain: no scheme, port, path, space or dot more."""
    if not isinstance(text, str) or not _DOMAIN.fullmatch(text):
        return None
    return text.lower()


def require(text: object) -> str:
    """The canonical domain. Raises InvalidShop."""
    domain = parse(text)
    if domain is None:
        raise InvalidShop
    return domain


def handle(domain: str) -> str:
    """`demo` of `demo.myshopify.com`, as the admin's addresses and the official package write a shop."""
    return require(domain).removesuffix(SUFFIX)


def from_handle(text: str) -> str:
    """`demo.myshopify.com` of `demo`. Raises InvalidShop."""
    return require(text + SUFFIX)


def from_origin(text: object) -> str | None:
    """The domain of `https://demo.myshopify.com`, as the claim `dest` writes it (some issuers leave the scheme out)."""
    return parse(text.removeprefix("https://")) if isinstance(text, str) else None
