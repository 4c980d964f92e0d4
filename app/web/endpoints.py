"""The endpoint registry: one declaration makes the route, the API text, the permission matrix and contract tests."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel

from app.core.errors import LoyalNestError
from app.core.paging import Page
from app.core.permissions import Permission
from app.web.context import Context

Handler = TypeVar("Handler", bound=Callable[..., Any])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
ENVELOPED_PREFIXES = ("/api/loyalty-referral", "/v1/api", "/admin")
RESERVED_NAMES = frozenset({"status", "error"})
MAX_JSON_BYTES = 1024 * 1024
_PARAMETER = re.compile(r"{([a-z_]+)}")


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket per principal: `per_second` tokens flow in, `burst` is its size. One name, one bucket."""

    per_second: float
    burst: int
    bucket: str = "default"


DEFAULT_RATE = Rate(20, 60)


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is not JSON: bytes or chunks made without the database, a media type and a file name."""

    content: bytes | Iterable[bytes]
    media_type: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request as it came, for handlers that verify it themselves. Header names may have any case."""

    method: str
    path: str
    query_string: bytes
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer of the handler's own making, for callers that do not speak our JSON."""

    content: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A declared endpoint. `parameters` are the path's names with their types, in order."""

    method: str
    path: str
    handler: Callable[..., Any]
    permission: Permission | None
    public: bool
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    out: Any
    key: str | None
    status: int
    idempotent: bool
    rate: Rate | None
    tag: str
    errors: tuple[type[LoyalNestError], ...]
    max_body_bytes: int
    produces: str
    cross_shop: str | None
    raw: bool
    hidden: bool
    parameters: dict[str, type] = field(default_factory=dict)
    arguments: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Unique operation id, such as `points_award`."""
        module = self.handler.__module__.split(".")
        domain = module[module.index("domains") + 1] if "domains" in module else module[-1]
        return f"{domain}_{self.handler.__name__}"

    @property
    def enveloped(self) -> bool:
        """Whether answers carry `status` and `error` beside the payload."""
        return is_enveloped(self.path)

    @property
    def item_type(self) -> type[BaseModel] | None:
        """The type of a list's items; None when the answer is not a list."""
        return get_args(self.out)[0] if get_origin(self.out) is Page else None

    @property
    def text(self) -> str:
        """The API text: the handler's docstring."""
        return inspect.cleandoc(self.handler.__doc__ or "")


def is_enveloped(path: str) -> bool:
    """Whether a path belongs to a face that keeps the `status`, payload, `error` shape."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in ENVELOPED_PREFIXES)


class EndpointRegistry:
    """Declared endpoints in order of declaration."""

    def __init__(self) -> None:
        self._endpoints: dict[tuple[str, str], Endpoint] = {}

    def add(self, endpoint: Endpoint) -> None:
        """Keep an endpoint; the same method and path twice is a mistake."""
        place = (endpoint.method, _PARAMETER.sub("{}", endpoint.path))
        if place in self._endpoints:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        if any(known.name == endpoint.name for known in self._endpoints.values()):
            raise ValueError(f"operation {endpoint.name} is declared twice")
        self._endpoints[place] = endpoint

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(
            sorted(self._endpoints.values(), key=lambda found: (found.path, METHODS.index(found.method)))
        )

    def __len__(self) -> int:
        return len(self._endpoints)


_current = EndpointRegistry()


def registry() -> EndpointRegistry:
    """The registry declarations go to."""
    return _current


@contextmanager
def use_registry(replacement: EndpointRegistry) -> Iterator[EndpointRegistry]:
    """Let declarations inside the block go to another registry (tests)."""
    global _current
    before, _current = _current, replacement
    try:
        yield replacement
    finally:
        _current = before


def endpoint(  # noqa: PLR0913 - one declaration says everything about an endpoint
    method: str,
    path: str,
    *,
    out: Any,
    tag: str,
    permission: Permission | None = None,
    public: bool = False,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    key: str | None = None,
    status: int = 200,
    idempotent: bool | None = None,
    rate: Rate | None = DEFAULT_RATE,
    errors: Sequence[type[LoyalNestError]] = (),
    max_body_bytes: int = MAX_JSON_BYTES,
    produces: str = "application/json",
    cross_shop: str | None = None,
    raw: bool = False,
    hidden: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare an API endpoint on its handler.

    `out` is a Pydantic model, `Page[Model]`, `Download`, `Reply` or None (no payload). `key` puts the payload under
    that name; lists use "items" when it is missing. `permission` is required unless `public`. `cross_shop` gives
    the reason of an operator endpoint that works across shops. With `raw` the handler gets the request as it came
    (RawRequest) in place of a parsed body. `hidden` keeps it out of the API document. What `produces` text/html is
    meant for a browser: its refusals are pages. The handler names what it takes: ctx, body, query, raw and the
    path's parameters.
    """

    def declare(handler: Handler) -> Handler:
        declared = Endpoint(
            method=method,
            path=path,
            handler=handler,
            permission=permission,
            public=public,
            body=body,
            query=query,
            out=out,
            key=key or ("items" if get_origin(out) is Page else None),
            status=status,
            idempotent=(method in WRITES and not public and out is not Download)
            if idempotent is None
            else idempotent,
            rate=rate,
            tag=tag,
            errors=tuple(errors),
            max_body_bytes=max_body_bytes,
            produces=produces,
            cross_shop=cross_shop,
            raw=raw,
            hidden=hidden,
            parameters=_parameters(path, handler),
            arguments=frozenset(inspect.signature(handler).parameters),
        )
        _check(declared)
        registry().add(declared)
        return handler

    return declare


def _parameters(path: str, handler: Callable[..., Any]) -> dict[str, type]:
    hints = get_type_hints(handler)
    names = _PARAMETER.findall(path)
    missing = [name for name in names if name not in hints]
    if missing:
        raise TypeError(f"{handler.__qualname__} does not take {missing[0]} of {path}")
    return {name: hints[name] for name in names}


def _check(declared: Endpoint) -> None:
    where = f"{declared.method} {declared.path}"
    if declared.method not in METHODS or not declared.path.startswith("/"):
        raise ValueError(f"{where}: unknown method or relative path")
    if (declared.permission is None) == (not declared.public):
        raise TypeError(f"{where}: name a permission, or say public=True")
    if not declared.text:
        raise TypeError(f"{where}: the handler needs a docstring; it becomes the API text")
    if any(kind not in (UUID, str, int) for kind in declared.parameters.values()):
        raise TypeError(f"{where}: path parameters are UUID, str or int")
    given = (("body", declared.body), ("query", declared.query), ("raw", declared.raw))
    optional = {name for name, there in given if there}
    offered = {"ctx", *declared.parameters} | optional
    if declared.arguments | {"ctx"} != offered:
        raise TypeError(
            f"{where}: the handler takes {sorted(declared.arguments)}, offered is {sorted(offered)}"
        )
    if declared.idempotent and not _replayable(declared.method, declared.public, declared.out, declared.raw):
        raise TypeError(f"{where}: only writes of a known caller that answer JSON can be replayed")
    if declared.body and (declared.method == "GET" or declared.raw):
        raise TypeError(f"{where}: a GET has no body, and a raw request no parsed one")
    if declared.enveloped and not declared.key and _is_model(declared.out):
        clash = RESERVED_NAMES & set(declared.out.model_fields)
        if clash:
            raise TypeError(
                f"{where}: {clash} collides with the envelope; give key= to put the payload under a name"
            )


def _replayable(method: str, public: bool, out: Any, raw: bool) -> bool:
    return method in WRITES and not public and out not in (Download, Reply) and not raw


def _is_model(out: Any) -> bool:
    return isinstance(out, type) and issubclass(out, BaseModel)


__all__ = [
    "Context",
    "Download",
    "Endpoint",
    "EndpointRegistry",
    "Page",
    "Rate",
    "RawRequest",
    "Reply",
    "endpoint",
]
