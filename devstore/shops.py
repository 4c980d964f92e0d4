"""Shops of the dev store and whether the app is installed in them."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from devstore import catalog, payloads, times, webhooks
from devstore.errors import Refused, not_found
from devstore.runtime import DevStore
from devstore.settings import DEMO_SHOP
from devstore.state import Doc

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Points in the bucket and points restored a second, by Shopify plan.
BUCKETS = {
    "Basic": (2000.0, 100.0),
    "Advanced": (4000.0, 200.0),
    "Plus": (20000.0, 1000.0),
    "Enterprise": (40000.0, 2000.0),
}


def domain_of(handle: str) -> str:
    """`loyalnest-demo` -> `loyalnest-demo.myshopify.com`; a whole domain stays as it is."""
    return handle if "." in handle else f"{handle}.myshopify.com"


def handle_of(domain: str) -> str:
    """`loyalnest-demo.myshopify.com` -> `loyalnest-demo`."""
    return domain.split(".", 1)[0]


def find(store: DevStore, domain: str) -> Doc | None:
    """A shop by its domain."""
    return store.state.by_key("shop", "", domain)


def get(store: DevStore, domain: str) -> Doc:
    """A shop by its domain. Raises Refused (404)."""
    shop = find(store, domain)
    if shop is None:
        raise not_found(f"The shop {domain}")
    return shop


def every(store: DevStore) -> list[Doc]:
    """All shops, oldest first."""
    return store.state.all("shop", "")


def save(store: DevStore, shop: Doc) -> None:
    """Keep changes to a shop."""
    store.state.put("shop", "", shop, shop["domain"])


class ShopDetails(TypedDict, total=False):
    """What a new shop is like. `tax_rate` is a share such as 0.2, `timezone` an IANA name, `plan` a key of BUCKETS."""

    name: str | None
    currency: str
    email: str | None
    locale: str
    taxes_included: bool
    tax_rate: str
    timezone: str
    country: str
    plan: str


_USUAL: ShopDetails = {
    "currency": "USD",
    "locale": "en",
    "taxes_included": False,
    "tax_rate": "0",
    "timezone": "America/New_York",
    "country": "US",
    "plan": "Basic",
}


def add(store: DevStore, domain: str, **details: Unpack[ShopDetails]) -> Doc:
    """Open a shop with a small catalogue. The app is not installed in it. Raises Refused, 409 when it exists."""
    if not _DOMAIN.fullmatch(domain):
        raise Refused(
            "Give a domain such as my-shop.myshopify.com",
            fields={"shop": "not a shop domain"},
        )
    given = {**_USUAL, **details}
    _check(given)
    handle = handle_of(domain)
    with store.state.transaction():
        if find(store, domain) is not None:
            raise Refused(f"The shop {domain} exists", code="taken", status=409)
        shop: Doc = {
            "id": store.state.next_id(),
            "domain": domain,
            **given,
            "name": given.get("name") or handle.replace("-", " ").title(),
            "email": given.get("email") or f"owner@{handle}.example",
            "staff_id": store.state.next_id(),
            "created_at": times.stamp(),
            "installation_id": None,
            "installed_at": None,
            "scopes": [],
        }
        save(store, shop)
        catalog.seed(store, domain, shop["currency"])
    return shop


def change(store: DevStore, domain: str, changes: Mapping[str, Any]) -> Doc:
    """Change facts of a shop (keys of ShopDetails). Sends shop/update. Raises Refused."""
    with store.state.transaction():
        shop = {**get(store, domain), **{key: value for key, value in changes.items() if value is not None}}
        _check(shop)
        save(store, shop)
        webhooks.publish(store, domain, {"shop/update": payloads.shop(store, domain)})
    return shop


def _check(given: Mapping[str, Any]) -> None:
    if not _CURRENCY.fullmatch(given["currency"]):
        raise Refused("Give a currency such as EUR", fields={"currency": "not a currency"})
    if given["plan"] not in BUCKETS:
        raise Refused(f"Give a plan of {', '.join(BUCKETS)}", fields={"plan": "unknown"})
    try:
        ZoneInfo(given["timezone"])
    except (ValueError, OSError, KeyError) as error:
        raise Refused("Give a zone such as Europe/Paris", fields={"timezone": "unknown"}) from error
    try:
        rate = Decimal(given["tax_rate"])
    except InvalidOperation as error:
        raise Refused("Give a tax rate such as 0.2", fields={"tax_rate": "not a number"}) from error
    if not 0 <= rate < 1:
        raise Refused("Give a tax rate from 0 to below 1", fields={"tax_rate": "out of range"})


def seed(store: DevStore) -> None:
    """Make sure that the demo shop exists."""
    if find(store, DEMO_SHOP) is None:
        add(store, DEMO_SHOP, name="LoyalNest Demo")
