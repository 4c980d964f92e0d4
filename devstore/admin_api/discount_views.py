"""Discounts as GraphQL shows them."""

from typing import Any

from devstore import discounts
from devstore.admin_api import views
from devstore.admin_api.call import Call, Node
from devstore.admin_api.paging import connection
from devstore.gids import gid
from devstore.state import Doc

_TYPES = {
    "basic": "DiscountCodeBasic",
    "free_shipping": "DiscountCodeFreeShipping",
    "bxgy": "DiscountCodeBxgy",
}


def node(call: Call, found: Doc) -> Node:
    """A DiscountCodeNode."""
    id = gid("DiscountCodeNode", found["id"])
    return {
        "__typename": "DiscountCodeNode",
        "id": id,
        "codeDiscount": _discount(found),
        **views.metafields(call, id),
    }


def any_node(call: Call, found: Doc) -> Node:
    """A DiscountNode, which holds code discounts and automatic ones."""
    id = gid("DiscountNode", found["id"])
    return {
        "__typename": "DiscountNode",
        "id": id,
        "discount": _discount(found),
        **views.metafields(call, id),
    }


def _discount(found: Doc) -> Node:
    def codes(_info: Any, **page: Any) -> Node:
        return connection(found["codes"], _code, **page)

    combines = found["combines"]
    shown = found["class"].upper()
    return {
        "__typename": _TYPES[found["kind"]],
        "title": found["title"],
        "status": discounts.status(found),
        "startsAt": found["starts_at"],
        "endsAt": found["ends_at"],
        "usageLimit": found["usage_limit"],
        "asyncUsageCount": found["used"],
        "appliesOncePerCustomer": found["once_per_customer"],
        "usesPerOrderLimit": found.get("per_order_limit"),
        "discountClass": shown,
        "discountClasses": [shown],
        "codes": codes,
        "codesCount": {"count": len(found["codes"]), "precision": "EXACT"},
        "combinesWith": {
            "orderDiscounts": combines["order"],
            "productDiscounts": combines["product"],
            "shippingDiscounts": combines["shipping"],
        },
        "summary": found["title"],
        "shortSummary": found["title"],
        "tags": found["tags"],
        "recurringCycleLimit": None,
        "hasTimelineComment": False,
        "createdAt": found["created_at"],
        "updatedAt": found["updated_at"],
    }


def _code(found: Doc) -> Node:
    id = gid("DiscountRedeemCode", found["id"])
    return {"id": id, "code": found["code"], "asyncUsageCount": found["used"]}
