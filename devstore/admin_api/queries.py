"""The query root."""

from typing import Any

from devstore import catalog, customers, discounts, totals
from devstore.admin_api import discount_views, order_views, views
from devstore.admin_api.call import Call, Node
from devstore.admin_api.paging import Sorting, connection
from devstore.admin_api.searching import Field, Searchable, matches
from devstore.gids import number, split
from devstore.state import Doc

_ORDER_FIELDS: dict[str, Field] = {
    "id": lambda order: order["id"],
    "name": lambda order: order["name"],
    "customer_id": lambda order: order["customer_id"],
    "email": lambda order: order["email"],
    "created_at": lambda order: order["created_at"],
    "processed_at": lambda order: order["processed_at"],
    "updated_at": lambda order: order["updated_at"],
    "test": lambda order: order["test"],
    "tag": lambda order: order["tags"],
    "source_name": lambda order: order["source_name"],
    "financial_status": totals.financial_status,
    "discount_code": lambda order: [each["code"] for each in order["discount_codes"]],
}
_CUSTOMER_FIELDS: dict[str, Field] = {
    "id": lambda customer: customer["id"],
    "email": lambda customer: customer["email"],
    "first_name": lambda customer: customer["first_name"],
    "last_name": lambda customer: customer["last_name"],
    "phone": lambda customer: customer["phone"],
    "state": lambda customer: customer["state"],
    "tag": lambda customer: customer["tags"],
    "customer_date": lambda customer: customer["created_at"],
    "created_at": lambda customer: customer["created_at"],
    "updated_at": lambda customer: customer["updated_at"],
}
_PRODUCT_FIELDS: dict[str, Field] = {
    "id": lambda product: product["id"],
    "title": lambda product: product["title"],
    "handle": lambda product: product["handle"],
    "vendor": lambda product: product["vendor"],
    "product_type": lambda product: product["product_type"],
    "tag": lambda product: product["tags"],
    "sku": lambda product: [variant["sku"] for variant in product["variants"]],
    "status": lambda product: product["status"].lower(),
    "gift_card": lambda product: product["gift_card"],
}
_SORTS: dict[str, Sorting] = {
    "CREATED_AT": lambda item: item["created_at"],
    "UPDATED_AT": lambda item: item.get("updated_at") or item["created_at"],
    "PROCESSED_AT": lambda item: item.get("processed_at") or item["created_at"],
    "TITLE": lambda item: item["title"].lower(),
    "NAME": lambda item: f"{item.get('last_name') or ''} {item.get('first_name') or ''}".lower(),
    "ID": lambda item: item["id"],
}


class Queries:
    """One method per root field, named as the field; `look_up` holds them by name for the executor."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def look_up(self) -> dict[str, Any]:
        """Resolvers by field name."""
        return {
            name: getattr(self, name) for name in dir(self) if not name.startswith("_") and name != "look_up"
        }

    def shop(self, _info: Any) -> Node:
        """The shop."""
        return views.shop(self._call)

    def shopLocales(self, _info: Any, **_: Any) -> list[Node]:
        """Languages of the shop."""
        self._call.need("shopLocales", "read_locales", "read_markets_home")
        return views.locales(self._call)

    def currentAppInstallation(self, _info: Any) -> Node:
        """The app's own installation."""
        return views.installation(self._call)

    def webhookSubscriptions(self, _info: Any, **page: Any) -> Node:
        """Subscriptions made through the API: none, all are declared by the app."""
        return connection([], lambda each: each, **page)

    def order(self, _info: Any, id: str) -> Node | None:
        """An order by id."""
        self._call.need("order", "read_orders")
        found = self._find("order", "Order", id)
        return order_views.order(self._call, found) if found else None

    def orders(
        self, _info: Any, query: str | None = None, sortKey: str = "PROCESSED_AT", **page: Any
    ) -> Node:
        """Orders by search."""
        self._call.need("orders", "read_orders")
        found = self._search("order", query, Searchable(_ORDER_FIELDS, _ORDER_FIELDS["name"]))
        return connection(found, lambda each: order_views.order(self._call, each), _sorting(sortKey), **page)

    def refund(self, _info: Any, id: str) -> Node | None:
        """A refund by id."""
        self._call.need("refund", "read_orders")
        wanted = number(id, "Refund")
        for order in self._call.store.state.all("order", self._call.domain):
            for refund in order["refunds"]:
                if refund["id"] == wanted:
                    return order_views.refund(self._call, order, refund)
        return None

    def customer(self, _info: Any, id: str) -> Node | None:
        """A customer by id."""
        self._call.need("customer", "read_customers")
        found = self._find("customer", "Customer", id)
        return views.customer(self._call, found) if found else None

    def customerByIdentifier(self, _info: Any, identifier: Doc) -> Node | None:
        """A customer by id or e-mail."""
        self._call.need("customerByIdentifier", "read_customers")
        if identifier.get("id"):
            return self.customer(_info, identifier["id"])
        email = identifier.get("emailAddress")
        found = customers.by_email(self._call.store, self._call.domain, email) if email else None
        return views.customer(self._call, found) if found else None

    def customers(self, _info: Any, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:
        """Customers by search."""
        self._call.need("customers", "read_customers")
        found = self._search("customer", query, Searchable(_CUSTOMER_FIELDS, _person_text))
        return connection(found, lambda each: views.customer(self._call, each), _sorting(sortKey), **page)

    def product(self, _info: Any, id: str) -> Node | None:
        """A product by id."""
        self._call.need("product", "read_products")
        found = self._find("product", "Product", id)
        return views.product(self._call, found) if found else None

    def products(self, _info: Any, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:
        """Products by search."""
        self._call.need("products", "read_products")
        found = self._search("product", query, Searchable(_PRODUCT_FIELDS, _PRODUCT_FIELDS["title"]))
        return connection(found, lambda each: views.product(self._call, each), _sorting(sortKey), **page)

    def productVariant(self, _info: Any, id: str) -> Node | None:
        """A variant by id."""
        self._call.need("productVariant", "read_products")
        wanted = number(id, "ProductVariant")
        found = catalog.variant(self._call.store, self._call.domain, wanted) if wanted else None
        return views.variant(self._call, *found) if found else None

    def collection(self, _info: Any, id: str) -> Node | None:
        """A collection by id."""
        self._call.need("collection", "read_products")
        found = self._find("collection", "Collection", id)
        return views.collection(found) if found else None

    def collections(self, _info: Any, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:
        """Collections by search."""
        self._call.need("collections", "read_products")
        title = _PRODUCT_FIELDS["title"]
        found = self._search("collection", query, Searchable({"title": title}, title))
        return connection(found, views.collection, _sorting(sortKey), **page)

    def codeDiscountNodeByCode(self, _info: Any, code: str) -> Node | None:
        """A discount by code, any letter case."""
        self._call.need("codeDiscountNodeByCode", "read_discounts")
        found = discounts.by_code(self._call.store, self._call.domain, code)
        return discount_views.node(self._call, found) if found else None

    def codeDiscountNode(self, _info: Any, id: str) -> Node | None:
        """A code discount by id."""
        self._call.need("codeDiscountNode", "read_discounts")
        found = self._find("discount", "DiscountCodeNode", id)
        return discount_views.node(self._call, found) if found else None

    def discountNode(self, _info: Any, id: str) -> Node | None:
        """Any discount by id; the kind in the id may be DiscountNode or DiscountCodeNode."""
        self._call.need("discountNode", "read_discounts")
        found = self._find("discount", "DiscountNode", id) or self._find("discount", "DiscountCodeNode", id)
        return discount_views.any_node(self._call, found) if found else None

    def giftCard(self, _info: Any, id: str) -> Node | None:
        """A gift card by id."""
        self._call.need("giftCard", "read_gift_cards")
        found = self._find("gift_card", "GiftCard", id)
        return views.gift_card(self._call, found) if found else None

    def giftCards(self, _info: Any, query: str | None = None, sortKey: str = "ID", **page: Any) -> Node:
        """Gift cards by the last characters of their code."""
        self._call.need("giftCards", "read_gift_cards")
        searchable = Searchable({"id": lambda card: card["id"]}, lambda card: card["code"][-4:])
        found = self._search("gift_card", query, searchable)
        return connection(found, lambda card: views.gift_card(self._call, card), _sorting(sortKey), **page)

    def storeCreditAccount(self, _info: Any, id: str) -> Node | None:
        """A store credit account by id."""
        self._call.need("storeCreditAccount", "read_store_credit_accounts")
        found = self._find("store_credit", "StoreCreditAccount", id)
        return views.credit_account(self._call, found) if found else None

    def node(self, _info: Any, id: str) -> Node | None:
        """Anything by id."""
        kinds = {
            "Order": self.order,
            "Refund": self.refund,
            "Customer": self.customer,
            "Product": self.product,
            "ProductVariant": self.productVariant,
            "Collection": self.collection,
            "DiscountCodeNode": self.codeDiscountNode,
            "GiftCard": self.giftCard,
        }
        parts = split(id)
        resolve = kinds.get(parts[0]) if parts else None
        return resolve(_info, id) if resolve else None

    def nodes(self, _info: Any, ids: list[str]) -> list[Node | None]:
        """Several things by id."""
        return [self.node(_info, id) for id in ids]

    def _find(self, kind: str, name: str, id: str) -> Doc | None:
        wanted = number(id, name)
        return self._call.store.state.get(kind, self._call.domain, wanted) if wanted is not None else None

    def _search(self, kind: str, query: str | None, searchable: Searchable) -> list[Doc]:
        everything = self._call.store.state.all(kind, self._call.domain)
        return [item for item in everything if matches(query, item, searchable)]


def _sorting(key: str) -> Sorting:
    return _SORTS.get(key, _SORTS["ID"])


def _person_text(customer: Doc) -> str:
    known = (customer[key] for key in ("first_name", "last_name", "email", "phone"))
    return " ".join(filter(None, known))
