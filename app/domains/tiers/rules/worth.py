"""What an order counts for ladders by spend or by orders."""

from collections.abc import Iterable, Mapping
from typing import Any


def order_worth(
    lines: Iterable[Mapping[str, Any]], refunds: Mapping[str, Mapping[str, Any]], *, stands: bool
) -> tuple[int, int]:
    """(orders, minor units of spend) of an order as it is now: goods without tax and shipping, less refunds.

    Lines and refunds are those of OrderChanged; `stands` says that it is paid and neither a test nor canceled. Gift
    cards are no spend: what is bought with them is. An order of which nothing is left is no order.
    """
    if not stands:
        return 0, 0
    goods = {line["id"]: line["net"] for line in lines if not line["gift_card"]}
    back = sum(
        net for refund in refunds.values() for line, net, _tax, _quantity in refund["lines"] if line in goods
    )
    back += sum(refund["amount"] for refund in refunds.values())
    net = max(sum(goods.values()) - back, 0)
    return (0 if refunds and net == 0 else 1), net
