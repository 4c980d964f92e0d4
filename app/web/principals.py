"""Who is asking: principals, and the look-ups that the shops domain and the wiring plug in."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from app.core.crypto import fingerprint
from app.core.db import Actor
from app.core.errors import Unauthorized
from app.core.i18n import mark
from app.core.permissions import Permission

Kind = Literal["staff", "api_key", "operator", "member", "public"]
API_KEY_PREFIX = "lnk_"


@dataclass(frozen=True, slots=True)
class ShopInfo:
    """What a page needs to know about the shop: domain, name, currency (ISO 4217), IANA timezone and default locale."""

    domain: str
    name: str = ""
    currency: str = "USD"
    timezone: str = "UTC"
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Principal:
    """An identified caller. `permissions` is complete: what is not in it is denied."""

    kind: Kind
    id: str
    shop_id: UUID | None
    label: str = ""
    permissions: frozenset[Permission] = frozenset()
    locale: str | None = None
    theme: Literal["light", "dark", "auto"] = "auto"
    shop: ShopInfo | None = None

    @property
    def key(self) -> str:
        """Name under which rate limits and idempotency keys are kept, unique inside a shop."""
        return f"{self.kind}:{self.id}"

    @property
    def actor(self) -> Actor:
        """The same caller as the kernel's audit and unit of work know it."""
        return Actor("system" if self.kind == "public" else self.kind, self.id, self.label)


PUBLIC = Principal("public", "public", None)


@dataclass(frozen=True, slots=True)
class IdToken:
    """The verified claims of an embedded admin's ID token. `raw` is for the token exchange and never logged."""

    shop_domain: str
    user_id: str
    session_id: str
    raw: str = field(repr=False, default="")


class InvalidIdToken(Unauthorized):
    """The ID token is missing, malformed, expired or not signed by us; a fresh one may work."""

    code = "invalid_id_token"
    retryable = True
    default_message = mark("Your session has ended. Reload the page.")


class WrongAudience(InvalidIdToken):
    """The ID token was made for another app; a fresh one does not help."""

    code = "wrong_audience"
    retryable = False


class InvalidApiKey(Unauthorized):
    """No active API key matches the bearer value."""

    code = "invalid_api_key"
    default_message = mark("This API key does not exist, was revoked or has expired.")


class TokenVerifier(Protocol):
    """Checks signature, times and audience of an ID token. Raises InvalidIdToken or WrongAudience."""

    def __call__(self, token: str) -> IdToken: ...


class StaffResolver(Protocol):
    """Turns verified claims into a staff principal with its role's permissions and `shop` filled in."""

    def __call__(self, token: IdToken) -> Principal: ...


class ApiKeyResolver(Protocol):
    """Finds an active API key by the SHA-256 digest of its full text; None when there is none."""

    def __call__(self, digest: bytes) -> Principal | None: ...


PrincipalSource = Callable[[Any], "Principal | None"]


@dataclass(slots=True)
class _Plugs:
    verify_token: TokenVerifier | None = None
    resolve_staff: StaffResolver | None = None
    resolve_api_key: ApiKeyResolver | None = None
    sources: dict[str, PrincipalSource] = field(default_factory=dict)


_plugs = _Plugs()


def register_token_verifier(verifier: TokenVerifier) -> None:
    """Say how ID tokens are verified (wiring)."""
    _plugs.verify_token = verifier


def register_staff_resolver(resolver: StaffResolver) -> None:
    """Say who a verified ID token is (shops domain or wiring)."""
    _plugs.resolve_staff = resolver


def register_api_key_resolver(resolver: ApiKeyResolver) -> None:
    """Say which principal an API key stands for (shops domain)."""
    _plugs.resolve_api_key = resolver


def register_principal_source(prefix: str, source: PrincipalSource) -> None:
    """Identify callers of paths under `prefix` another way (storefront proxy signature, operator session).

    `source` receives the Flask request, returns a principal or None (answered 401), or raises a typed error.
    """
    _plugs.sources[prefix] = source


def source_for(path: str) -> PrincipalSource | None:
    """The registered source whose prefix is the longest that covers `path`."""
    covering = [
        prefix for prefix in _plugs.sources if path == prefix or path.startswith(prefix.rstrip("/") + "/")
    ]
    return _plugs.sources[max(covering, key=len)] if covering else None


def staff_from_token(token: str) -> Principal:
    """The staff principal behind an ID token. Raises InvalidIdToken or WrongAudience."""
    if _plugs.verify_token is None or _plugs.resolve_staff is None:
        raise InvalidIdToken
    return _plugs.resolve_staff(_plugs.verify_token(token))


def principal_from_bearer(header: str | None) -> Principal:
    """The principal behind an Authorization header: an API key (`lnk_...`) or an ID token. Raises Unauthorized."""
    scheme, _, value = (header or "").strip().partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer" or not value:
        raise Unauthorized
    if not value.startswith(API_KEY_PREFIX):
        return staff_from_token(value)
    principal = _plugs.resolve_api_key(fingerprint(value)) if _plugs.resolve_api_key else None
    if principal is None:
        raise InvalidApiKey
    return principal
