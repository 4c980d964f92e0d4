"""What strangers send as JSON: each kind of wrong has its status, and nothing of it is stored."""

import pytest

from tests.fixtures.web import Caller
from tests.web.sample import THINGS

JSON = {"Content-Type": "application/json"}


def send(key: Caller, body: bytes | str) -> tuple[int, dict[str, str]]:
    answer = key.post(THINGS, data=body, headers=JSON)
    assert answer.json["status"] == "error"
    assert key.get(THINGS + "/sum").json["total"] == 0, "something was stored"
    return answer.status_code, answer.json["error"]["fields"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name": "cup", "amount": 3,}',
        b'{"name": "cup", "name": "mug", "amount": 3}',
        b'{"name": "cup", "amount": 3, "size": {"width": 1, "width": 2}}',
        b'{"name": "cup", "amount": NaN}',
        b'{"name": "cup", "amount": Infinity}',
        b'{"name": "\xff", "amount": 3}',
        b'{"name": "a\nb", "amount": 3}',
        b'{"na\\u0000me": 1}',
        b'{"name": "cup", "amount": ' + b"9" * 5000 + b"}",
        b'{"x": ' * 40 + b"1" + b"}" * 40,
        b"[" * 100_000,
    ],
)
def test_what_is_not_one_json_document_is_400(key: Caller, body: bytes) -> None:
    assert send(key, body)[0] == 400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"amount": 3}', "name"),
        ('{"name": "cup", "amount": "3"}', "amount"),
        ('{"name": "cup", "amount": 3.0}', "amount"),
        ('{"name": "cup", "amount": true}', "amount"),
        ('{"name": "cup", "amount": 0}', "amount"),
        ('{"name": "cup", "amount": 10000000}', "amount"),
        ('{"name": "cup", "amount": 9223372036854775808}', "amount"),
        ('{"name": 5, "amount": 3}', "name"),
        ('{"name": null, "amount": 3}', "name"),
        ('{"name": "", "amount": 3}', "name"),
        ('{"name": "cup", "amount": 3, "surprise": 1}', "surprise"),
        ('{"name": "cup", "amount": 3, "size": {"width": 0}}', "size.width"),
        ('{"name": "cup", "amount": 3, "size": {"width": 1, "depth": 2}}', "size.depth"),
        ('{"name": "cup", "amount": 3, "tags": ["a", 5]}', "tags.1"),
        ('{"name": "cup", "amount": 3, "tags": "a"}', "tags"),
        ('{"name": "a\\u0000b", "amount": 3}', "name"),
        ('{"name": "a\\u001bb", "amount": 3}', "name"),
        ('{"name": "a\\ud800b", "amount": 3}', "name"),
        ('{"name": "cup", "amount": 3, "tags": ["\\u0007"]}', "tags.0"),
        ("[]", ""),
        ('"text"', ""),
        ("null", ""),
    ],
)
def test_a_malformed_payload_names_its_field(key: Caller, body: str, field: str) -> None:
    status, fields = send(key, body)
    assert status == 422
    assert list(fields) == [field]
    assert fields[field].endswith(".")


def test_every_refused_field_is_named_at_once(key: Caller) -> None:
    assert set(send(key, '{"amount": 0, "extra": 1}')[1]) == {"name", "amount", "extra"}


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_content_type_is_415(key: Caller, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    assert key.post(THINGS, data='{"name": "cup", "amount": 3}', headers=headers).status_code == 415


def test_a_body_beyond_the_limit_is_413_and_the_limit_is_accepted(key: Caller) -> None:
    answer = key.post(THINGS, data=b" " * 10_000_000, headers=JSON)
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    padded = b'{"name": "cup", "amount": 3}'.ljust(1024 * 1024)
    assert key.post(THINGS, data=padded, headers=JSON).status_code == 201


def test_line_breaks_and_tabs_are_text(key: Caller) -> None:
    answer = key.post(THINGS, json={"name": "a\tb\nc\r\nd", "amount": 1})
    assert answer.json["thing"]["name"] == "a\tb\nc\r\nd"


def test_a_write_without_a_body_takes_none(key: Caller) -> None:
    path = "/v1/api/things/overflow"
    assert key.post(path, json={}).status_code == 400
    assert key.post(path, json={"a": 1}).status_code == 422
    assert key.post(path, data=b"x").status_code == 415


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=2", "limit"),
        ("page=1", "page"),
        ("cursor=%00", "cursor"),
        ("%07=1", ""),
    ],
)
def test_a_wrong_query_names_its_parameter(key: Caller, query: str, field: str) -> None:
    answer = key.get(f"{THINGS}?{query}")
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, [field])


def test_an_endpoint_without_query_takes_none(key: Caller) -> None:
    assert key.get(THINGS + "/sum?x=1").status_code == 422


def test_lists_in_a_query_are_repeated_or_joined(key: Caller) -> None:
    assert key.get(f"{THINGS}?names=a,b&names=c&limit=5&cursor=").status_code == 200
