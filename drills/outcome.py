"""What a drill is asked and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scale:
    """How long a drill goes on, and the seed that makes its choices repeatable."""

    short: bool
    seed: int

    def pick(self, short: int, long: int) -> int:
        """The number that fits the form."""
        return short if self.short else long


@dataclass
class Outcome:
    """Facts in the order of reporting, and the laws that were broken."""

    fault: str
    facts: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def expect(self, holds: bool, law: str) -> None:
        """Note a law that does not hold."""
        if not holds:
            self.broken.append(law)

    def line(self, name: str) -> str:
        """One line for the terminal and the document."""
        told = ", ".join(
            f"{fact} {value:,}" if isinstance(value, int) else f"{fact} {value}"
            for fact, value in self.facts.items()
        )
        verdict = "BROKEN: " + "; ".join(self.broken) if self.broken else "held"
        return f"{name} {self.fault}: {told}: {verdict}"


Drill = Callable[[Scale], Outcome]
