"""The one error that service functions raise; the control API and the pages show it."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that makes no sense. `status` is the HTTP status, `fields` names what is wrong with which input."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid",
        status: int = 422,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.fields = dict(fields or {})


def not_found(what: str) -> Refused:
    """A 404 about `what`."""
    return Refused(f"{what} does not exist", code="not_found", status=404)
