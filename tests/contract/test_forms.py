"""Every form of the admin against what people and strangers type into its fields, made from the forms' own schemas."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest
from flask import Flask
from pydantic import AwareDatetime, BaseModel
from werkzeug.datastructures import MultiDict

from app.core import db
from app.core.errors import MalformedPayload
from app.web.form_input import _bare, _models, _numeric, parse_form
from app.web.principals import Principal
from app.web.query_input import is_list, names
from app.web.rendering import ROOT, action_url
from app.web.tabs import Action, path_names
from tests.contract.conftest import TABS
from tests.contract.specimens import TABLES, furnished_shop, place_in
from tests.contract.test_endpoints import example
from tests.fixtures.web import Caller, Door, staff

FORMS = [action for action in TABS.actions.values() if action.form is not None]
EVERY = pytest.mark.parametrize("action", FORMS, ids=lambda action: action.full_name)
ARABIC = str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")
PERSIAN = str.maketrans("0123456789.", "۰۱۲۳۴۵۶۷۸۹٫")
MARKUP = "<b data-x>'&\""
Kind = Literal["text", "number", "day", "instant", "id", "choice", "yes", "other"]
# What a field of a kind is tried with while the others are as they should be.
ODD: dict[Kind, tuple[str, ...]] = {
    "text": (MARKUP, " ", "🎁\u202eא", "x" * 20_000),
    "number": ("-1", "0", "9" * 18, "9" * 400, "1e400", "NaN", "0,5", "٠٫٠٠٠٠٠١", "1 000"),
    "day": ("0001-01-01", "9999-12-31", "2026-02-30", "٢٠٢٦-١١-٣٠", "tomorrow"),
    "instant": ("0001-01-01T00:00", "9999-12-31T23:59", "2026-11-30T24:01", "now"),
    "id": ("01980d2f-6c5b-7f0c-9a41-c2d3e4f50617", "x", "0" * 40),
    "choice": ("nonsense", MARKUP),
    "yes": ("perhaps",),
    "other": (),
}


@dataclass(frozen=True)
class Leaf:
    """One field as it is posted."""

    name: str
    kind: Kind
    several: bool = False


def leaves(schema: type[BaseModel], prefix: str = "") -> Iterator[Leaf]:
    """The fields of a form by their posted names, one row of each list of rows."""
    for name, field in names(schema).items():
        annotation, _ = _bare(field.annotation)
        posted, several = prefix + name, is_list(annotation)
        if several:
            annotation, _ = _bare(get_args(annotation)[0])
        if models := _models(annotation):
            yield from leaves(models[0], f"{posted}.0." if several else f"{posted}.")
        else:
            yield Leaf(posted, _kind(annotation), several)


def _kind(annotation: Any) -> Kind:
    if _numeric(annotation):
        return "number"
    if get_origin(annotation) is Literal:
        return "choice"
    kinds: dict[Any, Kind] = {
        bool: "yes",
        str: "text",
        date: "day",
        datetime: "instant",
        AwareDatetime: "instant",
        UUID: "id",
    }
    return kinds.get(annotation, "other")


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """A JSON value as a browser posts it."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flat(part, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from flat(part, f"{name}.{at}" if isinstance(part, dict) else name)
    elif value is not None and value is not False:
        yield name, "on" if value is True else str(value)


@dataclass
class Desk:
    """The owner of a shop that has one of everything, in front of one form with good values in it."""

    app: Flask
    door: Door
    owner: Principal
    action: Action

    def __post_init__(self) -> None:
        assert self.action.form is not None
        self.form = self.action.form
        self.fields = list(leaves(self.form))
        route = TABS.path_of(self.action)
        wanted = path_names(route)
        self.place = place_in(route, wanted, self.owner) if wanted else {}
        with self.app.test_request_context():
            self.path = action_url(self.action.full_name, **self.place)
        names = {leaf.name for leaf in self.fields}
        self.example = {name: text for name, text in flat(example(self.form)) if name in names}

    @property
    def good(self) -> dict[str, str]:
        """Values that are accepted as they are: the example, on top of what is saved now."""
        if "version" not in self.example or "id" not in self.place:
            return self.example
        route = TABS.path_of(self.action)
        table = TABLES[max((one for one in TABLES if route.startswith(one + "/")), key=len)]
        assert self.owner.shop_id is not None
        with db.unit_of_work(self.owner.shop_id) as uow:
            version = uow.scalar(f"SELECT version FROM {table} WHERE id = %(id)s", {"id": self.place["id"]})
        return {**self.example, "version": str(version)}

    def send(self, fields: dict[str, Any], locale: str = "en") -> Any:
        person = staff(self.owner.shop_id, locale=locale)
        return Caller(self.app, self.door.token(person)).submit(self.path, fields)


@pytest.fixture(scope="module")
def owner() -> Principal:
    return furnished_shop()


@pytest.fixture
def desk(app: Flask, door: Door, owner: Principal, action: Action) -> Desk:
    return Desk(app, door, owner, action)


def told(answer: Any, action: Action) -> set[str]:
    """The fields that a refused form names in its summary."""
    return set(
        re.findall(rf'<a href="#{re.escape(action.full_name.replace(".", "-"))}-([^"]+)"', answer.text)
    )


def read(form: type[BaseModel], fields: dict[str, str], locale: str = "en") -> Any:
    """The form's values, or the names it refuses."""
    try:
        return parse_form(MultiDict(fields), form, locale).model_dump()
    except MalformedPayload as error:
        return set(error.fields)


@EVERY
def test_odd_values_never_surprise_the_server(desk: Desk, action: Action) -> None:
    for leaf in desk.fields:
        for odd in ODD[leaf.kind]:
            answer = desk.send({**desk.good, leaf.name: odd})
            assert answer.status_code < 500, (leaf, odd)
            assert "<b data-x>" not in answer.text, (leaf, odd)


@EVERY
def test_what_is_too_long_or_holds_control_characters_is_refused_at_its_field(
    desk: Desk, action: Action
) -> None:
    texts = [leaf.name for leaf in desk.fields if leaf.kind == "text"]
    for bad in ("x" * 20_000, "a\x00b", "\x1b[31m"):
        for name in texts:
            answer = desk.send({**desk.good, name: bad})
            assert answer.status_code == (200 if action.live else 422), (name, bad[:5])
            if "<form" in answer.text:
                assert any(one.startswith(name.replace(".", "-")) for one in told(answer, action)), name


@EVERY
def test_digits_of_other_scripts_are_numbers(app: Flask, action: Action) -> None:
    assert action.form is not None
    good = dict(flat(example(action.form)))
    numbers = [leaf.name for leaf in leaves(action.form) if leaf.kind == "number"]
    latin = {**good, **{name: good.get(name) or "12" for name in numbers}}
    with app.test_request_context():
        expected = read(action.form, latin)
        for script in (ARABIC, PERSIAN):
            typed = {**latin, **{name: latin[name].translate(script) for name in numbers}}
            assert all(typed[name] != latin[name] for name in numbers)
            for locale in ("en", "ar"):
                assert read(action.form, typed, locale) == expected


@EVERY
def test_what_was_typed_comes_back_escaped(desk: Desk, action: Action) -> None:
    texts = {leaf.name: MARKUP for leaf in desk.fields if leaf.kind in ("text", "choice")}
    answer = desk.send({**desk.good, **texts, "surprise_field": MARKUP})
    assert answer.status_code == (200 if action.live else 422)
    assert "<b data-x>" not in answer.text
    # A menu shows what it offers, whatever was sent.
    if "<form" in answer.text and any(leaf.kind == "text" for leaf in desk.fields):
        assert "&lt;b data-x&gt;" in answer.text, "what was typed is lost"


@EVERY
def test_bounds_are_the_same_in_every_language(app: Flask, action: Action) -> None:
    """A decimal written as its language writes it is read as the same number."""
    assert action.form is not None
    good = dict(flat(example(action.form)))
    numbers = [leaf.name for leaf in leaves(action.form) if leaf.kind == "number"]
    with app.test_request_context():
        for name in numbers:
            half = read(action.form, {**good, name: "1.5"})
            assert read(action.form, {**good, name: "1,5"}, "fr") == half, name
            assert read(action.form, {**good, name: "1٫5"}, "ar") == half, name
            assert _refuses(read(action.form, {**good, name: "1.5.0"}), name)
            assert _refuses(read(action.form, {**good, name: "--1"}), name)


def _refuses(found: Any, name: str) -> bool:
    return isinstance(found, set) and name in found


def test_what_is_asked_while_typing_is_live() -> None:
    asked: set[str] = set()
    for template in sorted((ROOT / "templates" / "admin").rglob("*.html")):
        for tag in re.findall(r"<\w+[^<]*hx-trigger=\"[^\"]*\binput\b[^>]*>", template.read_text()):
            asked |= set(re.findall(r"""action_url\(["']([\w.-]+)["']""", tag))
    assert asked, "the previews are gone"
    assert {name for name in asked if not TABS.actions[name].live} == set()


def test_a_number_keeps_its_value() -> None:
    class Amounts(BaseModel):
        whole: int
        exact: Decimal

    found = parse_form(MultiDict({"whole": "١٢٬٣٤٥", "exact": "٠٫٥"}), Amounts, "ar")
    assert (found.whole, found.exact) == (12345, Decimal("0.5"))
