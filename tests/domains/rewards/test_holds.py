"""Points held at a checkout: once captured, released or overdue, they are in exactly one place."""

from typing import Any
from uuid import UUID

import pytest

from app.core import ids
from app.domains.points.errors import InsufficientPoints
from app.domains.rewards import errors, jobs, service
from app.domains.rewards.schemas import CheckoutHold
from tests.domains.points.invariants import broken
from tests.domains.rewards.counter import Counter, enroll
from tests.fixtures.shop import make_shop
from tests.fixtures.web import Caller, Door, api_key

HOLDS = "/v1/api/points/holds"


def hold(counter: Counter, size: int = 300, key: str | None = None) -> CheckoutHold:
    """Hold and commit."""
    with counter.shop.work() as uow:
        return service.hold_points(uow, counter.member_id, size, key=key or str(ids.new_id()))


def now(counter: Counter, found: CheckoutHold) -> CheckoutHold:
    """The hold as it is stored now."""
    with counter.shop.work() as uow:
        return service.get_hold(uow, found.id)


def overdue(counter: Counter) -> None:
    """Every hold's time is over."""
    with counter.shop.work() as uow:
        uow.execute("UPDATE checkout_holds SET expires_at = now() - interval '1 s'")


def places(counter: Counter) -> tuple[int, int]:
    """Available and held points; the ledger's law holds."""
    with counter.shop.work() as uow:
        assert broken(uow) == {}
    balance = counter.balance()
    return balance.available, balance.held


def test_a_hold_is_captured_once(counter: Counter) -> None:
    found = hold(counter)
    assert places(counter) == (700, 300)
    for _ in range(2):
        with counter.shop.work() as uow:
            assert service.capture(uow, found.id, order_id=5).status == "captured"
    assert places(counter) == (700, 0)
    with counter.shop.work() as uow:
        with pytest.raises(errors.HoldEnded):
            service.release(uow, found.id)
        with pytest.raises(errors.HoldEnded):
            service.capture(uow, found.id, order_id=6)


def test_a_hold_is_released_once(counter: Counter) -> None:
    found = hold(counter)
    for _ in range(2):
        with counter.shop.work() as uow:
            assert service.release(uow, found.id).status == "released"
    assert places(counter) == (1000, 0)
    with counter.shop.work() as uow, pytest.raises(errors.HoldEnded):
        service.capture(uow, found.id)


def test_the_same_key_holds_once_and_points_are_not_held_twice(counter: Counter) -> None:
    assert hold(counter, key="k").id == hold(counter, key="k").id
    with pytest.raises(errors.RedemptionKeyReused):
        hold(counter, 400, key="k")
    with pytest.raises(InsufficientPoints):
        hold(counter, 701)


def test_overdue_holds_are_released_in_slices(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [hold(counter, 100) for _ in range(5)]
    fresh = None
    overdue(counter)
    fresh = hold(counter, 50)
    monkeypatch.setattr(jobs, "_SLICE", 2)
    with counter.shop.work() as uow, pytest.raises(errors.HoldEnded):
        service.capture(uow, found[0].id)
    jobs.release_holds()
    jobs.release_holds()
    assert {now(counter, one).status for one in found} == {"expired"}
    assert now(counter, fresh).status == "held"
    assert places(counter) == (950, 50)


def order(counter: Counter, found: CheckoutHold, member_id: UUID | None = None) -> None:
    """An order names the hold."""
    with counter.shop.work() as uow:
        service.orders_named_holds(uow, {found.id: (5, member_id or counter.member_id)})


def test_an_order_captures_and_its_cancellation_returns(counter: Counter) -> None:
    found = hold(counter)
    order(counter, found, enroll(counter.shop, 78))
    assert places(counter) == (700, 300)
    for _ in range(2):
        order(counter, found)
    assert places(counter) == (700, 0)
    for _ in range(2):
        with counter.shop.work() as uow:
            service.orders_lost_holds(uow, [5])
    assert now(counter, found).status == "returned"
    assert places(counter) == (1000, 0)
    order(counter, found)
    assert places(counter) == (1000, 0)


def test_an_order_that_comes_late_takes_the_points_once(counter: Counter) -> None:
    found = hold(counter)
    overdue(counter)
    jobs.release_holds()
    for _ in range(2):
        order(counter, found)
    assert places(counter) == (700, 0)


def test_what_an_order_took_late_returns_when_it_is_canceled(counter: Counter) -> None:
    found = hold(counter)
    with counter.shop.work() as uow:
        service.release(uow, found.id)
    order(counter, found)
    assert now(counter, found).status == "captured"
    assert places(counter) == (700, 0)
    for _ in range(2):
        with counter.shop.work() as uow:
            service.orders_lost_holds(uow, [5])
    assert now(counter, found).status == "returned"
    assert places(counter) == (1000, 0)


def test_points_that_are_gone_when_the_order_comes_late_are_not_owed(counter: Counter) -> None:
    found = hold(counter)
    with counter.shop.work() as uow:
        service.release(uow, found.id)
    other = hold(counter, 900)
    order(counter, found)
    assert now(counter, found).status == "released"
    assert places(counter) == (100, 900)
    with counter.shop.work() as uow:
        service.release(uow, other.id)
        service.orders_lost_holds(uow, [5])
    order(counter, found)
    assert places(counter) == (1000, 0)


def test_two_checkouts_that_name_one_hold_take_it_once(counter: Counter) -> None:
    found = hold(counter)
    order(counter, found)
    with counter.shop.work() as uow:
        service.orders_named_holds(uow, {found.id: (6, counter.member_id)})
    assert now(counter, found).order_id == 5
    with counter.shop.work() as uow:
        service.orders_lost_holds(uow, [6])
    assert places(counter) == (700, 0)


def test_holds_over_the_api(counter: Counter, key: Caller, app: Any, door: Door) -> None:
    body = {"customer_id": "77", "points": 300, "reference": "cart 1"}
    answer = key.post(HOLDS, json=body, headers={"Idempotency-Key": "checkout-1"})
    assert answer.status_code == 201, answer.text
    made = answer.json["hold"]
    again = key.post(HOLDS, json=body, headers={"Idempotency-Key": "checkout-1"})
    assert again.json["hold"]["hold_id"] == made["hold_id"]
    place = f"{HOLDS}/{made['hold_id']}"
    assert key.get(place).json["hold"]["state"] == "held"
    assert key.post(f"{place}/capture", json={"order_id": -1}).status_code == 422
    stranger = Caller(app, door.api_key(api_key(make_shop("other-holds.myshopify.com").id)))
    assert stranger.post(f"{place}/capture", json={}).status_code == 404
    assert key.post(f"{place}/capture", json={"order_id": 5}).json["hold"]["state"] == "captured"
    assert key.post(f"{place}/release", json={}).status_code == 409
    for wrong in ({"points": 0}, {"points": -5}, {"points": "x"}, {"minutes": 0}, {"customer_id": "nobody"}):
        assert key.post(HOLDS, json=body | wrong).status_code in (404, 422), wrong
    reader = Caller(app, door.api_key(api_key(counter.shop.id, frozenset())))
    assert reader.post(HOLDS, json=body).status_code == 403
