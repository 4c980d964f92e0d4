"""A counter at which members redeem at once: their points, a reward, and many hands."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

from app.core import ids
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.rewards import service as rewards
from app.domains.rewards.schemas import RewardForm
from tests.fixtures.shop import TestShop


def enroll(shop: TestShop, size: int) -> list[UUID]:
    """New members, by customer id from 1."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(number) for number in range(1, size + 1)])
    return [found[number].id for number in range(1, size + 1)]


def give(shop: TestShop, member_ids: Sequence[UUID], amount: int) -> None:
    """One lot for each."""
    with shop.work() as uow:
        points.credit(
            uow, [Credit(one, amount, f"gift:{ids.new_id()}", "gift", kind="adjust") for one in member_ids]
        )


def reward(shop: TestShop, cost: int) -> UUID:
    """A reward of that many points."""
    form = {"names": {"en": "A reward"}, "kind": "amount_off", "points_cost": cost, "amount": 5}
    with shop.work() as uow:
        return rewards.create_reward(uow, RewardForm.model_validate(form)).id


def redeem(shop: TestShop, member_id: UUID, reward_id: UUID) -> str:
    """Redeem once under a key of its own. Gives "redeemed", or the name of what was raised."""
    try:
        with shop.work() as uow:
            rewards.redeem(uow, member_id, reward_id, key=str(ids.new_id()), channel="widget")
    except Exception as error:  # noqa: BLE001 - what a caller would see is what the drill counts
        return type(error).__name__
    return "redeemed"


def at_once(hands: int, work: Callable[[int], list[str]]) -> Counter[str]:
    """Let every hand do its work from the same moment on. Gives how often what came out."""
    start = Barrier(hands)

    def hand(number: int) -> list[str]:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(hands) as pool:
        return Counter(result for results in pool.map(hand, range(hands)) for result in results)


def close(shop: TestShop) -> None:
    """Nobody answers for Shopify here: what the redemptions ask of it is put aside."""
    with shop.work() as uow:
        uow.execute("UPDATE outbox SET state = 2, last_error = 'drill' WHERE state = 0")
