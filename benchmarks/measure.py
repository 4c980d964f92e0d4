"""Alternating rounds, the noise gauge, and the CPU time of process trees."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
ROUND_SECONDS = 4.0
WORST_GAUGE = 0.6
MOST_DROPPED = 0.4

Case = Callable[[float], "Sample"]


@dataclass
class Sample:
    """What one round did: operations, seconds, CPU seconds of everything it used, and delays in ms when it has them."""

    operations: int
    seconds: float
    cpu_seconds: float = 0.0
    delays_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds


@dataclass
class Result:
    """Product against reference. `ratio` and `cpu_ratio` are None when the machine was too noisy.

    `cpu_ms` is the processor time of one operation of each, in milliseconds.
    """

    name: str
    goal: str
    product: float
    reference: float
    ratio: float | None
    cpu_ratio: float | None
    kept: int
    rounds: int
    note: str = ""
    cpu_ms: tuple[float, float] = (0.0, 0.0)

    def line(self) -> str:
        """One line for the terminal and the document."""
        shown = "no result" if self.ratio is None else f"{self.ratio:.2f}"
        cpu = "" if self.cpu_ratio is None else f", by CPU {self.cpu_ratio:.2f}"
        return (
            f"{self.name}: {shown}{cpu} (goal {self.goal}; {self.product:,.0f} against {self.reference:,.0f}/s;"
            f" {self.kept} of {self.rounds} rounds){': ' + self.note if self.note else ''}"
        )


def gauge(seconds: float = 0.15) -> float:
    """How many turns of a plain loop this machine makes now."""
    turns, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(1000):
            turns += 1
    return turns


def compare(
    name: str, goal: str, product: Case, reference: Case, *, seconds: float = ROUND_SECONDS
) -> Result:
    """Run both in turns and compare medians of the rounds that the machine let run freely."""
    rounds: list[tuple[float, Sample, Sample]] = []
    for number in range(ROUNDS):
        before = gauge()
        if number % 2:
            second, first = reference(seconds), product(seconds)
        else:
            first, second = product(seconds), reference(seconds)
        rounds.append((min(before, gauge()), first, second))
    best = max(one[0] for one in rounds)
    kept = [one for one in rounds if one[0] >= WORST_GAUGE * best]
    enough = len(kept) >= (1 - MOST_DROPPED) * ROUNDS
    mine = statistics.median(one[1].rate for one in kept)
    theirs = statistics.median(one[2].rate for one in kept)
    costs = [_cpu_per_operation(kept, side) for side in (1, 2)]
    note = f"CPU {costs[0] * 1e6:.0f} against {costs[1] * 1e6:.0f} us each" if all(costs) else ""
    return Result(
        name,
        goal,
        mine,
        theirs,
        mine / theirs if enough else None,
        costs[1] / costs[0] if enough and all(costs) else None,
        len(kept),
        ROUNDS,
        note,
        (costs[0] * 1e3, costs[1] * 1e3),
    )


def _cpu_per_operation(kept: list[tuple[float, Sample, Sample]], side: int) -> float:
    chosen: list[Sample] = [(one[1], one[2])[side - 1] for one in kept]
    return statistics.median(one.cpu_seconds / one.operations for one in chosen)


def cpu_seconds(roots: list[int]) -> float:
    """User and system seconds of these processes and everything below them, children that ended included."""
    ticks = os.sysconf("SC_CLK_TCK")
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(text[1]), []).append(int(folder.name))
            spent[int(folder.name)] = sum(int(text[index]) for index in (11, 12, 13, 14)) / ticks
    total, waiting = 0.0, list(roots)
    while waiting:
        process = waiting.pop()
        total += spent.get(process, 0.0)
        waiting += children.get(process, [])
    return total
