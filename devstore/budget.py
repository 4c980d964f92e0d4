"""The Admin API's call budget: one leaky bucket per shop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_QUERY_COST = 1000


@dataclass
class _Bucket:
    available: float
    at: float


@dataclass
class Buckets:
    """Points by shop; a bucket that nobody used is full. Safe from any thread."""

    clock: Callable[[], float] = time.monotonic
    _all: dict[str, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, shop: str, points: float, size: float, rate: float) -> tuple[bool, float]:
        """Reserve points if there are enough. Returns (taken, points available afterwards)."""
        with self._lock:
            now = self.clock()
            bucket = self._all.get(shop) or _Bucket(size, now)
            available = min(size, bucket.available + (now - bucket.at) * rate)
            taken = points <= available
            left = available - points if taken else available
            self._all[shop] = _Bucket(left, now)
            return taken, left

    def give_back(self, shop: str, points: float, size: float) -> float:
        """Return points that were reserved and not used; the points available afterwards."""
        with self._lock:
            bucket = self._all[shop]
            bucket.available = min(size, bucket.available + points)
            return bucket.available

    def empty(self, shop: str) -> None:
        """Use everything up, as if another client had been busy."""
        with self._lock:
            self._all[shop] = _Bucket(0.0, self.clock())
