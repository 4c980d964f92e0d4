"""F8: many redeem at once, and all of them may."""

from drills import counter, laws, world
from drills.outcome import Outcome, Scale

HANDS = 8
_COST = 10
_MEMBERS = 6


def run(scale: Scale) -> Outcome:
    """Calls for members who have enough, many of them for the same member at the same moment. None may fail."""
    outcome = Outcome("concurrent redeeming by members who have enough")
    each = scale.pick(12, 120)
    shop = world.install("together")
    member_ids = counter.enroll(shop, _MEMBERS)
    reward_id = counter.reward(shop, _COST)
    for _ in range(_COST):
        # Many small lots: every redemption takes from several.
        counter.give(shop, member_ids, HANDS * each // _MEMBERS)

    def work(hand: int) -> list[str]:
        turns = ((hand + number) % _MEMBERS for number in range(each))
        return [counter.redeem(shop, member_ids[turn], reward_id) for turn in turns]

    came = counter.at_once(HANDS, work)
    counter.close(shop)
    outcome.expect(came == {"redeemed": HANDS * each}, f"spurious failures: {dict(came)}")
    outcome.facts = {"calls": HANDS * each, "members": _MEMBERS, "redeemed": came["redeemed"]}
    laws.check(outcome, shop, ())
    return outcome
