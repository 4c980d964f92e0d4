"""Faults on demand: what goes wrong, where, how often and for how long."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Target = Literal["webhooks", "graphql", "token", "mail"]
KINDS: dict[str, tuple[str, ...]] = {
    "webhooks": ("duplicate", "reorder", "delay", "drop", "bad_signature"),
    "graphql": (
        "429",
        "throttled",
        "5xx",
        "slow",
        "hang",
        "user_errors",
        "reset",
        "reset_after_send",
        "401",
    ),
    "token": (
        "429",
        "5xx",
        "slow",
        "hang",
        "reset",
        "reset_after_send",
        "invalid_grant",
        "invalid_client",
        "invalid_subject_token",
    ),
    "mail": ("temporary", "permanent"),
}


@dataclass
class Fault:
    """`rate` of the matching requests fail until `until`. `only` narrows to one topic or GraphQL operation, `left`
    counts down when the fault is to strike a fixed number of times, `delay` is seconds for slow, delay and reorder."""

    id: int
    target: str
    kind: str
    rate: float
    until: float
    shop: str | None = None
    only: str | None = None
    left: int | None = None
    delay: float = 2.0
    hits: int = 0


@dataclass
class Faults:
    """The switched-on faults. Safe from any thread; forgotten when the dev store stops."""

    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    _all: list[Fault] = field(default_factory=list)
    _next: int = 1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, target: str, kind: str, rate: float, seconds: float, **rest: Any) -> Fault:
        """Switch a fault on for `seconds`."""
        with self._lock:
            fault = Fault(self._next, target, kind, rate, self.clock() + seconds, **rest)
            self._next += 1
            self._all.append(fault)
            return fault

    def clear(self) -> int:
        """Switch everything off; how many faults were on."""
        with self._lock:
            count, self._all = len(self._all), []
            return count

    def listed(self) -> list[dict[str, Any]]:
        """Every fault that is on, with the seconds it still has."""
        with self._lock:
            self._expire()
            return [{**asdict(fault), "until": round(fault.until - self.clock(), 1)} for fault in self._all]

    def strike(self, target: str, shop: str, only: str | None, *kinds: str) -> Fault | None:
        """The fault that hits this request, if any; `kinds` limits what can happen here."""
        with self._lock:
            self._expire()
            for fault in self._all:
                if fault.target != target or (kinds and fault.kind not in kinds):
                    continue
                if fault.shop not in {None, shop} or fault.only not in {None, only}:
                    continue
                if self.chance() >= fault.rate:
                    continue
                fault.hits += 1
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def _expire(self) -> None:
        now = self.clock()
        self._all = [
            fault for fault in self._all if fault.until > now and (fault.left is None or fault.left > 0)
        ]
