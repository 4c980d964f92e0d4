"""The laws after a drill: those of the ledger, and that nothing acknowledged was lost, doubled or left lying."""

from collections.abc import Iterable

from drills.outcome import Outcome
from tests.domains.points.invariants import broken
from tests.fixtures.shop import TestShop

_KEYS = "SELECT key FROM points_entries GROUP BY shop_id, key HAVING count(*) > 1"
_AWARDS = """
SELECT order_id FROM points_entries WHERE kind = 'award' AND order_id IS NOT NULL
GROUP BY shop_id, order_id HAVING count(*) > 1
"""


def check(
    outcome: Outcome, shop: TestShop, acknowledged: Iterable[str], *, points: int | None = None
) -> None:
    """Note every law that does not hold in the shop. `acknowledged` are webhook ids that were answered with success.
    `points` is what the ledger has to sum up to when every order was only paid, so that it has one award."""
    with shop.work() as uow:
        # A drill at length leaves more than a million entries, and a law looks through all of them.
        uow.execute("SET LOCAL statement_timeout = 0")
        for law in broken(uow):
            outcome.broken.append(f"I1/I2: {law}")
        outcome.expect(not uow.all(_KEYS), "I3: two entries have the same key")
        stored = {row["webhook_id"]: row["state"] for row in uow.all("SELECT webhook_id, state FROM inbox")}
        lost = set(acknowledged) - stored.keys()
        outcome.expect(not lost, f"I4: {len(lost)} acknowledged webhooks are not stored")
        undone = [state for state in stored.values() if state != 1]
        outcome.expect(not undone, f"I5: {len(undone)} webhooks were not handled")
        if points is not None:
            outcome.expect(not uow.all(_AWARDS), "I3: an order has two awards")
            found = uow.scalar("SELECT coalesce(sum(points), 0)::bigint FROM points_entries")
            outcome.expect(found == points, f"the ledger sums up to {found} points instead of {points}")
