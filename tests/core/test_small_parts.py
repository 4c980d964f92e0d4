"""The small parts of the kernel: clock, ids, errors, locales, permissions, settings, bells."""

import base64
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from app.core import bell, clock, i18n, ids
from app.core.errors import Conflict, Forbidden, Invalid, LimitReached, LoyalNestError, NotFound, Unavailable
from app.core.permissions import ALL, ROLES, Permission, parse_scopes
from app.core.settings import Settings, get_settings


def test_the_clock_is_aware_and_can_be_chosen() -> None:
    assert clock.now().tzinfo is UTC and abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    at = datetime(2026, 1, 1, tzinfo=UTC)

    def fail() -> None:
        with clock.use_clock(lambda: at):
            assert clock.now() == at
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert clock.now() != at


def test_ids_are_ordered_by_time() -> None:
    made = [ids.new_id() for _ in range(1000)]
    assert made == sorted(made) and len(set(made)) == 1000
    assert {one.version for one in made} == {7}


def test_an_error_fills_its_sentence_and_keeps_its_data() -> None:
    error = Forbidden(permission="points:adjust")
    assert str(error) == "You do not have the permission points:adjust."
    assert (error.code, error.status, error.retryable, error.data) == (
        "forbidden",
        403,
        False,
        {"permission": "points:adjust"},
    )
    assert str(Forbidden()) == "You do not have the permission {permission}."
    assert str(Invalid("No {x}", fields={"a": "b"}, x=1)) == "No 1"


@pytest.mark.parametrize(
    ("kind", "status", "retryable"),
    [
        (NotFound, 404, False),
        (Conflict, 409, False),
        (Invalid, 400, False),
        (LimitReached, 429, True),
        (Unavailable, 503, True),
    ],
)
def test_kinds_of_errors(kind: type[LoyalNestError], status: int, retryable: bool) -> None:
    assert (kind.status, kind.retryable) == (status, retryable)


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    kinds, waiting = [], [LoyalNestError]
    while waiting:
        kind = waiting.pop()
        kinds += [] if kind is LoyalNestError else [kind]
        waiting += kind.__subclasses__()
    own = [kind for kind in kinds if kind.__module__ == "app.core.errors"]
    assert len({kind.code for kind in own}) == len(own) >= 9


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("fr-CA", "fr"),
        ("he", "he"),
        ("iw", "he"),
        ("iw-IL", "he"),
        ("ar_EG", "ar"),
        ("EN", "en"),
        ("de", "en"),
        ("", "en"),
        (None, "en"),
        ("zz-\n", "en"),
    ],
)
def test_the_locale_that_serves_a_tag(tag: str | None, locale: str) -> None:
    assert i18n.supported(tag) == locale


def test_directions() -> None:
    assert {locale: i18n.direction(locale) for locale in (*i18n.LOCALES, "ar-EG", "he_IL")} == {
        "en": "ltr", "es": "ltr", "fr": "ltr", "ar": "rtl", "he": "rtl", "ar-EG": "rtl", "he_IL": "rtl",
    }  # fmt: skip


def test_scopes_are_all_or_named() -> None:
    assert parse_scopes("all") == ALL
    assert parse_scopes(" points:read, members:read ,") == {Permission.POINTS_READ, Permission.MEMBERS_READ}
    assert parse_scopes("") == frozenset()
    with pytest.raises(ValueError):
        parse_scopes("points:fly")


def test_roles_only_lose_rights_downward() -> None:
    assert ROLES["owner"] == ALL
    assert (
        ROLES["viewer"] < ROLES["support"] < ROLES["owner"]
        and ROLES["viewer"] < ROLES["manager"] < ROLES["owner"]
    )
    assert (
        Permission.MEMBERS_ERASE not in ROLES["manager"] and Permission.API_KEYS_WRITE not in ROLES["manager"]
    )


GOOD = {
    "app_url": "https://app.example/",
    "database_url": "postgresql://app@localhost/x",
    "database_owner_url": "",
    "redis_url": "redis://localhost",
    "master_key": base64.b64encode(b"m" * 32).decode(),
    "shopify_api_key": "key",
    "shopify_api_secret": "secret-secret-secret",
}


def test_settings_hide_secrets_and_tidy_addresses() -> None:
    settings = Settings(**GOOD)  # type: ignore[arg-type]
    assert settings.app_url == "https://app.example"
    assert "secret-secret" not in repr(settings) and GOOD["master_key"] not in repr(settings)
    assert settings.owner_url == settings.database_url
    assert settings.master_key_bytes == b"m" * 32


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("master_key", "short"),
        ("master_key", base64.b64encode(b"m" * 31).decode()),
        ("environment", "test"),
        ("database_pool_size", 0),
        ("log_level", "loud"),
    ],
)
def test_settings_fail_loudly_and_name_no_secret(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**GOOD, name: value})  # type: ignore[arg-type]
    assert name in str(refused.value) or name in str(refused.value).lower()


def test_a_bell_wakes_a_waiter_at_once(valkey: object) -> None:
    woken: list[float] = []

    def wait() -> None:
        start = time.monotonic()
        assert bell.wait("test", 5)
        woken.append(time.monotonic() - start)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    bell.ring("test")
    thread.join(6)
    assert woken and woken[0] < 2


def test_a_bell_rung_before_is_heard_and_many_become_few(valkey: object) -> None:
    for _ in range(100):
        bell.ring("test")
    heard = 0
    while bell.wait("test", 0.05):
        heard += 1
    assert 1 <= heard <= 4


def test_a_bell_rung_soon_is_rung(valkey: object) -> None:
    for _ in range(50):
        bell.ring_soon("soon")
    assert bell.wait("soon", 2)


def test_without_a_cache_bells_are_silent_and_waiting_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    get_settings.cache_clear()
    bell.client.cache_clear()
    waiting, bell._waiting = bell._waiting, threading.local()
    try:
        bell.ring("test")
        start = time.monotonic()
        assert not bell.wait("test", 0.2)
        assert time.monotonic() - start >= 0.19
    finally:
        bell.client.cache_clear()
        bell._waiting = waiting
        monkeypatch.undo()
        get_settings.cache_clear()


def test_values_are_isolated_only_where_they_could_turn_the_sentence_round() -> None:
    assert i18n.isolated("Gold", "en") == "Gold" and i18n.isolated("", "ar") == ""
    assert i18n.isolated("Gold", "ar") == "\u2068Gold\u2069"
    assert i18n.isolated("$5", "he", ltr=True) == "\u2066$5\u2069"
