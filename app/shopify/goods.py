"""The shop's products, variants and collections by name, asked of Shopify for fields that keep their numbers."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from app.core.errors import LoyalNestError
from app.shopify import search
from app.shopify.admin import AdminClient

log = logging.getLogger(__name__)
# Somebody waits in front of the field.
_PATIENCE_SECONDS = 4.0
_MOST = 8
GoodsKind = Literal["products", "variants", "collections"]
_GIDS: dict[GoodsKind, str] = {
    "products": "Product",
    "variants": "ProductVariant",
    "collections": "Collection",
}


@dataclass(frozen=True)
class Good:
    """A product, variant or collection: its number at Shopify, what it is called, and its vendor when it has one."""

    number: int
    title: str
    vendor: str = ""


def find(shop_id: UUID, kind: GoodsKind, text: str) -> list[Good] | None:
    """Goods whose title has words that begin like those typed; None when Shopify gives no answer now.

    Asks Shopify, so no transaction may be open.
    """
    wanted = search.words(text, field="title")
    if wanted is None:
        return []
    client = AdminClient(shop_id, patience_seconds=_PATIENCE_SECONDS)
    try:
        if kind == "collections":
            found = client.run("CollectionSearch", {"query": wanted, "first": _MOST})["collections"]["nodes"]
            return [_good(one) for one in found]
        found = client.run("ProductSearch", {"query": wanted, "first": _MOST})["products"]["nodes"]
    except LoyalNestError as error:
        log.info("goods of %s could not be searched: %s", shop_id, error.code)
        return None
    if kind == "products":
        return [_good(one) for one in found]
    return [_good(variant | {"product": one}) for one in found for variant in one["variants"]["nodes"]][
        :_MOST
    ]


def named(shop_id: UUID, kind: GoodsKind, numbers: Iterable[int]) -> list[Good] | None:
    """What goods are called, those that are gone left out; None when Shopify gives no answer now.

    Asks Shopify, so no transaction may be open.
    """
    gids = [f"gid://shopify/{_GIDS[kind]}/{number}" for number in numbers]
    if not gids:
        return []
    client = AdminClient(shop_id, patience_seconds=_PATIENCE_SECONDS)
    try:
        nodes = client.run("GoodsNames", {"ids": gids})["nodes"]
    except LoyalNestError as error:
        log.info("goods of %s could not be named: %s", shop_id, error.code)
        return None
    return [_good(one) for one in nodes if one]


def _good(node: dict[str, Any]) -> Good:
    """A variant is called by its product, and by its own title where it has one."""
    number, product = int(node["id"].rpartition("/")[2]), node.get("product")
    if product is None:
        return Good(number, node["title"], node.get("vendor") or "")
    alone = node["title"] == "Default Title"
    return Good(number, product["title"] if alone else f"{product['title']} – {node['title']}")
