"""What can go wrong between us and Shopify, as errors that faces, jobs and the outbox understand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.errors import Conflict, Forbidden, LimitReached, MalformedPayload, Unauthorized, Unavailable
from app.core.i18n import mark


class ForgedRequest(Unauthorized):
    """A webhook, proxy or OAuth request whose signature is missing, wrong, ambiguous or too old."""

    code = "forged_request"
    default_message = mark("The request is not signed by Shopify.")


class StateUnknown(ForgedRequest):
    """A browser came back from the classic installation with a state that it does not hold, or no longer."""

    code = "oauth_state_unknown"
    default_message = mark("This installation is done, took too long or began in another browser.")


class ConsentDenied(Conflict):
    """A browser came back from the classic installation without the shop's consent."""

    code = "oauth_consent_denied"
    default_message = mark("The shop did not agree, so nothing was installed.")


class MalformedDelivery(MalformedPayload):
    """A signed request that lacks something Shopify always sends."""

    code = "malformed_delivery"
    default_message = mark("The request lacks {missing}.")


class ShopifyUnavailable(Unavailable):
    """Shopify did not answer, or answered 5xx. `sent` tells whether it may have acted on the call."""

    code = "shopify_unavailable"
    default_message = mark("Shopify does not answer right now. Try again in a moment.")

    def __init__(self, *, sent: bool, **data: Any) -> None:
        self.sent = sent
        super().__init__(**data)


class Throttled(LimitReached):
    """Shopify's call limit is used up; nothing was done. `retry_after` is in seconds."""

    code = "shopify_throttled"
    default_message = mark("Shopify limits calls at the moment. Try again in {retry_after} seconds.")


class TokenRejected(Conflict):
    """No access token works any more: someone has to open the app in the shop's admin once."""

    code = "shopify_needs_reopening"
    default_message = mark("Open the app in the Shopify admin once, so that it may talk to the shop again.")


class InvalidIdToken(Unauthorized):
    """Shopify did not accept the ID token for an exchange; the page has to get a new one."""

    code = "invalid_id_token"
    default_message = mark("The session has expired. Reload the page.")


class AppRejected(Conflict):
    """Shopify does not know this app (wrong secret) or the shop has uninstalled it."""

    code = "shopify_app_rejected"
    default_message = mark("Shopify does not recognize this app for the shop.")


class ShopUnavailable(Conflict):
    """The shop is frozen (402), gone (404) or locked (423); only a lock passes by itself."""

    code = "shop_unavailable"
    default_message = mark("The shop cannot be reached: it is frozen, closed or locked.")

    def __init__(self, *, http_status: int) -> None:
        self.retryable = http_status == 423
        super().__init__(http_status=http_status)


class AccessDenied(Forbidden):
    """The shop has not granted the scope, or the protected data, that an operation needs."""

    code = "shopify_access_denied"
    default_message = mark("The shop has not granted this app the access that {operation} needs.")


@dataclass(frozen=True)
class UserError:
    """One refusal of a mutation: the path of the input, Shopify's code (often empty) and its English sentence."""

    field: tuple[str, ...]
    code: str
    message: str


class UserErrors(Conflict):
    """A mutation was understood and refused. `errors` says why; nothing was changed by the refused field."""

    code = "shopify_user_errors"
    default_message = mark("Shopify did not accept the change: {reasons}")

    def __init__(self, operation: str, errors: Sequence[UserError]) -> None:
        self.errors = tuple(errors)
        super().__init__(operation=operation, reasons="; ".join(error.message for error in errors))

    @property
    def codes(self) -> frozenset[str]:
        """The codes, such as TAKEN."""
        return frozenset(error.code for error in self.errors if error.code)


class GraphQLFailed(Unavailable):
    """Shopify answered with errors of its own; `partial` is the data it gave besides them, if any."""

    code = "shopify_graphql_failed"
    default_message = mark("Shopify could not carry out {operation}.")

    def __init__(
        self, operation: str, *, codes: Sequence[str], partial: dict[str, Any] | None, retryable: bool
    ) -> None:
        self.codes = frozenset(codes)
        self.partial = partial
        self.retryable = retryable
        super().__init__(operation=operation)
