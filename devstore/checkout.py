"""What a cart costs with discount codes. Pure: discounts, shopper and time go in, a quote comes out.

A discount is the document that `discounts` keeps; amounts are minor units of the shop's currency.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from devstore import times
from devstore.effects import entitled, free_units, order_amounts, product_amounts
from devstore.state import Doc

REASONS = {
    "not_found": "Enter a valid discount code",
    "not_started": "This discount code is not active yet",
    "expired": "This discount code is no longer active",
    "used_up": "This discount code has reached its usage limit",
    "used_by_customer": "This discount code can be used once per customer and has been used",
    "sign_in": "Sign in or enter the e-mail address that this discount code belongs to",
    "wrong_customer": "This discount code is not available to this customer",
    "minimum_subtotal": "The cart does not reach the minimum amount of this discount code",
    "minimum_quantity": "The cart does not hold enough items for this discount code",
    "no_items": "This discount code does not apply to the items in the cart",
    "shipping_too_dear": "This discount code does not cover the chosen shipping rate",
    "not_combinable": "This discount code cannot be combined with the other discounts",
    "no_effect": "A better discount applies to the same items already",
}


@dataclass(frozen=True)
class CartLine:
    """One line of a cart. `price` is for one unit."""

    price: int
    quantity: int
    variant_id: int | None = None
    product_id: int | None = None
    collections: tuple[int, ...] = ()
    gift_card: bool = False

    @property
    def gross(self) -> int:
        """Price of all units."""
        return self.price * self.quantity


@dataclass(frozen=True)
class Shopper:
    """Who buys, as far as it is known: logged in, or recognized by the e-mail typed at checkout."""

    customer_id: int | None = None
    email: str | None = None

    def keys(self) -> set[str]:
        """How this shopper is remembered by discounts that work once per customer."""
        found = {f"customer:{self.customer_id}"} if self.customer_id else set()
        return found | ({f"email:{self.email.strip().lower()}"} if self.email else set())


@dataclass(frozen=True)
class Applied:
    """A code that works. `per_line` is what each line gets off, `shipping` what shipping gets off."""

    code: str
    discount: Doc
    per_line: tuple[int, ...]
    shipping: int = 0

    @property
    def amount(self) -> int:
        """Everything this code takes off."""
        return sum(self.per_line) + self.shipping


@dataclass(frozen=True)
class Refusal:
    """A code that does not work: a key of REASONS and its words."""

    code: str
    reason: str
    message: str


@dataclass
class Quote:
    """A priced cart."""

    lines: Sequence[CartLine]
    shipping: int
    applied: list[Applied] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def subtotal(self) -> int:
        """Lines after their discounts, without shipping."""
        return sum(line.gross for line in self.lines) - sum(sum(each.per_line) for each in self.applied)

    @property
    def shipping_after(self) -> int:
        """Shipping after discounts."""
        return self.shipping - sum(each.shipping for each in self.applied)

    @property
    def total(self) -> int:
        """What is to be paid, without taxes that come on top."""
        return self.subtotal + self.shipping_after

    def refuse(self, code: str, reason: str) -> None:
        """Note that a code does not work."""
        self.refused.append(Refusal(code, reason, REASONS[reason]))


def quote(
    lines: Sequence[CartLine],
    codes: Sequence[str],
    discounts: Mapping[str, Doc],
    shopper: Shopper,
    now: datetime,
    shipping: int = 0,
) -> Quote:
    """Price a cart. `discounts` maps upper-case codes to discounts; codes are tried in the order they were typed, and
    one that cannot be combined with those before it is refused."""
    result = Quote(lines, shipping)
    chosen: list[tuple[str, Doc]] = []
    for code in dict.fromkeys(code.strip().upper() for code in codes):
        discount = discounts.get(code)
        reason = "not_found" if discount is None else why_not(discount, lines, shopper, now, shipping)
        if reason is None and discount is not None:
            if all(_combine(discount, other) for _, other in chosen):
                chosen.append((code, discount))
                continue
            reason = "not_combinable"
        result.refuse(code, reason or "not_found")
    _apply(result, chosen)
    return result


def why_not(
    discount: Doc,
    lines: Sequence[CartLine],
    shopper: Shopper,
    now: datetime,
    shipping: int = 0,
) -> str | None:
    """The key of REASONS why a discount does not apply to this cart; None when it does."""
    return _not_now(discount, now) or _not_for(discount, shopper) or _not_on(discount, lines, shipping)


def _not_now(discount: Doc, now: datetime) -> str | None:
    if times.parse(discount["starts_at"]) > now:
        return "not_started"
    if discount["ends_at"] and times.parse(discount["ends_at"]) <= now:
        return "expired"
    limit = discount["usage_limit"]
    return "used_up" if limit is not None and discount["used"] >= limit else None


def _not_for(discount: Doc, shopper: Shopper) -> str | None:
    allowed = discount["context"].get("customers")
    if allowed is not None and shopper.customer_id not in allowed:
        return "wrong_customer" if shopper.customer_id else "sign_in"
    if discount["once_per_customer"] and shopper.keys() & set(discount["users"]):
        return "used_by_customer"
    return None


def _not_on(discount: Doc, lines: Sequence[CartLine], shipping: int) -> str | None:
    if discount["kind"] == "bxgy":
        return None if free_units(discount, lines) else "no_items"
    within = [line for line in lines if entitled(discount["items"], line)]
    if not within:
        return "no_items"
    minimum = discount["minimum"] or {}
    if sum(line.gross for line in within) < minimum.get("subtotal", 0):
        return "minimum_subtotal"
    if sum(line.quantity for line in within) < minimum.get("quantity", 0):
        return "minimum_quantity"
    dearest = discount.get("max_shipping")
    return "shipping_too_dear" if dearest is not None and shipping > dearest else None


def _combine(one: Doc, other: Doc) -> bool:
    if one["class"] == other["class"] == "shipping":
        return False
    return bool(one["combines"][other["class"]] and other["combines"][one["class"]])


def _apply(result: Quote, chosen: Sequence[tuple[str, Doc]]) -> None:
    """Products first, then the order on what is left, then shipping. A line takes the best product discount only."""
    product = [
        (code, each, product_amounts(each, result.lines))
        for code, each in chosen
        if each["class"] == "product"
    ]
    best = [max(amounts, default=0) for amounts in zip(*(amounts for _, _, amounts in product), strict=True)]
    best = best or [0] * len(result.lines)
    taken = [False] * len(result.lines)
    for code, discount, amounts in product:
        mine = []
        for index, amount in enumerate(amounts):
            wins = amount > 0 and amount == best[index] and not taken[index]
            taken[index] = taken[index] or wins
            mine.append(amount if wins else 0)
        if any(mine):
            result.applied.append(Applied(code, discount, tuple(mine)))
        else:
            result.refuse(code, "no_effect")
    base = [0 if line.gift_card else line.gross - best[index] for index, line in enumerate(result.lines)]
    left = list(base)
    for code, discount in chosen:
        if discount["class"] == "order":
            amounts = order_amounts(discount, base, left)
            left = [have - off for have, off in zip(left, amounts, strict=True)]
            result.applied.append(Applied(code, discount, tuple(amounts)))
        elif discount["class"] == "shipping":
            result.applied.append(Applied(code, discount, (0,) * len(result.lines), result.shipping_after))
