"""Bells in Valkey: they wake a waiting worker at once and may be lost at any time, because workers also look by themselves."""

import logging
import threading
from functools import lru_cache

import redis

from app.core.settings import get_settings

log = logging.getLogger(__name__)
_waiting = threading.local()


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """A client whose calls give up quickly: nothing may wait for a cache."""
    return redis.Redis.from_url(
        get_settings().redis_url, socket_timeout=0.25, socket_connect_timeout=0.25, health_check_interval=30
    )


def ring(name: str) -> None:
    """Wake whoever waits for `name`; silent when Valkey does not answer."""
    try:
        with client().pipeline(transaction=False) as pipe:
            pipe.lpush(f"bell:{name}", b"1")
            pipe.ltrim(f"bell:{name}", 0, 3)
            pipe.execute()
    except redis.RedisError:
        log.info("bell %s could not be rung", name)


def wait(name: str, seconds: float) -> bool:
    """Sleep until `name` rings or the time is over. True when it rang."""
    connection = getattr(_waiting, "client", None)
    if connection is None:
        connection = _waiting.client = redis.Redis.from_url(
            get_settings().redis_url, socket_timeout=seconds + 1, socket_connect_timeout=0.5
        )
    try:
        return connection.blpop([f"bell:{name}"], timeout=seconds) is not None
    except redis.RedisError:
        threading.Event().wait(seconds)
        return False
