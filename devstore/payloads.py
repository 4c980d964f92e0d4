"""Webhook payloads about everything but orders, in the shape of the REST resources."""

import uuid
from typing import Any

from devstore import times
from devstore.gids import gid
from devstore.runtime import DevStore
from devstore.state import Doc


def customer(store: DevStore, shop: str, customer: Doc) -> Doc:
    """customers/create and customers/update. Counters, tags and locale are not part of it any more."""
    zone, currency = _zone(store, shop), _shop(store, shop)["currency"]
    changed = times.local(customer["updated_at"], zone)
    consent = {
        "state": "subscribed" if customer["marketing"] else "not_subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": changed if customer["marketing"] else None,
    }
    return {
        "id": customer["id"],
        "created_at": times.local(customer["created_at"], zone),
        "updated_at": changed,
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "state": customer["state"],
        "note": customer["note"],
        "verified_email": bool(customer["email"]),
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer["email"],
        "phone": customer["phone"],
        "currency": currency,
        "addresses": [],
        "tax_exemptions": [],
        "email_marketing_consent": consent if customer["email"] else None,
        "sms_marketing_consent": None,
        "admin_graphql_api_id": gid("Customer", customer["id"]),
    }


def customer_deleted(customer: Doc) -> Doc:
    """customers/delete."""
    return {
        "id": customer["id"],
        "phone": customer["phone"],
        "addresses": [],
        "tax_exemptions": [],
        "email_marketing_consent": None,
        "sms_marketing_consent": None,
        "admin_graphql_api_id": gid("Customer", customer["id"]),
    }


def customers_merged(store: DevStore, kept: int, deleted: int) -> Doc:
    """customers/merge."""
    return {
        "admin_graphql_api_customer_kept_id": gid("Customer", kept),
        "admin_graphql_api_customer_deleted_id": gid("Customer", deleted),
        "admin_graphql_api_job_id": f"gid://shopify/Job/{uuid.uuid4()}",
        "status": "completed",
        "errors": [],
    }


def discount(discount: Doc) -> Doc:
    """discounts/update."""
    ended = discount["ends_at"] and times.parse(discount["ends_at"]) <= times.now()
    return {
        "admin_graphql_api_id": gid("DiscountCodeNode", discount["id"]),
        "title": discount["title"],
        "status": "EXPIRED" if ended else "ACTIVE",
        "created_at": discount["created_at"],
        "updated_at": discount["updated_at"],
    }


def discount_deleted(discount: Doc) -> Doc:
    """discounts/delete."""
    return {
        "admin_graphql_api_id": gid("DiscountCodeNode", discount["id"]),
        "deleted_at": times.stamp(),
    }


def shop(store: DevStore, domain: str) -> Doc:
    """shop/update and app/uninstalled."""
    found = _shop(store, domain)
    return {
        "id": found["id"],
        "name": found["name"],
        "email": found["email"],
        "domain": domain,
        "myshopify_domain": domain,
        "primary_locale": found["locale"],
        "currency": found["currency"],
        "iana_timezone": found["timezone"],
        "country_code": found["country"],
        "country": found["country"],
        "taxes_included": found["taxes_included"],
        "plan_name": found["plan"].lower(),
        "plan_display_name": found["plan"],
        "shop_owner": "Shop Owner",
        "created_at": times.local(found["created_at"], found["timezone"]),
        "updated_at": times.local(times.stamp(), found["timezone"]),
    }


def scopes_update(previous: list[str], current: list[str], installation_id: int) -> Doc:
    """app/scopes_update."""
    return {
        "id": installation_id,
        "previous": sorted(previous),
        "current": sorted(current),
        "updated_at": times.stamp(),
    }


def compliance(
    store: DevStore,
    domain: str,
    person: Doc | None = None,
    orders: list[int] | None = None,
) -> Doc:
    """The part that customers/data_request, customers/redact and shop/redact share; `person` is a customer."""
    payload: dict[str, Any] = {
        "shop_id": _shop(store, domain)["id"],
        "shop_domain": domain,
    }
    if person is not None:
        payload["customer"] = {key: person[key] for key in ("id", "email", "phone")}
    return payload if orders is None else {**payload, "orders_to_redact": orders}


def _shop(store: DevStore, domain: str) -> Doc:
    found = store.state.by_key("shop", "", domain)
    assert found is not None
    return found


def _zone(store: DevStore, domain: str) -> str:
    return str(_shop(store, domain)["timezone"])
