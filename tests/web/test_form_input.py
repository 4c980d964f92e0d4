"""Posted forms: the same schemas, read the way people type in five languages."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field
from werkzeug.datastructures import MultiDict

from app.core.errors import MalformedPayload
from app.core.i18n import LOCALES
from app.web.form_input import numeric_names, parse_form, readable
from app.web.forms import Form
from app.web.localized_numbers import to_plain, to_typed


class Row(BaseModel):
    """A line of a form."""

    sku: str
    count: int = 1


class Fixed(BaseModel):
    """One kind of rule."""

    kind: Literal["fixed"]
    points: int


class Share(BaseModel):
    """Another kind of rule."""

    kind: Literal["share"]
    percent: Decimal


class Shape(BaseModel):
    """Every kind of field."""

    name: str = "unnamed"
    points: int | None = None
    rate: Decimal | None = Field(None, max_digits=6, decimal_places=2)
    score: float = 0
    notify: bool = False
    maybe: bool | None = None
    tags: list[str] = Field(default_factory=list)
    months: list[int] | None = None
    level: Literal[1, 2, 3] = 1
    day: date | None = None
    starts_at: datetime | None = None
    title: dict[str, str] = Field(default_factory=dict)
    rows: list[Row] = Field(default_factory=list)
    rule: Annotated[Fixed | Share, Field(discriminator="kind")] | None = None


def parse(fields: Any, locale: str = "en", zone: str = "UTC") -> Shape:
    return parse_form(MultiDict(fields), Shape, locale, zone)


@pytest.fixture
def app_context(app: Flask) -> Any:
    with app.test_request_context():
        yield


def refused(fields: Any, locale: str = "en") -> dict[str, str]:
    with pytest.raises(MalformedPayload) as error:
        parse(fields, locale)
    return error.value.fields


@pytest.mark.parametrize(
    ("locale", "typed", "meant"),
    [
        ("en", "1240", 1240),
        ("en", "1,240", 1240),
        ("en", "1 240", 1240),
        ("en", "1\u202f240", 1240),
        ("en", "−5", -5),
        ("fr", "1 240", 1240),
        ("es", "1.240", 1240),
        ("ar", "١٢٤٠", 1240),
        ("ar", "١٬٢٤٠", 1240),
        ("ar", "۱۲۴۰", 1240),
        ("ar", "\u200f1,240\u200f", 1240),
        ("he", "1,240", 1240),
    ],
)
def test_whole_numbers(locale: str, typed: str, meant: int) -> None:
    assert parse({"points": typed}, locale).points == meant


@pytest.mark.parametrize(
    ("locale", "typed", "meant"),
    [
        ("en", "1,240.5", "1240.5"),
        ("fr", "1 240,5", "1240.5"),
        ("fr", "1,24", "1.24"),
        ("es", "1.240,75", "1240.75"),
        ("es", "1,5", "1.5"),
        ("es", "1.5", "1.5"),
        ("ar", "١٢٫٥", "12.5"),
        ("he", ".5", "0.5"),
    ],
)
def test_decimals(locale: str, typed: str, meant: str) -> None:
    assert parse({"rate": typed}, locale).rate == Decimal(meant)


@pytest.mark.parametrize(
    "typed", ["1,5", "1,24,0", "twelve", "1e5", "0x10", "1_000", "--5", "1.2.3", "٪", "½"]
)
def test_what_is_not_one_number_is_asked_again(app_context: None, typed: str) -> None:
    assert list(refused({"points": typed})) == ["points"]


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3), st.sampled_from(LOCALES))
def test_a_shown_number_is_read_back_unchanged(number: Decimal, locale: str) -> None:
    assert Decimal(to_plain(to_typed(number, locale), locale) or "x") == number


@given(st.text(max_size=30), st.sampled_from(LOCALES))
def test_no_text_breaks_the_reader(text: str, locale: str) -> None:
    plain = to_plain(text, locale)
    assert plain is None or Decimal(plain).is_finite()


def test_empty_text_is_none_or_as_if_absent() -> None:
    found = parse({"name": " ", "points": "", "rate": "", "day": ""})
    assert (found.name, found.points, found.rate, found.day) == ("unnamed", None, None, None)
    assert {"points", "rate"} <= found.model_fields_set
    assert "name" not in found.model_fields_set


def test_checkboxes() -> None:
    assert parse({"notify": "on"}).notify is True
    assert parse([("notify", "false"), ("notify", "true")]).notify is True
    assert parse({}).notify is False
    assert "maybe" not in parse({}).model_fields_set
    assert parse({"maybe": "no"}).maybe is False


def test_lists() -> None:
    found = parse([("tags", "a"), ("tags", " b "), ("tags", ""), ("months", "٣"), ("months", "12")])
    assert (found.tags, found.months) == (["a", "b"], [3, 12])
    assert parse({}).tags == []
    assert parse({"tags": ""}).tags == []
    assert "months" not in parse({}).model_fields_set


def test_nested_fields() -> None:
    fields = {
        "title.en": "Cup",
        "title.ar": "كوب",
        "rows.0.sku": "A",
        "rows.2.sku": "B",
        "rows.2.count": "1,000",
    }
    found = parse({**fields, "rows": ""})
    assert found.title == {"en": "Cup", "ar": "كوب"}
    assert [(row.sku, row.count) for row in found.rows] == [("A", 1), ("B", 1000)]


def test_a_rule_of_a_kind() -> None:
    found = parse({"rule.kind": "share", "rule.percent": "2,5"}, "fr")
    assert found.rule == Share(kind="share", percent=Decimal("2.5"))


def test_typed_choices_and_dates() -> None:
    found = parse(
        {"level": "2", "day": "2026-11-30", "starts_at": "2026-11-30T09:00"}, zone="America/New_York"
    )
    assert (found.level, found.day) == (2, date(2026, 11, 30))
    assert found.starts_at == datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def test_line_breaks_are_unified_and_ends_trimmed() -> None:
    assert parse({"name": " a\r\nb "}).name == "a\nb"


def test_service_fields_are_not_passed_on() -> None:
    assert parse({"idempotency_key": "x", "csrf_token": "y", "_button": "z"}) == Shape()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"surprise": "1"}, "surprise"),
        ({"name": "a\x00b"}, "name"),
        ([("name", "a"), ("name", "b")], "name"),
        ({"points": "9" * 30}, "points"),
        ({"rate": "1.234"}, "rate"),
        ({"level": "4"}, "level"),
        ({"day": "tomorrow"}, "day"),
        ({"notify": "perhaps"}, "notify"),
        ({"rows.0.count": "2"}, "rows.0.sku"),
        ({"rows.1.sku": "A", "rows.7.sku": "B", "rows.7.count": "x"}, "rows.7.count"),
        ({"rule.kind": "share", "rule.percent": "x"}, "rule.percent"),
        ({"rule.kind": "other"}, "rule"),
        ({"name.en": "x"}, "name"),
    ],
)
def test_a_refusal_names_the_posted_field(app_context: None, fields: Any, name: str) -> None:
    found = refused(fields)
    assert list(found) == [name]


@pytest.mark.parametrize("fields", [{"a." * 20 + "b": "1"}, {"rows": "x", "rows.0.sku": "A"}])
def test_a_form_of_another_shape_is_refused(app_context: None, fields: Any) -> None:
    refused(fields)


def test_a_fresh_form_shows_its_initial_values() -> None:
    initial = {
        "rate": Decimal("1.50"),
        "points": 1240,
        "notify": True,
        "tags": ["a"],
        "rows": [{"sku": "A"}],
        "none": None,
    }
    form = Form("t.a", "/app/t/a", "fr", "Europe/Paris", initial)
    assert (form.value("rate"), form.value("points"), form.value("none"), form.value("gone", "x")) == (
        "1,50",
        "1240",
        "",
        "x",
    )
    assert (
        form.checked("notify"),
        form.values("tags"),
        form.value("rows.0.sku"),
        form.value("rows.1.sku"),
    ) == (True, ["a"], "A", "")
    assert form.checked("tags", "a")
    assert not form.checked("tags", "b")
    assert not form.refused


def test_decimal_strings_are_shown_as_they_are_read() -> None:
    form = Form("t.a", "/", "es", initial={"rate": "1.500", "name": "1.500"}, numeric=numeric_names(Shape))
    assert (form.value("rate"), form.value("name"), form.value("score", "x")) == ("1,500", "1.500", "x")
    assert parse({"rate": "1,50"}, "es").rate == Decimal("1.50")
    assert {"points", "rate", "level"} <= numeric_names(Shape)


def test_an_instant_is_shown_in_the_shops_zone() -> None:
    form = Form("t.a", "/", "en", "America/New_York", {"at": datetime(2026, 11, 30, 14, 0, tzinfo=UTC)})
    assert form.value("at") == "2026-11-30T09:00"


def test_a_refused_form_shows_what_was_typed() -> None:
    typed = MultiDict([("points", "twelve"), ("tags", "x"), ("tags", "y")])
    form = Form(
        "t.a", "/", initial={"points": 5, "notify": True}, typed=typed, errors={"": "All", "points": "Whole."}
    )
    assert (form.value("points"), form.values("tags"), form.checked("notify")) == (
        "twelve",
        ["x", "y"],
        False,
    )
    assert (form.error("points"), form.error("tags"), form.refused) == ("Whole.", "", True)


class Priced(BaseModel):
    """A form with something required, a list and a part."""

    price: int
    kind: Literal["a", "b"]
    country: Annotated[str, AfterValidator(str.upper)]
    tags: list[int] = []
    names: dict[str, str] = {}


@pytest.mark.parametrize(
    ("posted", "refused", "left"),
    [
        (
            {"price": "x", "kind": "a", "country": "fr"},
            ["price"],
            {"price": None, "kind": "a", "country": "FR"},
        ),
        ({"kind": "c", "tags": ["1", "x"]}, ["kind", "price", "tags.1"], {"kind": None, "tags": []}),
        ({"price": "3", "names.en": "x", "names.fr": "y"}, ["names.en"], {"price": 3, "names": {"fr": "y"}}),
        ({"price": "3"}, ["", "kind"], {"price": 3, "country": None}),
    ],
)
def test_what_can_be_read_of_a_refused_form_is_read(
    app_context: None, posted: dict[str, Any], refused: list[str], left: dict[str, Any]
) -> None:
    found = readable(MultiDict(posted), Priced, "en", "UTC", refused)
    assert found is not None and isinstance(found, Priced)
    assert {name: getattr(found, name) for name in left} == left


def test_nothing_is_made_of_a_form_whose_rest_cannot_be_read_either(app_context: None) -> None:
    assert readable(MultiDict({"price": "x", "kind": "c"}), Priced, "en", "UTC", ["price"]) is None
    assert readable(MultiDict({"surprise": "1"}), Priced, "en", "UTC", ["price"]) is None
