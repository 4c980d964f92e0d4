"""What must never happen while somebody uses the product: script errors, broken policies, failing servers."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Response

from tests.e2e.axe import violations

# Policies report to the console of the frame they belong to; this makes sure that no report is lost.
_REPORT = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy ${event.effectiveDirective} blocked ${event.blockedURI} on ${event.documentURI}`));"""
_GRAVE = ("serious", "critical")


@dataclass
class Watch:
    """Collects the problems of every page of a browser context."""

    problems: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of the context, those to come included."""
        context.add_init_script(_REPORT)
        context.on("console", self._said)
        context.on("weberror", lambda error: self._note(f"script error: {error.error}"))
        context.on("response", self._answered)

    def _note(self, problem: str) -> None:
        if not any(pattern.search(problem) for pattern in self.expected):
            self.problems.append(problem)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text} ({message.location.get('url')})")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._note(f"{response.status} for {response.request.method} {response.url}")

    @contextlib.contextmanager
    def provoked(self, pattern: str) -> Iterator[None]:
        """Inside the block, problems that match are meant to happen."""
        self.expected.append(re.compile(pattern))
        yield
        self.expected.pop()

    def check(self) -> None:
        """Raises AssertionError when something was wrong."""
        assert self.problems == [], "\n".join(self.problems)


def accessible(place: Page | Frame, what: str) -> None:
    """Raises AssertionError when axe finds something serious or critical in the document."""
    grave = [one for one in violations(place) if one[1] in _GRAVE]
    assert grave == [], f"axe on {what}"


def outside(place: Page | Frame) -> list[str]:
    """What sticks out when the document can be scrolled sideways."""
    found: list[str] = place.evaluate(
        """() => {
          const root = document.documentElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          const out = [...document.body.querySelectorAll("*")].filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width && (box.right > root.clientWidth + 0.5 || box.left < -0.5);
          });
          return [`${root.scrollWidth} > ${root.clientWidth}`, ...out.slice(0, 8).map((one) => one.outerHTML.slice(0, 120))];
        }"""
    )
    return found


def fits(place: Page | Frame, what: str) -> None:
    """Raises AssertionError naming what sticks out when the document can be scrolled sideways."""
    found = outside(place)
    assert found == [], f"{what} can be scrolled sideways: {found}"


def direction(place: Page | Frame) -> tuple[str, str]:
    """Language and computed direction of the document."""
    return tuple(
        place.evaluate(
            "[document.documentElement.lang, getComputedStyle(document.documentElement).direction]"
        )
    )
