"""Outbound HTTP: one shared, thread-safe client with timeouts, retries, a circuit breaker per host and an SSRF guard.

No call may happen while this thread holds a database transaction, redirects are never followed, answers are bounded
in size and in time, and nothing but method, host, status and duration is ever logged.
"""

import email.utils
import ipaddress
import logging
import os
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import orjson
from tenacity import RetryCallState, Retrying, stop_after_attempt, stop_before_delay

from app.core.errors import Invalid, Unavailable
from app.core.i18n import mark
from app.core.settings import get_settings

log = logging.getLogger(__name__)

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
USER_AGENT = "LoyalNest"
_SAFE_TO_REPEAT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})
_HOST = re.compile(r"[a-z0-9.:-]+")
_SHOP_HOST = re.compile(r"[a-z0-9][a-z0-9-]*\.myshopify\.com")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutboundFailed(Unavailable):
    """The other side gave no answer. `sent` tells whether it may have acted on the request."""

    code = "outbound_failed"
    default_message = mark("{host} did not answer. Try again in a moment.")
    sent = True


class ConnectionFailed(OutboundFailed):
    """No connection was made, so nothing was sent."""

    code = "outbound_connection_failed"
    sent = False


class TimedOut(OutboundFailed):
    """The request went out and the answer did not come in time."""

    code = "outbound_timed_out"


class CircuitOpen(OutboundFailed):
    """The host failed so often that it is left alone for `retry_after` seconds."""

    code = "outbound_circuit_open"
    sent = False


class AnswerTooLarge(OutboundFailed):
    """The answer is larger than allowed; asking again would not help."""

    code = "outbound_answer_too_large"
    default_message = mark("The answer of {host} is larger than {limit} bytes.")
    retryable = False


class AnswerUnreadable(OutboundFailed):
    """The answer is not the JSON it should be."""

    code = "outbound_answer_unreadable"
    default_message = mark("The answer of {host} could not be read.")


class TargetRefused(Invalid):
    """An address given by a customer that we do not call."""

    code = "target_refused"
    default_message = mark("This address cannot be called. Use a public https address.")


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, between two pieces of the answer, and for the call with all its attempts and pauses."""

    connect: float = 3.0
    read: float = 10.0
    total: float = 30.0


@dataclass(frozen=True)
class Answer:
    """A complete answer, whatever its status. Header names are in lower case."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body. Raises AnswerUnreadable."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise AnswerUnreadable(host=self.host) from error

    @property
    def retry_after(self) -> float | None:
        """Seconds the other side asks us to wait; None when it does not say."""
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return float(value)
        try:
            until = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - datetime.now(UTC)).total_seconds())


@dataclass
class _Circuit:
    failures: int = 0
    open_until: float = 0.0


@dataclass
class Breakers:
    """One circuit per host: opens after `threshold` failures in a row, then lets one probe through at a time."""

    threshold: int = 5
    open_seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _circuits: dict[str, _Circuit] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, host: str) -> None:
        """Let a call through or raise CircuitOpen."""
        with self._lock:
            circuit = self._circuits.get(host)
            if circuit is None or circuit.failures < self.threshold:
                return
            wait = circuit.open_until - self.clock()
            if wait > 0:
                raise CircuitOpen(host=host, retry_after=round(wait, 1))
            # The caller is the probe; others stay out until it reports or its time is over.
            circuit.open_until = self.clock() + self.open_seconds

    def record(self, host: str, *, worked: bool) -> None:
        """Report how a call went."""
        with self._lock:
            if worked:
                self._circuits.pop(host, None)
                return
            circuit = self._circuits.setdefault(host, _Circuit())
            circuit.failures += 1
            circuit.open_until = self.clock() + self.open_seconds


def refuse_in_transaction() -> None:
    """Raise when this thread holds a database transaction: locks must never wait for a network."""
    from app.core.db import open_transaction

    if open_transaction():
        raise RuntimeError("an outbound call was attempted inside a unit of work; use the outbox")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, seen through every embedding of IPv4 in IPv6."""
    ip = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host name, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedTransport(httpx.BaseTransport):
    """Connects to the very address that was checked, so that a second DNS answer cannot lead elsewhere.

    The certificate is still checked against the host name. Connections are not reused: they are pooled by address,
    and one address may serve several names.
    """

    def __init__(
        self,
        resolver: Callable[[str, int], Sequence[str]],
        allowed: Callable[[str], bool],
        context: ssl.SSLContext | None,
    ) -> None:
        self._resolver = resolver
        self._allowed = allowed
        limits = httpx.Limits(max_connections=50, max_keepalive_connections=0)
        self._inner = httpx.HTTPTransport(
            verify=context or httpx.create_ssl_context(trust_env=False), trust_env=False, limits=limits
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Resolve, check and connect. Raises TargetRefused or httpx errors."""
        host = request.url.host
        failure: httpx.HTTPError | None = None
        for address in self._addresses(host, request.url.port or 443):
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return self._inner.handle_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("no address")

    def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError("name not found") from error
        if not all(self._allowed(address) for address in addresses):
            raise TargetRefused
        return addresses[:2]

    def close(self) -> None:
        """Close every connection."""
        self._inner.close()


class OutboundClient:
    """The only way out of the process. Share one per process (`outbound()`); every method is safe from any thread."""

    def __init__(
        self,
        *,
        breakers: Breakers | None = None,
        resolver: Callable[[str, int], Sequence[str]] = resolve,
        address_allowed: Callable[[str], bool] = is_public,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for name in ("httpx", "httpcore"):  # they log whole addresses and headers
            logging.getLogger(name).setLevel(logging.WARNING)
        self.breakers = breakers or Breakers()
        self._sleep = sleep
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)
        headers = {"User-Agent": USER_AGENT}
        self._trusted = httpx.Client(trust_env=False, limits=limits, headers=headers)
        self._untrusted = httpx.Client(
            trust_env=False,
            headers={**headers, "Accept-Encoding": "identity"},
            transport=PinnedTransport(resolver, address_allowed, ssl_context),
        )

    def request(  # noqa: PLR0913 - options of a call, all by keyword
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        untrusted: bool = False,
        repeatable: bool | None = None,
        attempts: int = 3,
        max_wait: float = 10.0,
        timeouts: Timeouts = Timeouts(),
        max_bytes: int = 5_000_000,
    ) -> Answer:
        """Call a URL and return the answer of any status; one of `body`, `json` and `form` is sent.

        `untrusted` marks an address given by a customer: public https only. `repeatable` says that sending the
        request twice does no harm (default: by the method). A repeatable request is tried again after a failure and
        after 429, 500, 502, 503, 504; any request after 429 and when nothing was sent. A Retry-After longer than
        `max_wait` seconds is left to the caller. Raises OutboundFailed and its kinds, TargetRefused.
        """
        refuse_in_transaction()
        content, content_type = _content(body, json, form)
        target, host, all_headers = self._target(url, params, headers, untrusted)
        if content_type and "Content-Type" not in all_headers:
            all_headers["Content-Type"] = content_type
        client = self._untrusted if untrusted and target.host == host else self._trusted
        request = client.build_request(method, target, headers=all_headers, content=content)
        again = method in _SAFE_TO_REPEAT if repeatable is None else repeatable
        retrying = Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(max(1, attempts)) | stop_before_delay(timeouts.total),
            wait=lambda state: _pause(state, max_wait),
            retry=lambda state: _try_again(state, again, max_wait),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        deadline = time.monotonic() + timeouts.total
        answer: Answer = retrying(self._send, client, request, host, timeouts, deadline, max_bytes)
        return answer

    def close(self) -> None:
        """Close every connection."""
        self._trusted.close()
        self._untrusted.close()

    def _target(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None, untrusted: bool
    ) -> tuple[httpx.URL, str, httpx.Headers]:
        """Where to connect, the host that is meant, and the headers with the Host the other side is to see."""
        try:
            target = httpx.URL(url)
            target = target.copy_merge_params(params) if params else target
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            raise TargetRefused from error
        schemes = {"https"} if untrusted else {"https", "http"}
        if target.scheme not in schemes or not _HOST.fullmatch(target.host) or target.userinfo:
            raise TargetRefused
        if not 0 < (target.port or 443) < 65536:
            raise TargetRefused
        host, all_headers = target.host, httpx.Headers(dict(headers or {}))
        all_headers["Host"] = target.netloc.decode("ascii")
        origin = get_settings().shopify_connect_to
        if origin and _SHOP_HOST.fullmatch(host):
            target = httpx.URL(origin).copy_with(raw_path=target.raw_path)
        return target, host, all_headers

    def _send(
        self,
        client: httpx.Client,
        request: httpx.Request,
        host: str,
        timeouts: Timeouts,
        deadline: float,
        max_bytes: int,
    ) -> Answer:
        self.breakers.admit(host)
        started = time.monotonic()
        left = max(0.05, deadline - started)
        connect, read = min(timeouts.connect, left), min(timeouts.read, left)
        request.extensions["timeout"] = httpx.Timeout(read, connect=connect, pool=connect).as_dict()
        outcome: str | int = "failed"
        try:
            answer = _receive(client, request, host, deadline, max_bytes)
            outcome = answer.status
        except OutboundFailed as error:
            outcome = error.code
            self.breakers.record(host, worked=isinstance(error, AnswerTooLarge))
            raise
        finally:
            log.debug(
                "%s %s: %s, %.0f ms", request.method, host, outcome, 1000 * (time.monotonic() - started)
            )
        # A customer's endpoint may share its host with others', so its own 5xx must not close the host for them.
        self.breakers.record(host, worked=client is self._untrusted or answer.status < 500)
        return answer


def _content(
    body: bytes | None, json: Any, form: Mapping[str, str] | None
) -> tuple[bytes | None, str | None]:
    if json is not None:
        return orjson.dumps(json), "application/json"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return body, None


def _receive(
    client: httpx.Client, request: httpx.Request, host: str, deadline: float, max_bytes: int
) -> Answer:
    try:
        response = client.send(request, stream=True, follow_redirects=False)
        try:
            body = _read(response, host, deadline, max_bytes)
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ConnectionFailed(host=host) from error
    except httpx.TimeoutException as error:
        raise TimedOut(host=host) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise OutboundFailed(host=host) from error
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(host, response.status_code, headers, body)


def _read(response: httpx.Response, host: str, deadline: float, max_bytes: int) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > max_bytes:
            raise AnswerTooLarge(host=host, limit=max_bytes)
        if time.monotonic() > deadline:
            raise TimedOut(host=host)
    return bytes(body)


def _answered(state: RetryCallState) -> Answer | BaseException:
    assert state.outcome is not None
    failure = state.outcome.exception()
    if failure is not None:
        return failure
    answer: Answer = state.outcome.result()
    return answer


def _try_again(state: RetryCallState, repeatable: bool, max_wait: float) -> bool:
    outcome = _answered(state)
    if isinstance(outcome, Answer):
        wanted = outcome.status in _PASSING_STATUSES and (repeatable or outcome.status == 429)
        return wanted and (outcome.retry_after or 0) <= max_wait
    if isinstance(outcome, CircuitOpen) or not isinstance(outcome, OutboundFailed):
        return False
    return outcome.retryable and (repeatable or not outcome.sent)


def _pause(state: RetryCallState, max_wait: float) -> float:
    """Full jitter over a doubling span, never less than the other side asked for."""
    outcome = _answered(state)
    asked = (outcome.retry_after or 0.0) if isinstance(outcome, Answer) else 0.0
    span = min(max_wait, 0.25 * 2**state.attempt_number)
    spread = random.uniform(0, span)  # noqa: S311 - spreads load, keeps no secret
    return min(asked + spread, max(max_wait, asked))


_shared: OutboundClient | None = None
_shared_lock = threading.Lock()


def outbound() -> OutboundClient:
    """The client of this process, made at first use."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = OutboundClient()
        return _shared


def _forget_in_child() -> None:
    global _shared, _shared_lock
    _shared, _shared_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_in_child)
