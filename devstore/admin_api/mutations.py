"""The mutation root."""

from collections.abc import Callable
from typing import Any

from devstore import customers, discounts, orders
from devstore.admin_api import discount_input, discount_views, order_views, views
from devstore.admin_api.call import Call, Node
from devstore.admin_api.credit import Credit
from devstore.admin_api.discount_input import InputErrors
from devstore.admin_api.metafields import Metafields
from devstore.errors import Refused
from devstore.gids import gid, split
from devstore.state import Doc

Build = Callable[[Call, Any], Doc]


class Mutations:
    """One method per root field, named as the field; `look_up` holds them by name for the executor."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def look_up(self) -> dict[str, Any]:
        """Resolvers by field name; with a fault on, each answers with a user error and does nothing."""
        own = {
            name: getattr(self, name) for name in dir(self) if not name.startswith("_") and name != "look_up"
        }
        every = {**own, **Metafields(self._call).look_up(), **Credit(self._call).look_up()}
        if not self._call.refuse:
            return every
        error = {
            "field": None,
            "message": "An internal error occurred. Please try again later",
            "code": "INTERNAL_ERROR",
        }
        return dict.fromkeys(every, lambda *_, **__: {"userErrors": [error]})

    def discountCodeBasicCreate(self, _info: Any, basicCodeDiscount: Any) -> Node:
        """Amount or percentage off."""
        return self._create("discountCodeBasicCreate", discount_input.basic, basicCodeDiscount)

    def discountCodeFreeShippingCreate(self, _info: Any, freeShippingCodeDiscount: Any) -> Node:
        """Free shipping."""
        return self._create(
            "discountCodeFreeShippingCreate", discount_input.free_shipping, freeShippingCodeDiscount
        )

    def discountCodeBxgyCreate(self, _info: Any, bxgyCodeDiscount: Any) -> Node:
        """Buy X, get Y."""
        return self._create("discountCodeBxgyCreate", discount_input.bxgy, bxgyCodeDiscount)

    def discountCodeDeactivate(self, _info: Any, id: str) -> Node:
        """End a discount now."""
        self._call.need("discountCodeDeactivate", "write_discounts")
        found = self._discount(id)
        if found is None:
            return {"codeDiscountNode": None, "userErrors": [_unknown_discount()]}
        ended = discounts.end(self._call.store, self._call.domain, found["id"])
        return {"codeDiscountNode": discount_views.node(self._call, ended), "userErrors": []}

    def discountCodeDelete(self, _info: Any, id: str) -> Node:
        """Delete a discount."""
        self._call.need("discountCodeDelete", "write_discounts")
        found = self._discount(id)
        if found is None:
            return {"deletedCodeDiscountId": None, "userErrors": [_unknown_discount()]}
        discounts.delete(self._call.store, self._call.domain, found["id"])
        return {"deletedCodeDiscountId": gid("DiscountCodeNode", found["id"]), "userErrors": []}

    def tagsAdd(self, _info: Any, id: str, tags: list[str]) -> Node:
        """Add tags to a customer or an order."""
        return self._tags("tagsAdd", id, lambda have: [*have, *(tag for tag in tags if tag not in have)])

    def tagsRemove(self, _info: Any, id: str, tags: list[str]) -> Node:
        """Remove tags from a customer or an order."""
        return self._tags("tagsRemove", id, lambda have: [tag for tag in have if tag not in tags])

    def customerCreate(self, _info: Any, input: Doc) -> Node:
        """A new customer."""
        self._call.need("customerCreate", "write_customers")
        try:
            made = customers.add(
                self._call.store,
                self._call.domain,
                email=input.get("email"),
                first_name=input.get("firstName"),
                last_name=input.get("lastName"),
                phone=input.get("phone"),
                locale=input.get("locale"),
                tags=list(input.get("tags") or []),
                registered=False,
            )
        except Refused as error:
            return {"customer": None, "userErrors": [_customer_error(error)]}
        return {"customer": views.customer(self._call, made), "userErrors": []}

    def customerUpdate(self, _info: Any, input: Doc) -> Node:
        """Change a customer; lists replace what was there."""
        self._call.need("customerUpdate", "write_customers")
        names = {"email": "email", "firstName": "first_name", "lastName": "last_name", "phone": "phone"}
        names |= {"locale": "locale", "note": "note", "tags": "tags"}
        changes = {own: input[name] for name, own in names.items() if name in input}
        parts = split(input.get("id"))
        try:
            changed = customers.change(self._call.store, self._call.domain, parts[1] if parts else 0, changes)
        except Refused as error:
            return {"customer": None, "userErrors": [_customer_error(error)]}
        return {"customer": views.customer(self._call, changed), "userErrors": []}

    def flowTriggerReceive(self, _info: Any, **_: Any) -> Node:
        """Flow runs nothing here."""
        return {"userErrors": []}

    def _create(self, field: str, build: Build, given: Any) -> Node:
        self._call.need(field, "write_discounts")
        with self._call.store.state.transaction():
            try:
                discount = build(self._call, given)
            except InputErrors as error:
                return {"codeDiscountNode": None, "userErrors": error.errors}
            code = discount.pop("code")
            made = discounts.add(self._call.store, self._call.domain, discount, [code])
        return {"codeDiscountNode": discount_views.node(self._call, made), "userErrors": []}

    def _discount(self, id: str) -> Doc | None:
        parts = split(id)
        known = parts is not None and parts[0] in {"DiscountCodeNode", "DiscountNode"}
        return discounts.find(self._call.store, self._call.domain, parts[1]) if parts and known else None

    def _tags(self, field: str, id: str, change: Callable[[list[str]], list[str]]) -> Node:
        parts, store, domain = split(id), self._call.store, self._call.domain
        kind = parts[0] if parts else ""
        self._call.need(field, "write_orders" if kind == "Order" else "write_customers")
        with store.state.transaction():
            found = store.state.get(kind.lower(), domain, parts[1]) if parts else None
            if found is None or kind not in {"Customer", "Order"}:
                return {
                    "node": None,
                    "userErrors": [{"field": ["id"], "message": f"{kind or 'Node'} does not exist"}],
                }
            tags = change(found["tags"])
            if kind == "Order":
                if tags != found["tags"]:
                    orders.set_tags(store, domain, found, tags)
                return {"node": order_views.order(self._call, found), "userErrors": []}
            if tags != found["tags"]:
                found["tags"] = tags
                customers.touch(store, domain, found)
            return {"node": views.customer(self._call, found), "userErrors": []}


def _unknown_discount() -> Doc:
    return {"field": ["id"], "code": "INVALID", "message": "Code discount does not exist.", "extraInfo": None}


def _customer_error(error: Refused) -> Doc:
    field = "email" if error.code == "taken" else next(iter(error.fields), "id")
    text = "Email has already been taken" if error.code == "taken" else error.message
    return {"field": [field], "message": text, "code": "TAKEN" if error.code == "taken" else "INVALID"}
