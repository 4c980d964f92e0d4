"""Pictures of every step, wide and light, narrow and dark; what is pictured is checked on the way."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Frame, Page

from tests.e2e.watch import accessible, direction, fits

RIGHT_TO_LEFT = frozenset({"ar", "he"})
_LOOKS: tuple[tuple[str, int, int, Literal["light", "dark"]], ...] = (
    ("wide-light", 1360, 1000, "light"),
    ("narrow-dark", 360, 780, "dark"),
)


@dataclass
class Album:
    """The pictures of one run, numbered in the order of its steps."""

    folder: Path
    locale: str
    taken: int = 0

    def take(self, page: Page, name: str, *, frame: Frame | None = None) -> None:
        """Check language, direction, width and accessibility of the document in both looks, and picture them."""
        document = frame or page.main_frame
        expected = (self.locale, "rtl" if self.locale in RIGHT_TO_LEFT else "ltr")
        assert direction(document) == expected, name
        self.taken += 1
        before = page.viewport_size
        for look, width, height, scheme in _LOOKS:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            document.wait_for_function(
                """() => document.getAnimations().every(
                  (one) => one.playState !== "running" || one.effect.getTiming().iterations === Infinity)"""
            )
            page.screenshot(path=self.folder / f"{self.taken:02}-{name}-{look}.png")
            if scheme == "dark":
                fits(document, name)
            accessible(document, f"{name}, {look}")
        if before:
            page.set_viewport_size(before)
        page.emulate_media(color_scheme="light")
