"""The inputs of discount mutations: checked as Shopify checks them, and turned into the dev store's discounts."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from devstore import catalog, customers, discounts, money, times
from devstore.admin_api.call import Call
from devstore.errors import Refused
from devstore.gids import number
from devstore.state import Doc

Given = Mapping[str, Any]


class InputErrors(Exception):
    """Everything that is wrong, as user errors."""

    def __init__(self, errors: list[Doc]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


class Reader:
    """Collects user errors while an input is read; `argument` is the name of the mutation's argument."""

    def __init__(self, call: Call, argument: str) -> None:
        self.call = call
        self._argument = argument
        self.errors: list[Doc] = []

    def wrong(self, path: str, code: str, message: str) -> None:
        """Note one error; `path` is dotted and starts below the argument."""
        field = [self._argument, *path.split(".")]
        self.errors.append({"field": field, "code": code, "message": message, "extraInfo": None})

    def minor(self, path: str, given: object) -> int:
        """A decimal in shop currency, as minor units."""
        try:
            return money.to_minor(given, self.call.currency)
        except Refused:
            self.wrong(path, "INVALID", "Amount is invalid")
            return 0

    def done(self) -> None:
        """Raise InputErrors when something was wrong."""
        if self.errors:
            raise InputErrors(self.errors)


def basic(call: Call, given: Given) -> Doc:
    """DiscountCodeBasicInput. Raises InputErrors."""
    read = Reader(call, "basicCodeDiscount")
    discount = _common(read, given)
    gets = given.get("customerGets") or {}
    items = _items(read, "customerGets.items", gets.get("items"))
    discount |= {"kind": "basic", "items": items, "minimum": _minimum(read, given)}
    discount["class"] = "order" if items.get("all") else "product"
    value = gets.get("value") or {}
    discount["value"] = _value(
        read, "customerGets.value", value.get("percentage"), value.get("discountAmount")
    )
    read.done()
    return discount


def free_shipping(call: Call, given: Given) -> Doc:
    """DiscountCodeFreeShippingInput. Raises InputErrors."""
    read = Reader(call, "freeShippingCodeDiscount")
    discount = _common(read, given)
    if discount["combines"]["shipping"]:
        read.wrong(
            "combinesWith.shippingDiscounts",
            "INVALID_COMBINES_WITH_FOR_DISCOUNT_CLASS",
            "The combinesWith settings are not valid for the discount class.",
        )
    if not given.get("destination"):
        read.wrong("destination", "BLANK", "Destination can't be blank")
    dearest = given.get("maximumShippingPrice")
    discount |= {
        "kind": "free_shipping",
        "class": "shipping",
        "items": {"all": True},
        "value": {"percentage": "1"},
        "minimum": _minimum(read, given),
        "max_shipping": None if dearest is None else read.minor("maximumShippingPrice", dearest),
    }
    read.done()
    return discount


def bxgy(call: Call, given: Given) -> Doc:
    """DiscountCodeBxgyInput. Raises InputErrors."""
    read = Reader(call, "bxgyCodeDiscount")
    discount = _common(read, given)
    buys, gets = given.get("customerBuys") or {}, given.get("customerGets") or {}
    value = (gets.get("value") or {}).get("discountOnQuantity") or {}
    effect = value.get("effect") or {}
    amount = {"amount": effect["amount"], "appliesOnEachItem": True} if effect.get("amount") else None
    wanted = buys.get("value") or {}
    bought: Doc = {"items": _items(read, "customerBuys.items", buys.get("items"), explicit=True)}
    if wanted.get("quantity") is not None:
        bought["quantity"] = int(wanted["quantity"])
    elif wanted.get("amount") is not None:
        bought["amount"] = read.minor("customerBuys.value.amount", wanted["amount"])
    else:
        read.wrong("customerBuys.value", "BLANK", "Customer buys value can't be blank")
    if not value.get("quantity"):
        read.wrong("customerGets.value.discountOnQuantity.quantity", "BLANK", "Quantity can't be blank")
    discount |= {
        "kind": "bxgy",
        "class": "product",
        "buys": bought,
        "items": _items(read, "customerGets.items", gets.get("items"), explicit=True),
        "gets_quantity": int(value.get("quantity") or 1),
        "value": _value(
            read, "customerGets.value.discountOnQuantity.effect", effect.get("percentage"), amount
        ),
        "per_order_limit": given.get("usesPerOrderLimit"),
        "minimum": None,
    }
    read.done()
    return discount


def _common(read: Reader, given: Given) -> Doc:
    code, title = (given.get("code") or "").strip(), (given.get("title") or "").strip()
    for name, text in (("title", title), ("code", code)):
        if not text:
            read.wrong(name, "BLANK", f"{name.title()} can't be blank")
        elif len(text) > 255:
            read.wrong(name, "TOO_LONG", f"{name.title()} is too long (maximum is 255 characters)")
    if code and discounts.by_code(read.call.store, read.call.domain, code):
        read.wrong("code", "TAKEN", "Code must be unique. Please try a different code.")
    starts, ends = given.get("startsAt"), given.get("endsAt")
    if not starts:
        read.wrong("startsAt", "BLANK", "Starts at can't be blank")
    elif ends and times.parse(ends) <= times.parse(starts):
        read.wrong("endsAt", "END_DATE_BEFORE_START_DATE", "End date must be after the start date")
    limit = given.get("usageLimit")
    if limit is not None and limit < 1:
        read.wrong("usageLimit", "GREATER_THAN", "Usage limit must be greater than 0")
    combines = given.get("combinesWith") or {}
    return {
        "title": title,
        "code": code,
        "starts_at": times.stamp(times.parse(starts)) if starts else None,
        "ends_at": times.stamp(times.parse(ends)) if ends else None,
        "usage_limit": limit,
        "once_per_customer": bool(given.get("appliesOncePerCustomer")),
        "context": _context(read, given),
        "combines": {
            "order": bool(combines.get("orderDiscounts")),
            "product": bool(combines.get("productDiscounts")),
            "shipping": bool(combines.get("shippingDiscounts")),
        },
        "tags": list(given.get("tags") or []),
    }


def _context(read: Reader, given: Given) -> Doc:
    context = given.get("context") or given.get("customerSelection")
    if not context:
        read.wrong("context", "BLANK", "Context can't be blank")
        return {"all": True}
    if "customers" not in context:
        return {"all": True}
    ids = []
    for each in (context["customers"] or {}).get("add") or []:
        id = number(each, "Customer")
        if id is None or customers.find(read.call.store, read.call.domain, id) is None:
            read.wrong("context.customers.add", "INVALID", f"Customer with id: {each} is invalid")
        else:
            ids.append(id)
    if not ids and not read.errors:
        read.wrong("context.customers.add", "BLANK", "Customers can't be blank")
    return {"customers": ids}


def _minimum(read: Reader, given: Given) -> Doc | None:
    wanted = given.get("minimumRequirement") or {}
    subtotal = (wanted.get("subtotal") or {}).get("greaterThanOrEqualToSubtotal")
    quantity = (wanted.get("quantity") or {}).get("greaterThanOrEqualToQuantity")
    if subtotal is not None and quantity is not None:
        read.wrong(
            "minimumRequirement",
            "MINIMUM_SUBTOTAL_AND_QUANTITY_RANGE_BOTH_PRESENT",
            "Minimum subtotal and minimum quantity cannot both be present",
        )
    if subtotal is not None:
        path = "minimumRequirement.subtotal.greaterThanOrEqualToSubtotal"
        return {"subtotal": read.minor(path, subtotal)}
    return {"quantity": int(quantity)} if quantity is not None else None


def _items(read: Reader, path: str, given: Given | None, *, explicit: bool = False) -> Doc:
    given = given or {}
    if given.get("all"):
        if explicit:
            read.wrong(f"{path}.all", "INVALID", "Items must be specific products or collections")
        return {"all": True}
    products, collections = given.get("products") or {}, given.get("collections") or {}
    store, domain = read.call.store, read.call.domain
    found: Doc = {"products": [], "variants": [], "collections": []}
    wanted = (
        (
            "products",
            "Product",
            products.get("productsToAdd"),
            lambda each: catalog.product(store, domain, each),
        ),
        (
            "variants",
            "ProductVariant",
            products.get("productVariantsToAdd"),
            lambda each: catalog.variant(store, domain, each),
        ),
        (
            "collections",
            "Collection",
            collections.get("add"),
            lambda each: store.state.get("collection", domain, each),
        ),
    )
    for name, kind, ids, look_up in wanted:
        for each in ids or []:
            id = number(each, kind)
            if id is None or look_up(id) is None:
                read.wrong(path, "INVALID", f"{kind} with id: {each} is invalid")
            else:
                found[name].append(id)
    if not any(found.values()) and not read.errors:
        read.wrong(path, "APPLIES_ON_NOTHING", "Items can't be blank")
    return found


def _value(read: Reader, path: str, percentage: float | None, amount: Given | None) -> Doc:
    if percentage is not None:
        if not 0 < percentage <= 1:
            read.wrong(f"{path}.percentage", "VALUE_OUTSIDE_RANGE", "Value must be between 0.0 and 1.0")
        try:
            return {"percentage": str(Decimal(str(percentage)))}
        except InvalidOperation:
            return {"percentage": "0"}
    if amount is None:
        read.wrong(path, "BLANK", "Value can't be blank")
        return {"amount": 0, "each": False}
    minor = read.minor(f"{path}.discountAmount.amount", amount.get("amount"))
    if minor <= 0:
        read.wrong(f"{path}.discountAmount.amount", "GREATER_THAN", "Amount must be greater than 0")
    return {"amount": minor, "each": bool(amount.get("appliesOnEachItem", False))}
