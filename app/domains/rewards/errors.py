"""What rewards and redemptions refuse."""

from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import mark


class RewardNotFound(NotFound):
    """No reward of this shop has that id."""

    code = "reward_not_found"
    default_message = mark("There is no such reward in this shop.")


class RedemptionNotFound(NotFound):
    """No redemption of this shop, or of this member, has that id."""

    code = "redemption_not_found"
    default_message = mark("There is no such redemption in this shop.")


class InvalidReward(Invalid):
    """The reward's fields do not fit its kind."""

    code = "invalid_reward"
    default_message = mark("Some values do not fit this kind of reward.")


class StaleReward(Conflict):
    """Somebody saved the reward since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this reward meanwhile. Compare with their version and save again."
    )


class RewardInUse(Conflict):
    """Members redeemed it, so its history has to stay."""

    code = "reward_in_use"
    default_message = mark("Members have redeemed this reward. Retire it instead of deleting it.")


class NoProgram(Conflict):
    """A reward needs a program that gives the points."""

    code = "no_program"
    default_message = mark(
        "Create and activate a program first. A reward belongs to the program that gives the points."
    )


class RewardRetired(Conflict):
    """The reward is not offered at present."""

    code = "reward_not_available"
    default_message = mark("This reward is not available any more. No points were taken.")


class ProgramNotActive(Conflict):
    """The program that gives the points is paused or archived."""

    code = "program_not_active"
    default_message = mark("The program is paused at the moment. No points were taken.")


class MemberCannotRedeem(Conflict):
    """The member is blocked or was erased."""

    code = "member_cannot_redeem"
    default_message = mark("This member cannot redeem rewards.")


class MemberWithoutCustomer(Conflict):
    """A code is made for a customer of the shop, and this member has no customer account."""

    code = "member_without_customer"
    default_message = mark(
        "This member has no customer account in the shop, so no discount code can be made."
    )


class BelowMinimumRedemption(Conflict):
    """The program lets members redeem only from a certain balance on."""

    code = "below_minimum_redemption"
    default_message = mark("Rewards can be redeemed from {minimum} points on. {available} are available.")


class LimitReachedForMember(Conflict):
    """The member used the reward as often as it may be used."""

    code = "reward_limit_reached"
    default_message = mark("This reward has been redeemed as often as it allows (limit per member: {limit}).")


class RedemptionKeyReused(Conflict):
    """The key was used for another reward or member."""

    code = "idempotency_mismatch"
    default_message = mark("This idempotency key was used for another request. Send a new one.")


class RedemptionFailed(Conflict):
    """Shopify refused the discount code for good; the points were given back."""

    code = "discount_refused"
    default_message = mark("The discount code could not be created, so your points were given back.")


class RedemptionNotCancellable(Conflict):
    """Only an issued code that nobody used can be cancelled."""

    code = "redemption_not_cancellable"
    default_message = mark(
        "This redemption is {status}. Only an unused code that was issued can be cancelled."
    )


class DiscountRefused(Conflict):
    """Shopify will not create this code; `reason` is its error code or ours."""

    code = "discount_refused"
    default_message = mark("Shopify refused the discount code: {reason}.")
