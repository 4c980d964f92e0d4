"""The slider of a reward in the store: points and their worth, each in its own direction, whichever the panel has."""

import pytest
from playwright.sync_api import Browser

from dev.data import REPOSITORY

SCRIPT = REPOSITORY / "extensions/loyalnest-theme/assets/loyalnest-slider.js"
OFFER = {
    "name": "Any amount",
    "slider": {"least": 500, "most": 2_000, "step": 100, "step_amount": 1, "currency": "USD"},
}


@pytest.mark.parametrize(
    ("language", "direction", "said"),
    [
        ("en", "ltr", "\u2068500\u2069 → \u2068$5.00\u2069"),
        ("he", "rtl", "\u2068500\u2069 ← \u2068\u200f5.00\xa0\u200f$\u2069"),
    ],
)
def test_the_arrow_leads_from_the_points_to_their_worth(
    browser: Browser, language: str, direction: str, said: str
) -> None:
    page = browser.new_page()
    page.set_content(
        f'<html lang="{language}"><body><div dir="{direction}"><loyalnest-slider></loyalnest-slider></div></body></html>'
    )
    page.add_script_tag(path=SCRIPT)
    page.locator("loyalnest-slider").evaluate("(slider, offer) => slider.offer(offer)", OFFER)
    assert page.locator("loyalnest-slider .price").text_content() == said
    assert page.locator("loyalnest-slider input").get_attribute("aria-valuetext") == said
    page.close()
