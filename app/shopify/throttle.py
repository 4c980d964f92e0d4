"""What we know of each shop's call budget, so that a call waits for its points instead of being turned away."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_MOST_SHOPS = 5000


@dataclass(frozen=True)
class Budget:
    """A leaky bucket as Shopify last described it. `at` is on the monotonic clock."""

    maximum: float
    available: float
    restore_rate: float
    at: float

    def now(self, at: float) -> float:
        """Points available at `at`."""
        return min(self.maximum, self.available + (at - self.at) * self.restore_rate)


@dataclass
class Throttle:
    """Remembers the budget per shop and the cost per operation. Safe from any thread; per process."""

    clock: Callable[[], float] = time.monotonic
    _budgets: dict[str, Budget] = field(default_factory=dict)
    _costs: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, domain: str, operation: str, extensions: Mapping[str, Any] | None) -> None:
        """Take in `extensions.cost` of an answer; anything malformed is ignored."""
        cost = (extensions or {}).get("cost")
        status = cost.get("throttleStatus") if isinstance(cost, dict) else None
        try:
            requested = float(cost["requestedQueryCost"])  # type: ignore[index]
            budget = Budget(
                float(status["maximumAvailable"]),  # type: ignore[index]
                float(status["currentlyAvailable"]),  # type: ignore[index]
                max(1.0, float(status["restoreRate"])),  # type: ignore[index]
                self.clock(),
            )
        except (KeyError, TypeError, ValueError):
            return
        with self._lock:
            while len(self._budgets) >= _MOST_SHOPS and domain not in self._budgets:
                self._budgets.pop(next(iter(self._budgets)))
            self._budgets[domain] = budget
            self._costs[operation] = requested

    def wait_for(self, domain: str, operation: str, *, reserve_share: float = 0.0) -> float:
        """Seconds until the budget covers the operation and still leaves `reserve_share` of it; 0 when unknown."""
        with self._lock:
            budget, cost = self._budgets.get(domain), self._costs.get(operation)
        if budget is None or cost is None:
            return 0.0
        wanted = min(cost + reserve_share * budget.maximum, budget.maximum)
        missing = wanted - budget.now(self.clock())
        spread = random.uniform(0.02, 0.3)  # noqa: S311 - spreads load, keeps no secret
        return missing / budget.restore_rate + spread if missing > 0 else 0.0
