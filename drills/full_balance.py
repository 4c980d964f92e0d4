"""F2: everybody redeems the same full balance."""

from drills import counter, laws, world
from drills.outcome import Outcome, Scale

HANDS = 8
_COST = 500


def run(scale: Scale) -> Outcome:
    """Eight clients, one balance that is enough for one of them, again and again."""
    outcome = Outcome("8 clients redeem the full balance at once")
    rounds = scale.pick(5, 20)
    shop = world.install("full-balance")
    (member_id,) = counter.enroll(shop, 1)
    reward_id = counter.reward(shop, _COST)
    winners = []
    for _ in range(rounds):
        counter.give(shop, [member_id], _COST)
        came = counter.at_once(HANDS, lambda _: [counter.redeem(shop, member_id, reward_id)])
        winners.append(came.pop("redeemed", 0))
        outcome.expect(set(came) == {"InsufficientPoints"}, f"others were refused with {dict(came)}")
    counter.close(shop)
    outcome.expect(winners == [1] * rounds, f"winners in each round: {winners}")
    outcome.facts = {"rounds": rounds, "winners": sum(winners), "refused": rounds * HANDS - sum(winners)}
    laws.check(outcome, shop, ())
    return outcome
