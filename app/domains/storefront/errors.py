"""What the storefront refuses."""

from app.core.errors import Conflict, NotFound, Unauthorized
from app.core.i18n import mark


class ShopNotServed(Unauthorized):
    """Shopify vouches for the shop, but the app is not installed there."""

    code = "shop_not_served"
    default_message = mark("This store does not offer rewards at the moment.")


class SignInFirst(Unauthorized):
    """The visitor is not logged in to the store."""

    code = "sign_in_first"
    default_message = mark("Sign in to use your points.")


class MemberBeingPrepared(Conflict):
    """The customer exists in the store, and the news of it has not arrived here yet."""

    code = "member_being_prepared"
    retryable = True
    default_message = mark("Your rewards account is being prepared. Try again in a minute.")


class RewardAlreadyUsed(Conflict):
    """An order used the code, so it cannot be given back."""

    code = "reward_already_used"
    default_message = mark("You have used this reward already, so it cannot be given back.")


class RewardNotReturnable(Conflict):
    """The reward is of a kind that stays, its time is over, or its code is still being made."""

    code = "reward_not_returnable"
    default_message = mark("This reward cannot be given back. Your points were not changed.")


class RedemptionUnknown(NotFound):
    """No redemption of this shopper has that id."""

    code = "redemption_not_found"
    default_message = mark("We could not find this reward among yours.")
