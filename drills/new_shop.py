"""F9: redeeming in a shop that the database's statistics have not seen."""

import time
from uuid import UUID

import psycopg

from app.core import ids
from app.core.settings import get_settings
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from drills import counter, laws, world
from drills.outcome import Outcome, Scale
from tests.fixtures.shop import TestShop

_LOTS = 5
_SLOWER = 3
_FLOOR_MS = 10.0


def run(scale: Scale) -> Outcome:
    """One shop is analyzed, the other imported after that; both redeem in turns, so that noise hits both."""
    outcome = Outcome("redeeming in a shop that the statistics have not seen")
    size, calls = scale.pick(200, 4_000), scale.pick(40, 400)
    known = _imported("known", size)
    with psycopg.connect(get_settings().owner_url, autocommit=True) as owner:
        owner.execute("ANALYZE")
    unseen = _imported("unseen", size)
    sides = [(*known, counter.reward(known[0], 10)), (*unseen, counter.reward(unseen[0], 10))]
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(calls):
        for side, (shop, member_ids, reward_id) in enumerate(sides):
            started = time.perf_counter()
            came = counter.redeem(shop, member_ids[number * 7 % size], reward_id)
            took[side].append((time.perf_counter() - started) * 1000)
            outcome.expect(came == "redeemed", f"a redemption ended with {came}")
    normal, new = (sorted(times)[int(calls * 0.95)] for times in took)
    outcome.expect(
        new <= max(_SLOWER * normal, _FLOOR_MS), f"p95 is {new:.1f} ms, {new / normal:.1f} times as usual"
    )
    outcome.facts = {
        "members": size,
        "lots": size * _LOTS,
        "p95 in ms as usual": f"{normal:.1f}",
        "in the new shop": f"{new:.1f}",
    }
    for shop, *_ in sides:
        counter.close(shop)
        laws.check(outcome, shop, ())
    return outcome


def _imported(name: str, size: int) -> tuple[TestShop, list[UUID]]:
    shop = world.install(name)
    member_ids = counter.enroll(shop, size)
    for _ in range(_LOTS):
        with shop.work() as uow:
            points.credit(
                uow,
                [Credit(one, 100, f"import:{ids.new_id()}", "import", kind="adjust") for one in member_ids],
            )
    return shop, member_ids
