"""Token buckets in Valkey, one per principal. Without Valkey every call passes: a cache may not stop the shop."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import redis
from flask import Flask, Response, current_app, g, request

from app.core.errors import LimitReached
from app.web.endpoints import Rate
from app.web.principals import Principal

log = logging.getLogger(__name__)
TIMEOUT_SECONDS = 0.05
UNKNOWN_CALLER = Rate(5, 30, "unknown-caller")
REST_SECONDS = 5.0

# KEYS: the bucket. ARGV: tokens per second, size. Returns whether the call passes, tokens left, milliseconds until
# full, milliseconds until the next token.
_TAKE = """
local rate, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local passed = math.max(0, now - (tonumber(state[2]) or now))
local tokens = math.min(size, (tonumber(state[1]) or size) + passed * rate / 1000)
local passes = tokens >= 1
if passes then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(size / rate * 1000) + 1000)
local full, next = (size - tokens) / rate * 1000, (1 - tokens) / rate * 1000
return {passes and 1 or 0, math.floor(tokens), math.ceil(full), math.ceil(next)}
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left: `limit` and `remaining` calls, and seconds until the bucket is full."""

    limit: int
    remaining: int
    reset_seconds: int


class RateLimiter:
    """Takes tokens with a client that gives up after 50 ms, and leaves Valkey alone for 5 s once it did not answer."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            max_connections=64,
        )
        self._take = self._client.register_script(_TAKE)
        self._rest_until = 0.0
        self._lock = threading.Lock()

    def take(self, principal_key: str, rate: Rate) -> Standing:
        """One token of the caller's bucket. Raises LimitReached with `retry_after` seconds."""
        if time.monotonic() < self._rest_until:
            return Standing(rate.burst, rate.burst, 0)
        try:
            answer: Any = self._take(
                keys=[f"rate:{rate.bucket}:{principal_key}"], args=[rate.per_second, rate.burst]
            )
        except redis.RedisError:
            self._rest()
            return Standing(rate.burst, rate.burst, 0)
        passes, left, full_ms, next_ms = (int(part) for part in answer)
        standing = Standing(rate.burst, left, -(-full_ms // 1000))
        if not passes:
            error = LimitReached(retry_after=max(1, -(-next_ms // 1000)))
            error.data["standing"] = standing
            raise error
        return standing

    def _rest(self) -> None:
        with self._lock:
            if time.monotonic() >= self._rest_until:
                log.warning("rate limits are off: Valkey does not answer")
                self._rest_until = time.monotonic() + REST_SECONDS


def bucket_owner(principal: Principal | None) -> str:
    """Whose bucket a call draws from: the principal's, or the address of a caller nobody knows.

    Guests of a shop's storefront all come through Shopify's servers, which put the visitor's own address first.
    """
    if principal is None or (principal.shop_id is None and principal.kind == "public"):
        return f"address:{request.remote_addr}"
    if principal.kind == "public":
        visitor = request.headers.get("X-Forwarded-For", "").partition(",")[0].strip()[:64]
        return f"{principal.shop_id}:visitor:{visitor or request.remote_addr}"
    return f"{principal.shop_id}:{principal.key}"


def enforce(principal: Principal | None, rate: Rate | None) -> None:
    """Take a token for this request, unless it is unlimited, and remember the standing for the answer's headers."""
    if rate is None:
        return
    limiter: RateLimiter = current_app.extensions["rate_limiter"]
    try:
        g.rate_standing = limiter.take(bucket_owner(principal), rate)
    except LimitReached as error:
        g.rate_standing = error.data["standing"]
        raise


def init_rate_limits(app: Flask, redis_url: str) -> None:
    """Give the application its limiter, and every limited answer the RateLimit headers."""
    app.extensions["rate_limiter"] = RateLimiter(redis_url)

    @app.after_request
    def tell(response: Response) -> Response:
        standing: Standing | None = g.get("rate_standing")
        if standing is not None:
            response.headers["RateLimit-Limit"] = str(standing.limit)
            response.headers["RateLimit-Remaining"] = str(standing.remaining)
            response.headers["RateLimit-Reset"] = str(standing.reset_seconds)
        return response
