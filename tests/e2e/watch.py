"""What must never happen while somebody uses the product: script errors, broken policies, failing servers."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, Response

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
        assert self.problems == []


def accessible(place: Page | Frame, what: str) -> None:
    """Raises AssertionError when axe finds something serious or critical in the document."""
    # It is written for pages and uses nothing that a frame lacks.
    anything: Any = place
    found = Axe().run(anything).response["violations"]
    grave = [
        (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
        for one in found
        if one["impact"] in _GRAVE
    ]
    assert grave == [], f"axe on {what}"


def fits(place: Page | Frame, what: str) -> None:
    """Raises AssertionError naming what sticks out when the document can be scrolled sideways."""
    outside = place.evaluate(
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
    assert outside == [], f"{what} can be scrolled sideways"


def direction(place: Page | Frame) -> tuple[str, str]:
    """Language and computed direction of the document."""
    return tuple(
        place.evaluate(
            "[document.documentElement.lang, getComputedStyle(document.documentElement).direction]"
        )
    )
