"""Days and zones that may be named."""

from datetime import date

import pytest
from pydantic import TypeAdapter, ValidationError

from app.core.calendar import Day, ZoneName

DAY, ZONE = TypeAdapter(Day), TypeAdapter(ZoneName)


@pytest.mark.parametrize("name", ["", "UTC", "America/New_York", "Asia/Riyadh"])
def test_a_zone_is_known_by_its_name(name: str) -> None:
    assert ZONE.validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["x", "../etc/passwd", "/etc/localtime", "America", "Europe/Atlantis", "a\x00b", "é"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        ZONE.validate_python(name)


def test_days_leave_room_for_arithmetic() -> None:
    assert DAY.validate_python("2999-12-31") == date(2999, 12, 31)
    for far in ("0001-01-01", "3000-01-01", "9999-12-31"):
        with pytest.raises(ValidationError):
            DAY.validate_python(far)
