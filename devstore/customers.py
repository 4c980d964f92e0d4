"""Customers of a shop: made, changed, merged, deleted; every change is told to the app."""

import re
from typing import Any, TypedDict, Unpack

from devstore import payloads, times, webhooks
from devstore.errors import Refused, not_found
from devstore.runtime import DevStore
from devstore.state import Doc

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
FIELDS = (
    "email",
    "first_name",
    "last_name",
    "locale",
    "phone",
    "birthday",
    "note",
    "tags",
    "marketing",
)


def find(store: DevStore, shop: str, id: int) -> Doc | None:
    """A customer by id."""
    return store.state.get("customer", shop, id)


def get(store: DevStore, shop: str, id: int) -> Doc:
    """A customer by id. Raises Refused (404)."""
    customer = find(store, shop, id)
    if customer is None:
        raise not_found(f"The customer {id}")
    return customer


def by_email(store: DevStore, shop: str, email: str) -> Doc | None:
    """A customer by e-mail, any letter case."""
    return store.state.by_key("customer", shop, email.strip().lower())


class CustomerDetails(TypedDict, total=False):
    """What is known of a new customer. `birthday` is ISO text, `locale` a language tag."""

    first_name: str | None
    last_name: str | None
    locale: str | None
    phone: str | None
    birthday: str | None
    tags: list[str]
    marketing: bool


def add(
    store: DevStore,
    shop: str,
    *,
    email: str | None,
    registered: bool = True,
    **details: Unpack[CustomerDetails],
) -> Doc:
    """Create a customer; `registered` false is what a guest's checkout leaves behind. Sends customers/create.

    Raises Refused, 409 when the e-mail is taken.
    """
    with store.state.transaction():
        customer: Doc = {
            "id": store.state.next_id(),
            "email": None,
            "first_name": details.get("first_name"),
            "last_name": details.get("last_name"),
            "locale": details.get("locale") or "en",
            "phone": details.get("phone"),
            "birthday": None,
            "note": None,
            "tags": list(details.get("tags") or []),
            "state": "enabled" if registered else "disabled",
            "marketing": bool(details.get("marketing")),
            "created_at": times.stamp(),
            "updated_at": times.stamp(),
        }
        own = {"email": email, "birthday": details.get("birthday")}
        _check(store, shop, customer, own)
        customer |= own
        save(store, shop, customer)
        webhooks.publish(
            store,
            shop,
            {"customers/create": payloads.customer(store, shop, customer)},
        )
    return customer


def change(store: DevStore, shop: str, id: int, changes: dict[str, Any]) -> Doc:
    """Change some of FIELDS. Sends customers/update. Raises Refused."""
    with store.state.transaction():
        customer = get(store, shop, id)
        _check(store, shop, customer, changes)
        customer |= changes
        touch(store, shop, customer)
    return customer


def touch(store: DevStore, shop: str, customer: Doc) -> None:
    """Keep a changed customer and send customers/update."""
    customer["updated_at"] = times.stamp()
    save(store, shop, customer)
    webhooks.publish(store, shop, {"customers/update": payloads.customer(store, shop, customer)})


def save(store: DevStore, shop: str, customer: Doc) -> None:
    """Keep a customer without telling anybody."""
    email = customer["email"]
    store.state.put("customer", shop, customer, email.strip().lower() if email else None)


def delete(store: DevStore, shop: str, id: int) -> None:
    """Delete a customer; the orders stay and have no customer. Sends customers/delete. Raises Refused (404)."""
    with store.state.transaction():
        customer = get(store, shop, id)
        store.state.remove("customer", shop, id)
        _hand_over_orders(store, shop, id, None)
        webhooks.publish(store, shop, {"customers/delete": payloads.customer_deleted(customer)})


def merge(store: DevStore, shop: str, keep: int, remove: int) -> Doc:
    """Merge one customer into another, orders and all. Sends customers/merge and customers/update. Raises Refused."""
    if keep == remove:
        raise Refused("Give two different customers", fields={"remove": "the same as keep"})
    with store.state.transaction():
        kept, removed = get(store, shop, keep), get(store, shop, remove)
        store.state.remove("customer", shop, remove)
        _hand_over_orders(store, shop, remove, keep)
        for field in ("email", "phone", "birthday", "first_name", "last_name"):
            kept[field] = kept[field] or removed[field]
        kept["tags"] = sorted({*kept["tags"], *removed["tags"]})
        kept["updated_at"] = times.stamp()
        save(store, shop, kept)
        told = {
            "customers/merge": payloads.customers_merged(store, keep, remove),
            "customers/update": payloads.customer(store, shop, kept),
        }
        webhooks.publish(store, shop, told)
    return kept


def every(store: DevStore, shop: str) -> list[Doc]:
    """All customers of a shop, oldest first."""
    return store.state.all("customer", shop)


def orders_of(store: DevStore, shop: str, id: int) -> list[Doc]:
    """A customer's orders, oldest first."""
    return store.state.where("order", shop, "customer_id", id)


def _hand_over_orders(store: DevStore, shop: str, old: int, new: int | None) -> None:
    for order in orders_of(store, shop, old):
        store.state.put("order", shop, {**order, "customer_id": new})


def _check(store: DevStore, shop: str, customer: Doc, changes: dict[str, Any]) -> None:
    email, birthday = changes.get("email"), changes.get("birthday")
    if email is not None:
        if not isinstance(email, str) or not _EMAIL.fullmatch(email):
            raise Refused("Give an e-mail address", fields={"email": "not an e-mail address"})
        other = by_email(store, shop, email)
        if other is not None and other["id"] != customer["id"]:
            raise Refused(f"{email} belongs to another customer", code="taken", status=409)
    if birthday is not None and not _DATE.fullmatch(birthday):
        raise Refused("Give a birthday such as 1990-05-17", fields={"birthday": "not a date"})
