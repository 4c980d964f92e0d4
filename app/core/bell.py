"""Bells in Valkey: they wake a waiting worker at once and may get lost, because workers also look themselves."""

import logging
import threading
import time
from functools import lru_cache

import redis

from app.core.settings import get_settings

log = logging.getLogger(__name__)
_waiting = threading.local()
_starting = threading.Lock()
# Under load one ring serves all that was stored meanwhile; a ring costs as much as a third of an intake.
_REST_SECONDS = 0.005
_ringers: dict[str, tuple[threading.Event, threading.Thread]] = {}


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
    except (redis.RedisError, OSError, ValueError, AttributeError):
        # A connection that another thread is closing answers ValueError or AttributeError.
        log.info("bell %s could not be rung", name)


def ring_soon(name: str) -> None:
    """Ring from a thread of its own, so that nobody waits for the cache; rings that pile up become one."""
    with _starting:
        ringer = _ringers.get(name)
        if ringer is None or not ringer[1].is_alive():
            wanted = threading.Event()
            thread = threading.Thread(
                target=_ring_when, args=(name, wanted), name=f"ring-{name}", daemon=True
            )
            ringer = _ringers[name] = (wanted, thread)
            thread.start()
    ringer[0].set()


def _ring_when(name: str, wanted: threading.Event) -> None:
    while wanted.wait():
        # Cleared before ringing: a fact stored from here on rings again.
        wanted.clear()
        ring(name)
        time.sleep(_REST_SECONDS)


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
