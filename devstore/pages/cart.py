"""The visitor's cart: lines and typed codes in a signed cookie, priced anew each time."""

from collections.abc import Iterable
from typing import Any

from devstore import catalog, money, orders
from devstore.checkout import Quote
from devstore.current import dev_store
from devstore.pages import site
from devstore.runtime import DevStore
from devstore.state import Doc

SHIPPING_HUNDREDTHS = 490


def lines(store: DevStore, shop: str, handle: str) -> list[Doc]:
    """Lines of the cart: {product, variant, quantity, price, total} in minor units."""
    found = []
    for id, quantity in site.remembered(handle, "cart", {}).items():
        known = catalog.variant(store, shop, int(id))
        if known is not None:
            product, variant = known
            price = variant["price"]
            found.append(
                {
                    "product": product,
                    "variant": variant,
                    "quantity": quantity,
                    "price": price,
                    "total": price * quantity,
                }
            )
    return found


def wanted(store: DevStore, shop: str, handle: str) -> list[Doc]:
    """The cart's lines as orders take them."""
    found = lines(store, shop, handle)
    return [{"variant_id": line["variant"]["id"], "quantity": line["quantity"]} for line in found]


def change(handle: str, quantities: dict[str, int], *, add: bool = False) -> None:
    """Set quantities by variant id, or add to them; zero removes a line."""
    kept = dict(site.remembered(handle, "cart", {}))
    for id, quantity in quantities.items():
        kept[str(id)] = max(0, min(99, quantity + (kept.get(str(id), 0) if add else 0)))
    site.remember(handle, cart={id: quantity for id, quantity in kept.items() if quantity} or None)


def codes(handle: str) -> list[str]:
    """The discount codes that were typed or followed, in order."""
    return list(site.remembered(handle, "codes", []))


def set_codes(handle: str, typed: Iterable[str]) -> None:
    """Replace the codes; empty ones and repetitions are left out."""
    kept = dict.fromkeys(code.strip().upper()[:64] for code in typed)
    site.remember(handle, codes=[code for code in kept if code][:10] or None)


def empty(handle: str) -> None:
    """Forget the lines and the codes."""
    site.remember(handle, cart=None, codes=None)


def shipping_text(currency: str) -> str:
    """What shipping costs, as orders take it."""
    return money.to_text(money.from_hundredths(SHIPPING_HUNDREDTHS, currency), currency)


def priced(shop: Doc, handle: str, *, email: str | None = None, shipping: bool = False) -> Quote | None:
    """The cart's price with its codes; None when it is empty."""
    store = dev_store()
    found = wanted(store, shop["domain"], handle)
    if not found:
        return None
    customer = site.customer(shop)
    return orders.quote(
        store,
        shop["domain"],
        found,
        codes(handle),
        customer_id=customer["id"] if customer else None,
        email=email,
        shipping=shipping_text(shop["currency"]) if shipping else 0,
    )


def as_json(shop: Doc, handle: str) -> dict[str, Any]:
    """The cart as the storefront's /cart.js gives it; amounts in hundredths."""
    store = dev_store()
    found, quote = lines(store, shop["domain"], handle), priced(shop, handle)
    applied = {each.code for each in quote.applied} if quote else set()
    off = (
        [sum(parts) for parts in zip(*(each.per_line for each in quote.applied), strict=True)]
        if quote
        else []
    )

    def hundredths(minor: int) -> int:
        return money.to_hundredths(minor, shop["currency"])

    return {
        "token": f"devstore-{handle}",
        "currency": shop["currency"],
        "item_count": sum(line["quantity"] for line in found),
        "items": [
            {
                "id": line["variant"]["id"],
                "variant_id": line["variant"]["id"],
                "product_id": line["product"]["id"],
                "title": line["product"]["title"],
                "variant_title": line["variant"]["title"],
                "vendor": line["product"]["vendor"],
                "product_type": line["product"]["product_type"],
                "quantity": line["quantity"],
                "price": hundredths(line["price"]),
                "original_price": hundredths(line["price"]),
                "line_price": hundredths(line["total"]),
                "final_line_price": hundredths(line["total"] - less),
                "gift_card": line["product"]["gift_card"],
            }
            for line, less in zip(found, off or [0] * len(found), strict=True)
        ],
        "total_price": hundredths(quote.total) if quote else 0,
        "total_discount": hundredths(sum(each.amount for each in quote.applied)) if quote else 0,
        "discount_codes": [{"code": code, "applicable": code in applied} for code in codes(handle)],
        "attributes": site.remembered(handle, "attributes", {}),
    }
