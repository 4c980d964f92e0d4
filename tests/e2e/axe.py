"""axe-core over a document: what WCAG 2.2 AA and good practice would object to."""

from pathlib import Path

from playwright.sync_api import Frame, Page

_SCRIPT = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text(encoding="utf-8")
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """async ([within, options]) =>
  (await axe.run((within && document.querySelector(within)) || document, options)).violations.map(
  (one) => [one.id, one.impact, one.nodes.slice(0, 3).map((node) => [node.target.join(" "), node.failureSummary])])"""

Violation = tuple[str, str, list[tuple[str, str]]]


def violations(place: Page | Frame, *, only: str | None = None, within: str | None = None) -> list[Violation]:
    """What axe objects to, each with its rule, impact and first places; `only` names the one rule to try, `within` the
    part of the document to look at."""
    if not place.evaluate("Boolean(window.axe)"):
        place.evaluate(_SCRIPT)
    # Style sheets and media are read again only for rules that are not among ours.
    options: dict[str, object] = {"resultTypes": ["violations"], "preload": False}
    options["runOnly"] = {"type": "rule", "values": [only]} if only else {"type": "tag", "values": _RULES}
    found: list[Violation] = [tuple(one) for one in place.evaluate(_RUN, [within, options])]
    return found
