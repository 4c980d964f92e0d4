"""Discount codes of a shop: kept, used up, ended, deleted."""

from collections.abc import Iterable, Sequence

from devstore import catalog, customers, payloads, times, webhooks
from devstore.checkout import CartLine, Quote, Shopper, quote
from devstore.errors import not_found
from devstore.runtime import DevStore
from devstore.state import Doc


def by_code(store: DevStore, shop: str, code: str) -> Doc | None:
    """The discount behind a code, any letter case."""
    found = store.state.by_key("code", shop, code.strip().upper())
    return store.state.get("discount", shop, found["discount_id"]) if found else None


def find(store: DevStore, shop: str, id: int) -> Doc | None:
    """A discount by id."""
    return store.state.get("discount", shop, id)


def every(store: DevStore, shop: str) -> list[Doc]:
    """All discounts of a shop, oldest first."""
    return store.state.all("discount", shop)


def add(store: DevStore, shop: str, discount: Doc, codes: Iterable[str]) -> Doc:
    """Keep a new discount under its codes, which must be free. Fills in id, times and counters."""
    with store.state.transaction():
        moment = times.stamp()
        discount = {
            **discount,
            "id": store.state.next_id(),
            "codes": [],
            "used": 0,
            "users": [],
            "created_at": moment,
            "updated_at": moment,
        }
        for code in codes:
            code_id = store.state.next_id()
            store.state.put(
                "code",
                shop,
                {"id": code_id, "discount_id": discount["id"]},
                code.strip().upper(),
            )
            discount["codes"].append({"id": code_id, "code": code.strip(), "used": 0})
        store.state.put("discount", shop, discount)
    return discount


def end(store: DevStore, shop: str, id: int) -> Doc:
    """Deactivate: the discount ends now. Sends discounts/update. Raises Refused (404)."""
    with store.state.transaction():
        discount = _get(store, shop, id)
        moment = times.stamp()
        discount |= {
            "ends_at": min(discount["ends_at"] or moment, moment),
            "updated_at": moment,
        }
        store.state.put("discount", shop, discount)
        webhooks.publish(store, shop, {"discounts/update": payloads.discount(discount)})
    return discount


def delete(store: DevStore, shop: str, id: int) -> None:
    """Delete a discount and free its codes. Sends discounts/delete. Raises Refused (404)."""
    with store.state.transaction():
        discount = _get(store, shop, id)
        for code in discount["codes"]:
            store.state.remove("code", shop, code["id"])
        store.state.remove("discount", shop, id)
        webhooks.publish(store, shop, {"discounts/delete": payloads.discount_deleted(discount)})


def count_use(store: DevStore, shop: str, code: str, shopper: Shopper) -> None:
    """Remember that an order used a code; an unknown code is no error."""
    discount = by_code(store, shop, code)
    if discount is None:
        return
    discount["used"] += 1
    discount["users"] = sorted({*discount["users"], *shopper.keys()})
    for entry in discount["codes"]:
        if entry["code"].upper() == code.strip().upper():
            entry["used"] += 1
    store.state.put("discount", shop, discount)


def status(discount: Doc) -> str:
    """SCHEDULED, ACTIVE or EXPIRED."""
    now = times.now()
    if discount["ends_at"] and times.parse(discount["ends_at"]) <= now:
        return "EXPIRED"
    return "SCHEDULED" if times.parse(discount["starts_at"]) > now else "ACTIVE"


def cart_line(store: DevStore, shop: str, line: Doc) -> CartLine:
    """A cart line for an order line {variant_id, price, quantity, gift_card}: collections come from the catalogue."""
    found = catalog.variant(store, shop, line["variant_id"]) if line.get("variant_id") else None
    product = found[0] if found else None
    return CartLine(
        price=line["price"],
        quantity=line["quantity"],
        variant_id=line.get("variant_id"),
        product_id=product["id"] if product else None,
        collections=tuple(product["collections"]) if product else (),
        gift_card=bool(line.get("gift_card")),
    )


def quote_cart(
    store: DevStore,
    shop: str,
    lines: Sequence[Doc],
    codes: Sequence[str],
    *,
    customer_id: int | None = None,
    email: str | None = None,
    shipping: int = 0,
) -> Quote:
    """Price order lines with codes for a customer, or for a guest recognized by e-mail."""
    known = {code.strip().upper(): by_code(store, shop, code) for code in codes}
    return quote(
        [cart_line(store, shop, line) for line in lines],
        codes,
        {code: discount for code, discount in known.items() if discount},
        shopper(store, shop, customer_id, email),
        times.now(),
        shipping,
    )


def shopper(store: DevStore, shop: str, customer_id: int | None, email: str | None) -> Shopper:
    """Who buys: a guest whose e-mail belongs to a customer counts as that customer."""
    if customer_id is not None:
        customer = customers.find(store, shop, customer_id)
        return Shopper(customer_id, email or (customer or {}).get("email"))
    known = customers.by_email(store, shop, email) if email else None
    return Shopper(known["id"] if known else None, email)


def _get(store: DevStore, shop: str, id: int) -> Doc:
    discount = find(store, shop, id)
    if discount is None:
        raise not_found(f"The discount {id}")
    return discount
