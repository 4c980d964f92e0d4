"""Typed errors: one base and its kinds. Domains subclass a kind with a stable code; faces map them once."""

from typing import Any

from app.core.i18n import enumerated, mark


class LoyalNestError(Exception):
    """Something the caller can be told.

    `message` is a marked source sentence with {named} placeholders filled from `data`; it is translated at the face.
    `fields` maps input names to sentences. `retryable` says whether the same call may succeed later.
    """

    code = "error"
    status = 500
    retryable = False
    default_message = mark("Something went wrong. Nothing was changed.")

    def __init__(
        self, message: str | None = None, *, fields: dict[str, str] | None = None, **data: Any
    ) -> None:
        self.message = message or self.default_message
        self.fields = fields or {}
        self.data = data
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The English sentence with its data filled in."""
        known = {
            name: enumerated("en", value) if isinstance(value, list) else value
            for name, value in self.data.items()
        }
        return self.message.format_map(_Blank(known))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


class Invalid(LoyalNestError):
    """The input has the right shape but a value cannot be accepted."""

    code = "invalid"
    status = 400
    default_message = mark("Some values cannot be accepted.")


class MalformedPayload(Invalid):
    """The input does not have the documented shape."""

    code = "malformed_payload"
    status = 422
    default_message = mark("The request does not have the documented shape.")


class Unauthorized(LoyalNestError):
    """Nobody could be identified from the request."""

    code = "unauthorized"
    status = 401
    default_message = mark("Sign in or send a valid API key.")


class Forbidden(LoyalNestError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    default_message = mark("You do not have the permission {permission}.")


class NotFound(LoyalNestError):
    """The thing does not exist, or not in this shop."""

    code = "not_found"
    status = 404
    default_message = mark("We could not find what you asked for.")


class Conflict(LoyalNestError):
    """The state of things does not allow this now."""

    code = "conflict"
    status = 409
    default_message = mark("This is not possible in the present state.")


class TooLarge(LoyalNestError):
    """The request body exceeds the limit."""

    code = "too_large"
    status = 413
    default_message = mark("The request is larger than {limit} bytes.")


class LimitReached(LoyalNestError):
    """Too many calls; `retry_after` seconds say when to come back."""

    code = "limit_reached"
    status = 429
    retryable = True
    default_message = mark("Too many requests. Try again in {retry_after} seconds.")


class Unavailable(LoyalNestError):
    """A part we depend on does not answer now."""

    code = "unavailable"
    status = 503
    retryable = True
    default_message = mark("This is not available right now. Nothing was changed; try again in a moment.")


class Contention(Unavailable):
    """Somebody else works on the same rows at this moment; the same work succeeds when it is done again."""

    code = "contention"
