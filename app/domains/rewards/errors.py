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


class RewardNotYet(Conflict):
    """The first day of the reward is still to come."""

    code = "reward_not_yet"
    default_message = mark("This reward cannot be redeemed yet. No points were taken.")


class RewardOver(Conflict):
    """The last day of the reward is over."""

    code = "reward_over"
    default_message = mark("This reward has ended. No points were taken.")


class OutOfStock(Conflict):
    """Every piece was redeemed."""

    code = "reward_out_of_stock"
    default_message = mark("This reward is out of stock. No points were taken.")


class TierTooLow(Conflict):
    """The reward is for members of other tiers."""

    code = "reward_for_other_tiers"
    default_message = mark("This reward is for members of other tiers. No points were taken.")


class NotInSegment(Conflict):
    """The reward is for members of other segments."""

    code = "reward_for_other_segments"
    default_message = mark("This reward is for other members. No points were taken.")


class InvalidAmount(Invalid):
    """The chosen points do not fit the reward."""

    code = "invalid_amount"
    default_message = mark("Choose from {least} to {most} points in steps of {step}.")


class StockBelowTaken(Conflict):
    """Members hold more pieces than would be left."""

    code = "stock_below_taken"
    default_message = mark("Members have redeemed these pieces meanwhile, so they cannot be taken away.")


class HoldNotFound(NotFound):
    """No checkout hold of this shop has that id."""

    code = "hold_not_found"
    default_message = mark("There is no such hold in this shop.")


class HoldEnded(Conflict):
    """The hold was captured, released, or its time ran out."""

    code = "hold_ended"
    default_message = mark("This hold has ended ({status}). The points are not held any more.")


class NotFulfillable(Conflict):
    """Only a reward that staff hand over, and that is still owed, can be marked as done."""

    code = "redemption_not_fulfillable"
    default_message = mark(
        "This redemption is {status}. Only a reward that is still owed can be marked as done."
    )


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
    """Only an issued code that nobody used can be canceled."""

    code = "redemption_not_cancellable"
    default_message = mark(
        "This redemption is {status}. Only an unused code that was issued can be canceled."
    )


class CodeNotUsable(Conflict):
    """Only a code that works and was not used can be sent again."""

    code = "code_not_usable"
    default_message = mark("This redemption is {status}. Only an unused code that works can be sent again.")


class MemberWithoutEmail(Conflict):
    """There is no address to send a message to."""

    code = "member_without_email"
    default_message = mark("This member has no e-mail address.")


class DiscountRefused(Conflict):
    """Shopify will not create this code; `reason` is its error code or ours."""

    code = "discount_refused"
    default_message = mark("Shopify refused the discount code: {reason}.")
