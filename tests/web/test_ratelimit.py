"""Token buckets: who pays, what is told, and that a dead cache stops nobody."""

import time

import pytest
from flask import Flask

from app.core import ids
from app.core.errors import LimitReached
from app.core.settings import get_settings
from app.web.endpoints import Rate
from app.web.ratelimit import RateLimiter
from tests.fixtures.web import Caller
from tests.web.sample import THINGS

LIMITED = "/v1/api/things/limited"


def test_every_answer_says_what_is_left(key: Caller) -> None:
    first, second = key.get(THINGS), key.get(THINGS)
    assert first.headers["RateLimit-Limit"] == "60"
    assert int(second.headers["RateLimit-Remaining"]) <= int(first.headers["RateLimit-Remaining"])
    assert first.headers["RateLimit-Reset"].isdigit()


def test_errors_say_it_too(key: Caller, stranger: Caller) -> None:
    assert "RateLimit-Limit" in key.get(THINGS + "?x=1").headers
    assert stranger.get(THINGS).headers["RateLimit-Limit"] == "30"


def test_a_bucket_runs_empty_and_names_when_to_come_back(key: Caller) -> None:
    statuses = [key.get(LIMITED).status_code for _ in range(3)]
    answer = key.get(LIMITED)
    assert statuses == [200, 200, 429]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.json["error"]["code"] == "limit_reached"
    assert key.get(THINGS).status_code == 200, "another bucket is not touched"


def test_a_bucket_fills_again() -> None:
    limiter, owner, rate = RateLimiter(get_settings().redis_url), str(ids.new_id()), Rate(50, 1, "test")
    limiter.take(owner, rate)
    with pytest.raises(LimitReached):
        limiter.take(owner, rate)
    time.sleep(0.03)
    assert limiter.take(owner, rate).remaining == 0


def test_callers_do_not_share_a_bucket() -> None:
    limiter, rate = RateLimiter(get_settings().redis_url), Rate(1, 1, "test")
    assert limiter.take(str(ids.new_id()), rate).remaining == 0
    assert limiter.take(str(ids.new_id()), rate).remaining == 0


def test_without_valkey_calls_pass_and_do_not_wait(
    app: Flask, key: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "rate_limiter", RateLimiter("redis://127.0.0.1:1/0"))
    began = time.perf_counter()
    assert {key.get(LIMITED).status_code for _ in range(20)} == {200}
    assert time.perf_counter() - began < 2


def test_a_silent_valkey_costs_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        limiter = RateLimiter(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.perf_counter()
        for _ in range(50):
            assert limiter.take("x", Rate(1, 1)).remaining == 1
        assert time.perf_counter() - began < 0.5
