"""Products, variants and collections of a shop."""

from collections.abc import Iterable
from typing import TypedDict, Unpack

from devstore import money, times
from devstore.errors import Refused, not_found
from devstore.runtime import DevStore
from devstore.state import Doc

# title, type, vendor, collection, description, variants (title, sku, price in hundredths), gift card
_SEED: tuple[tuple[str, str, str, str, str, tuple[tuple[str, str, int], ...], bool], ...] = (
    (
        "Merino Throw",
        "Home",
        "Nestwork",
        "home",
        "A light throw for cool evenings.",
        (("Default Title", "THROW-1", 9990),),
        False,
    ),
    (
        "Stoneware Mug",
        "Kitchen",
        "Nestwork",
        "home",
        "Thrown by hand; holds 350 ml.",
        (("Default Title", "MUG-1", 3000),),
        False,
    ),
    (
        "Organic Tee",
        "Apparel",
        "Twig & Co",
        "apparel",
        "Heavy cotton, cut straight.",
        (("Small", "TEE-S", 3200), ("Medium", "TEE-M", 3200), ("Large", "TEE-L", 3400)),
        False,
    ),
    (
        "Beeswax Candle",
        "Home",
        "Twig & Co",
        "home",
        "Burns for forty hours.",
        (("Default Title", "CANDLE-1", 1850),),
        False,
    ),
    (
        "Linen Tote",
        "Apparel",
        "Twig & Co",
        "apparel",
        "Carries a week of groceries.",
        (("Default Title", "TOTE-1", 2400),),
        False,
    ),
    (
        "Sticker Pack",
        "Gifts",
        "Nestwork",
        "gifts",
        "Six stickers for anything flat.",
        (("Default Title", "STICKER-1", 500),),
        False,
    ),
    (
        "Gift Card",
        "Gift Cards",
        "Nestwork",
        "gifts",
        "For someone who likes to choose.",
        (("25", "GIFT-25", 2500), ("50", "GIFT-50", 5000)),
        True,
    ),
)


def seed(store: DevStore, shop: str, currency: str) -> None:
    """Fill an empty shop. One throw and one mug cost 129.90 together (in currencies with two decimals)."""
    collections = {}
    for handle in ("home", "apparel", "gifts"):
        collections[handle] = store.state.next_id()
        store.state.put(
            "collection",
            shop,
            {"id": collections[handle], "handle": handle, "title": handle.title()},
            handle,
        )
    for title, kind, vendor, collection, text, variants, gift_card in _SEED:
        priced = [
            {"title": name, "sku": sku, "price": money.from_hundredths(price, currency)}
            for name, sku, price in variants
        ]
        add_product(
            store,
            shop,
            title,
            priced,
            product_type=kind,
            vendor=vendor,
            description=text,
            collections=[collections[collection]],
            gift_card=gift_card,
        )


class ProductDetails(TypedDict, total=False):
    """What a product is like beyond its title and variants; `collections` are ids."""

    product_type: str
    vendor: str
    description: str
    collections: list[int]
    tags: list[str]
    gift_card: bool


_PLAIN: ProductDetails = {
    "product_type": "",
    "vendor": "",
    "description": "",
    "collections": [],
    "tags": [],
    "gift_card": False,
}


def add_product(
    store: DevStore, shop: str, title: str, variants: Iterable[Doc], **details: Unpack[ProductDetails]
) -> Doc:
    """Add a product; each variant is {title, sku, price in minor units}. Raises Refused when the handle is taken."""
    handle = "-".join(title.lower().replace("&", "and").split())
    with store.state.transaction():
        if store.state.by_key("product", shop, handle):
            raise Refused(f"There is a product {handle} already", code="taken", status=409)
        product: Doc = {
            "id": store.state.next_id(),
            "handle": handle,
            "title": title,
            **_PLAIN,
            **details,
            "status": "ACTIVE",
            "created_at": times.stamp(),
            "variants": [{**variant, "id": store.state.next_id()} for variant in variants],
        }
        store.state.put("product", shop, product, handle)
    return product


def products(store: DevStore, shop: str) -> list[Doc]:
    """Every product of a shop with its variants."""
    return store.state.all("product", shop)


def product(store: DevStore, shop: str, id: int) -> Doc | None:
    """A product by id."""
    return store.state.get("product", shop, id)


def by_handle(store: DevStore, shop: str, handle: str) -> Doc:
    """A product by handle. Raises Refused (404)."""
    found = store.state.by_key("product", shop, handle)
    if found is None:
        raise not_found(f"The product {handle}")
    return found


def variant(store: DevStore, shop: str, id: int) -> tuple[Doc, Doc] | None:
    """A variant by id, with its product: (product, variant)."""
    return _variant(products(store, shop), "id", id)


def variant_by_sku(store: DevStore, shop: str, sku: str) -> tuple[Doc, Doc] | None:
    """A variant by SKU, with its product: (product, variant)."""
    return _variant(products(store, shop), "sku", sku)


def _variant(among: Iterable[Doc], field: str, value: object) -> tuple[Doc, Doc] | None:
    for found in among:
        for each in found["variants"]:
            if each[field] == value:
                return found, each
    return None
