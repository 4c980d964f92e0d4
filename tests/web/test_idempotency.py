"""Replayable writes: stored with their work, given again, never crossed."""

import contextlib
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask, Response

from app.core import db, ids
from app.web.idempotency import StillInProgress, once, purge
from tests.fixtures.web import Caller, Door, api_key, staff
from tests.web.sample import THINGS

THING = {"name": "cup", "amount": 3}


def total(caller: Caller) -> int:
    found: int = caller.get(THINGS + "/sum").json["total"]
    return found


def keyed(value: str) -> dict[str, str]:
    return {"Idempotency-Key": value}


def test_the_same_request_gets_the_first_answer(key: Caller) -> None:
    first = key.post(THINGS, json=THING, headers=keyed("a"))
    second = key.post(THINGS, json=THING, headers=keyed("a"))
    assert (second.status_code, second.data, second.content_type) == (201, first.data, first.content_type)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert total(key) == 1


def test_without_a_key_each_call_counts(key: Caller) -> None:
    key.post(THINGS, json=THING)
    key.post(THINGS, json=THING)
    assert total(key) == 2


@pytest.mark.parametrize(
    "again",
    [
        lambda key: key.post(THINGS, json={**THING, "amount": 4}, headers=keyed("a")),
        lambda key: key.open("DELETE", f"{THINGS}/{ids.new_id()}", headers=keyed("a")),
    ],
)
def test_another_request_under_the_key_is_refused(key: Caller, again: Callable[[Caller], Response]) -> None:
    key.post(THINGS, json=THING, headers=keyed("a"))
    answer = again(key)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "idempotency_mismatch")
    assert total(key) == 1


def test_keys_belong_to_their_caller(app: Flask, door: Door, key: Caller) -> None:
    shop = ids.new_id()
    one, other = (Caller(app, door.api_key(api_key(shop))) for _ in range(2))
    for caller in (one, other, key):
        assert caller.post(THINGS, json=THING, headers=keyed("a")).status_code == 201
    assert (total(one), total(key)) == (2, 1)


def test_a_refused_write_leaves_its_key_free(key: Caller) -> None:
    assert key.post(THINGS, json={**THING, "name": "taken"}, headers=keyed("a")).status_code == 409
    assert key.post(THINGS, json=THING, headers=keyed("a")).status_code == 201


@pytest.mark.parametrize("value", ["", "a" * 256, "a b", "caf\u00e9"])
def test_a_bad_key_is_refused(key: Caller, value: str) -> None:
    answer = key.post(THINGS, json=THING, headers=keyed(value))
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_idempotency_key")
    assert total(key) == 0


def test_two_at_once_do_the_work_once(key: Caller) -> None:
    answers: list[Response] = []
    start = threading.Barrier(4)

    def call() -> None:
        start.wait()
        answers.append(key.post(THINGS, json=THING, headers=keyed("race")))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert total(key) == 1


def test_a_second_request_does_not_wait_for_ever() -> None:
    principal = staff()
    assert principal.shop_id is not None
    request = once("slow", principal, b"body")
    assert request is not None
    with db.unit_of_work(principal.shop_id) as first:
        request.run(first, lambda: Response("first"))
        with contextlib.suppress(StillInProgress), db.unit_of_work(principal.shop_id) as second:
            second.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(StillInProgress):
                request.run(second, lambda: Response("second"))
            raise StillInProgress


def test_stored_answers_are_sealed(app: Flask, door: Door) -> None:
    principal = api_key()
    Caller(app, door.api_key(principal)).post(
        THINGS, json={**THING, "name": "ada@example.com"}, headers=keyed("a")
    )
    assert b"ada@" not in _stored(principal.shop_id)


def test_work_across_shops_is_replayed_too(app: Flask) -> None:
    principal = staff(shop_id=None)
    request = once(str(ids.new_id()), principal, b"body")
    assert request is not None
    with app.test_request_context():
        for _ in range(2):
            with db.cross_shop("test") as uow:
                answer = request.run(uow, lambda: Response("made", 201))
        assert (answer.get_data(), answer.headers["Idempotency-Replayed"]) == (b"made", "true")


def test_old_keys_are_forgotten() -> None:
    shop_id = ids.new_id()
    with db.unit_of_work(shop_id) as uow:
        uow.execute(
            "INSERT INTO idempotency_keys (shop_id, principal, key, request_hash, created_at) VALUES"
            " (%(shop)s, 'p', 'old', '', now() - interval '3 days'), (%(shop)s, 'p', 'new', '', now())",
            {"shop": shop_id},
        )
        assert purge(uow) == 1
        assert uow.scalar("SELECT key FROM idempotency_keys") == "new"


def _stored(shop_id: UUID | None) -> bytes:
    assert shop_id is not None
    with db.unit_of_work(shop_id) as uow:
        return bytes(uow.scalar("SELECT response FROM idempotency_keys"))
