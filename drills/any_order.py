"""F12: everything that is told about orders, in any order and one to three times, ends where the ordered run ends."""

import random
from dataclasses import dataclass, field
from typing import Any

from drills import laws, world
from drills.outcome import Outcome, Scale
from tests.factories import payloads
from tests.fixtures.shop import TestShop

SIGNUP = 200
Telling = tuple[str, dict[str, Any]]


@dataclass
class History:
    """What happens to one order, in order, and the points that its customer has at the end."""

    tellings: list[Telling] = field(default_factory=list)
    points: int = 0


@dataclass
class _Order:
    """An order as it stands: tenths of a dollar by line, so that a tenth is exactly one point."""

    number: int
    pieces: dict[int, list[int]]
    refunds: list[dict[str, Any]] = field(default_factory=list)
    minutes: int = 0

    def body(self, **changes: Any) -> dict[str, Any]:
        """A snapshot with a newer date than the one before. A line is [tenths, quantity, current quantity]."""
        self.minutes += 1
        lines = [
            payloads.line(line_id, _money(tenths), quantity, current_quantity=current)
            for line_id, (tenths, quantity, current) in self.pieces.items()
        ]
        stands = {
            "updated_at": payloads.at(self.minutes),
            "customer": payloads.customer(self.number),
            "refunds": list(self.refunds),
        }
        return payloads.order(self.number, lines, **(stands | changes))


def _money(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}0"


def history(number: int, chance: random.Random) -> History:
    """Creation and payment, and by chance an edit, a refund of a line, one of an amount, a cancellation, a registration."""
    first, second, third = (number * 10 + place for place in (1, 2, 3))
    order = _Order(
        number,
        {line: [chance.randint(20, 900), quantity, quantity] for line, quantity in ((first, 3), (second, 2))},
    )
    told = History([("orders/create", order.body(financial_status="pending")), ("orders/paid", order.body())])
    if chance.random() < 0.6:
        if chance.random() < 0.5:
            order.pieces[third] = [chance.randint(10, 300), 1, 1]
        else:
            order.pieces[second][2] = 1
        told.tellings.append(("orders/updated", order.body()))
    told.points = sum(tenths * current for tenths, _, current in order.pieces.values())
    if chance.random() < 0.7:
        told.points -= _refund_pieces(order, first, chance.randint(1, 2), told)
    if chance.random() < 0.3:
        tenths = chance.randint(1, 15)
        amount = payloads.refund(number * 10 + 9, number, amount=_money(tenths))
        told.tellings.append(("refunds/create", amount))
        told.points -= tenths
    if chance.random() < 0.25:
        told.tellings.append(("orders/cancelled", order.body(cancelled_at=payloads.at(order.minutes))))
        told.points = 0
    if chance.random() < 0.3:
        told.tellings.insert(chance.randint(0, 1), ("customers/create", payloads.customer(number)))
        told.points += SIGNUP
    return told


def _refund_pieces(order: _Order, line: int, pieces: int, told: History) -> int:
    tenths = order.pieces[line][0] * pieces
    order.pieces[line][2] -= pieces
    refund = payloads.refund(order.number * 10 + 8, order.number, [(line, pieces, _money(tenths))])
    order.refunds.append(refund)
    told.tellings.append(("refunds/create", refund))
    told.tellings.append(("orders/updated", order.body(financial_status="partially_refunded")))
    return tenths


def run(scale: Scale) -> Outcome:
    """Tell one shop in order, another one shuffled across all orders with repeats, handled at moments of chance."""
    outcome = Outcome("duplicates and any order of an order's news")
    chance = random.Random(scale.seed)
    orders, rounds = scale.pick(60, 400), scale.pick(1, 5)
    told = tellings = 0
    for turn in range(rounds):
        first = turn * orders + 1
        histories = {number: history(number, chance) for number in range(first, first + orders)}
        ordered, shuffled = world.install("ordered"), world.install("shuffled")
        _tell_in_order(ordered, histories)
        told += _tell_shuffled(shuffled, histories, chance)
        tellings += sum(len(one.tellings) for one in histories.values())
        expected = {number: one.points for number, one in histories.items()}
        for shop, way in ((ordered, "in order"), (shuffled, "shuffled")):
            found = _balances(shop)
            wrong = [number for number in expected if found.get(number) != expected[number]]
            outcome.expect(
                not wrong, f"{way}, {len(wrong)} balances are wrong, the first of customer {wrong[:1]}"
            )
            laws.check(outcome, shop, ())
    outcome.facts = {
        "orders": orders * rounds,
        "facts": tellings,
        "deliveries shuffled": told,
        "seed": str(scale.seed),
    }
    return outcome


def _tell_in_order(shop: TestShop, histories: dict[int, History]) -> None:
    for step in range(max(len(one.tellings) for one in histories.values())):
        for one in histories.values():
            if step < len(one.tellings):
                shop.tell(*one.tellings[step])
        shop.drain()


def _tell_shuffled(shop: TestShop, histories: dict[int, History], chance: random.Random) -> int:
    everything = [
        telling for one in histories.values() for telling in one.tellings for _ in range(chance.randint(1, 3))
    ]
    chance.shuffle(everything)
    for telling in everything:
        shop.tell(*telling)
        if chance.random() < 0.02:
            shop.drain()
    shop.drain()
    return len(everything)


def _balances(shop: TestShop) -> dict[int, int]:
    with shop.work() as uow:
        rows = uow.all(
            "SELECT m.customer_id, coalesce(a.available + a.pending + a.held - a.debt, 0)::bigint AS points"
            " FROM members m LEFT JOIN points_accounts a ON a.shop_id = m.shop_id AND a.member_id = m.id"
        )
    return {row["customer_id"]: row["points"] for row in rows}
