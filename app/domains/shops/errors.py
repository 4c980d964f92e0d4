"""What shops refuse."""

from app.core.errors import Conflict, Invalid, NotFound, Unavailable
from app.core.i18n import mark


class ShopNotFound(NotFound):
    """No shop of that domain or id has installed the app."""

    code = "shop_not_found"
    default_message = mark("There is no such shop.")


class ApiKeyNotFound(NotFound):
    """No API key of this shop has that id."""

    code = "api_key_not_found"
    default_message = mark("There is no such API key in this shop.")


class UnknownScope(Invalid):
    """An API key asks for a permission that does not exist."""

    code = "unknown_scope"
    default_message = mark("{scope} is not a permission.")


class ExpiryPassed(Invalid):
    """An API key that would have expired before it exists."""

    code = "expiry_passed"
    default_message = mark("The expiry date lies in the past.")


class ShopIsLive(Conflict):
    """A shop that has the app installed cannot be erased."""

    code = "shop_is_live"
    default_message = mark("The shop has the app installed. Uninstall it before erasing its data.")


class InstallationUnfinished(Unavailable):
    """Shopify did not give what the first visit needs; nothing was stored and the next visit starts afresh."""

    code = "installation_unfinished"
    default_message = mark(
        "We could not connect to your shop just now. Nothing was changed; try again in a moment."
    )


class BrandChanged(Conflict):
    """Somebody saved the look since it was read."""

    code = "stale_version"
    default_message = mark("Somebody else changed the look meanwhile. Compare with theirs and save again.")
