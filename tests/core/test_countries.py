"""Countries as people write them."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.countries import Country

COUNTRY = TypeAdapter(Country)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("FR", "FR"),
        (" fr ", "FR"),
        ("France", "FR"),
        ("deutschland", None),
        ("Allemagne", "DE"),
        ("مصر", "EG"),
        ("ישראל", "IL"),
        ("España", "ES"),
        ("XK", "XK"),
        ("Nowhere", None),
        ("", None),
        (33, None),
    ],
)
def test_a_country_is_known_by_its_name_in_our_languages_or_its_letters(typed: Any, code: str | None) -> None:
    if code is not None:
        assert COUNTRY.validate_python(typed) == code
        return
    with pytest.raises(ValidationError):
        COUNTRY.validate_python(typed)


def test_documents_ask_for_the_letters() -> None:
    assert COUNTRY.json_schema()["pattern"] == "^[A-Z]{2}$"
