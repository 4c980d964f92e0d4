"""Shops of the dev store and whether the app is installed in them."""

import re
from zoneinfo import ZoneInfo

from devstore import catalog, times
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


def add(
    store: DevStore,
    domain: str,
    *,
    name: str | None = None,
    currency: str = "USD",
    email: str | None = None,
    locale: str = "en",
    taxes_included: bool = False,
    tax_rate: str = "0",
    timezone: str = "America/New_York",
    country: str = "US",
    plan: str = "Basic",
) -> Doc:
    """Open a shop with a small catalogue. The app is not installed in it. Raises Refused, 409 when it exists."""
    if not _DOMAIN.fullmatch(domain):
        raise Refused(
            "Give a domain such as my-shop.myshopify.com",
            fields={"shop": "not a shop domain"},
        )
    if not _CURRENCY.fullmatch(currency):
        raise Refused("Give a currency such as EUR", fields={"currency": "not a currency"})
    if plan not in BUCKETS:
        raise Refused(f"Give a plan of {', '.join(BUCKETS)}", fields={"plan": "unknown"})
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError) as error:
        raise Refused("Give a zone such as Europe/Paris", fields={"timezone": "unknown"}) from error
    handle = handle_of(domain)
    with store.state.transaction():
        if find(store, domain) is not None:
            raise Refused(f"The shop {domain} exists", code="taken", status=409)
        shop: Doc = {
            "id": store.state.next_id(),
            "domain": domain,
            "name": name or handle.replace("-", " ").title(),
            "email": email or f"owner@{handle}.example",
            "currency": currency,
            "locale": locale,
            "taxes_included": taxes_included,
            "tax_rate": tax_rate,
            "timezone": timezone,
            "country": country,
            "plan": plan,
            "staff_id": store.state.next_id(),
            "created_at": times.stamp(),
            "installation_id": None,
            "installed_at": None,
            "scopes": [],
        }
        save(store, shop)
        catalog.seed(store, domain, currency)
    return shop


def seed(store: DevStore) -> None:
    """Make sure that the demo shop exists."""
    if find(store, DEMO_SHOP) is None:
        add(store, DEMO_SHOP, name="LoyalNest Demo")
