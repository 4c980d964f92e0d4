"""Every message in every language: direction, escaping, numbers, nothing left unfilled."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.core.i18n import LOCALES, direction
from app.core.mail import Rendered, render
from app.domains.notifications.schemas import PointsNews

NEWS = PointsNews(
    shop="Tea & <Sons>",
    first_name="Nou<b>ra",
    order="#1001",
    points=1299,
    available=4099,
    pending=250,
    tier="Gold & more",
)
ISOLATES = "\u2066\u2067\u2068\u2069"


class Visible(HTMLParser):
    """Collects tags with their attributes and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Visible:
    """The parsed document; fails when tags are not closed in order."""
    seen = Visible()
    seen.feed(html.removeprefix("<!doctype html>"))
    seen.close()
    assert seen.open == []
    return seen


def plain(text: str) -> str:
    """A text without marks of direction."""
    return text.translate({ord(sign): None for sign in ISOLATES})


@pytest.fixture(params=LOCALES)
def locale(request: pytest.FixtureRequest) -> str:
    """Each language."""
    return str(request.param)


@pytest.fixture
def rendered(locale: str) -> Rendered:
    """The points message in this language."""
    return render("notifications/points_earned", locale, NEWS)


def grouped(number: int, locale: str) -> str:
    """A pattern for a number as the locale groups it, with Latin digits."""
    return re.sub(r"(?<=\d)(?=(\d{3})+$)", "[.,\u00a0\u202f]?", str(number))


def test_language_and_direction_are_declared(locale: str, rendered: Rendered) -> None:
    tags = read(rendered.html).tags
    assert tags[0] == ("html", {"lang": locale, "dir": direction(locale)})
    assert all(attributes["dir"] == direction(locale) for tag, attributes in tags if "dir" in attributes)
    assert "left" not in rendered.html
    assert "right" not in rendered.html


def test_names_are_text_and_not_markup(rendered: Rendered) -> None:
    seen = read(rendered.html)
    assert {"b", "sons"}.isdisjoint(tag for tag, _ in seen.tags)
    for name in ("Tea & <Sons>", "Nou<b>ra", "Gold & more", "#1001"):
        assert name in seen.text
        assert name in plain(rendered.text)


def test_numbers_are_grouped_in_latin_digits_and_signed_in_the_subject(
    locale: str, rendered: Rendered
) -> None:
    assert re.search(r"\+" + grouped(1299, locale), plain(rendered.subject))
    for text in (rendered.text, read(rendered.html).text):
        assert re.search(r"(?<!\+)" + grouped(1299, locale), plain(text))
    for number in (4099, 250):
        assert re.search(grouped(number, locale), plain(rendered.text))
        assert re.search(grouped(number, locale), read(rendered.html).text)


def test_nothing_is_left_unfilled(rendered: Rendered) -> None:
    for text in (rendered.subject, rendered.text, rendered.html):
        assert not re.search(r"%\(|\{[{%]|\{\w+\}|None|&amp;(amp|lt|gt|#)", text)


def test_the_subject_is_one_short_line(rendered: Rendered) -> None:
    assert "\n" not in rendered.subject
    assert len(rendered.subject) < 120


def test_right_to_left_sentences_isolate_what_is_inserted(locale: str, rendered: Rendered) -> None:
    isolated = "\u2068Nou<b>ra\u2069" in rendered.text
    assert isolated is (direction(locale) == "rtl")
    for opened in "\u2066\u2067\u2068":
        assert rendered.text.count("\u2069") >= rendered.text.count(opened)
    assert ("bdi", {}) in read(rendered.html).tags


@pytest.mark.parametrize("points", [0, 1, 2, 3, 11, 100])
def test_every_count_has_a_form(locale: str, points: int) -> None:
    news = replace(NEWS, points=max(points, 1), available=points, pending=points)
    found = render("notifications/points_earned", locale, news)
    in_words = {("ar", 1): "نقطة واحدة", ("ar", 2): "نقطتان", ("he", 1): "נקודה אחת"}
    assert in_words.get((locale, max(points, 1)), str(max(points, 1))) in found.subject


def test_what_there_is_nothing_of_is_not_said(locale: str) -> None:
    full = render("notifications/points_earned", locale, NEWS)
    bare = render("notifications/points_earned", locale, replace(NEWS, first_name=None, pending=0, tier=None))
    assert "Gold" not in bare.text
    assert len(bare.text.splitlines()) < len(full.text.splitlines())
    assert "bdi" in bare.html
