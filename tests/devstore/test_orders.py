import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devstore import customers, orders, totals
from devstore.errors import Refused
from devstore.settings import DEMO_SHOP as SHOP

THROW = {"sku": "THROW-1", "quantity": 1, "price": "99.90"}
MUGS = {"sku": "MUG-1", "quantity": 1, "price": "30.00"}


def topics(told):
    return [topic for topic, _ in told]


def last(told, topic):
    return [payload for each, payload in told if each == topic][-1]


@pytest.fixture
def ann(store, told):
    made = customers.add(store, SHOP, email="ann@example.com", first_name="Ann")
    told()
    return made


def test_a_paid_order_is_told_by_three_topics_with_one_event_id(store, ann, told):
    order = orders.place(store, SHOP, [THROW, MUGS], customer_id=ann["id"])
    seen = told()
    assert topics(seen) == ["orders/create", "orders/paid", "orders/updated"]
    events = store.state.run(
        "SELECT DISTINCT event_id FROM deliveries WHERE about = ?", (f"gid://shopify/Order/{order['id']}",)
    )
    hooks = store.state.run("SELECT DISTINCT webhook_id FROM deliveries WHERE topic LIKE 'orders/%'")
    assert len(events) == 1 and len(hooks) == 3
    paid = last(seen, "orders/paid")
    assert paid["subtotal_price"] == paid["current_subtotal_price"] == "129.90"
    assert paid["subtotal_price_set"]["shop_money"] == {"amount": "129.90", "currency_code": "USD"}
    assert paid["financial_status"] == "paid"
    assert paid["customer"]["email"] == "ann@example.com"
    assert paid["line_items"][0]["product_id"] and paid["line_items"][0]["price"] == "99.90"


def test_an_unpaid_order_is_paid_later_and_only_once(store, told):
    order = orders.place(store, SHOP, [MUGS], paid=False)
    assert topics(told()) == ["orders/create", "orders/updated"]
    orders.pay(store, SHOP, order["id"])
    assert topics(told()) == ["orders/paid", "orders/updated"]
    with pytest.raises(Refused) as error:
        orders.pay(store, SHOP, order["id"])
    assert error.value.status == 409 and told() == []


def test_what_an_edit_adds_is_outstanding_until_it_is_paid_in_parts(store, told):
    order = orders.place(store, SHOP, [MUGS])
    orders.edit(store, SHOP, order["id"], [{"sku": "B", "quantity": 1, "price": "50.00"}])
    owed = last(told(), "orders/updated")
    assert (owed["financial_status"], owed["total_outstanding"]) == ("partially_paid", "50.00")
    for wrong in ("0.00", "50.01", "-1.00"):
        with pytest.raises(Refused):
            orders.pay(store, SHOP, order["id"], wrong)
    orders.pay(store, SHOP, order["id"], "20.00")
    assert topics(told()) == ["orders/updated"]
    orders.pay(store, SHOP, order["id"])
    paid = last(told(), "orders/paid")
    assert (paid["financial_status"], paid["total_outstanding"]) == ("paid", "0.00")


def test_a_guest_has_no_customer_unless_checkout_makes_one(store, told):
    orders.place(store, SHOP, [MUGS], email="guest@example.com")
    seen = told()
    assert last(seen, "orders/create")["customer"] is None
    assert last(seen, "orders/create")["email"] == "guest@example.com"
    orders.place(store, SHOP, [MUGS], email="guest@example.com", create_customer=True)
    assert topics(told()) == ["customers/create", "orders/create", "orders/paid", "orders/updated"]


def test_refunding_lines_takes_their_share_of_discount_and_tax(store, told):
    line = {"sku": "X", "title": "X", "quantity": 3, "price": "10.00"}
    discount = {"code": "TEN", "amount": "10.00"}
    order = orders.place(store, SHOP, [line], codes=[discount], tax_rate="0.2")
    told()
    subtotals, taxes = [], []
    for _ in range(3):
        orders.refund(store, SHOP, order["id"], items=[{"index": 0, "quantity": 1}])
        seen = told()
        assert topics(seen) == ["refunds/create", "orders/updated"]
        given_back = last(seen, "refunds/create")["refund_line_items"][0]
        subtotals.append(given_back["subtotal"])
        taxes.append(given_back["total_tax"])
    assert subtotals == ["6.67", "6.67", "6.66"]
    assert sum(float(tax) for tax in taxes) == pytest.approx(4.00)
    updated = last(seen, "orders/updated")
    assert updated["current_subtotal_price"] == updated["current_total_price"] == "0.00"
    assert updated["subtotal_price"] == "20.00" and updated["financial_status"] == "refunded"
    assert updated["line_items"][0]["current_quantity"] == 0


def test_an_amount_without_lines_is_a_discrepancy_below_zero(store, told):
    order = orders.place(store, SHOP, [THROW, MUGS])
    told()
    orders.refund(store, SHOP, order["id"], amount="10.00")
    seen = told()
    refund = last(seen, "refunds/create")
    assert refund["refund_line_items"] == []
    (adjustment,) = refund["order_adjustments"]
    assert (adjustment["kind"], adjustment["amount"], adjustment["tax_amount"]) == (
        "refund_discrepancy",
        "-10.00",
        "0.00",
    )
    assert refund["transactions"][0]["amount"] == "10.00"
    assert last(seen, "orders/updated")["financial_status"] == "partially_refunded"
    assert last(seen, "orders/updated")["current_subtotal_price"] == "129.90"


def test_keeping_a_restocking_fee_is_a_discrepancy_above_zero(store, told):
    order = orders.place(store, SHOP, [MUGS])
    orders.refund(store, SHOP, order["id"], items=[{"index": 0, "quantity": 1}], amount="25")
    assert last(told(), "refunds/create")["order_adjustments"][0]["amount"] == "5.00"


def test_money_that_an_edit_made_due_is_given_back_without_a_discrepancy(store, told):
    order = orders.place(store, SHOP, [THROW, MUGS])
    orders.edit(store, SHOP, order["id"], [{"index": 1, "quantity": 0}])
    orders.refund(store, SHOP, order["id"], amount="35.00")
    refund = last(told(), "refunds/create")
    assert [each["amount"] for each in refund["order_adjustments"]] == ["-5.00"]


def test_shipping_is_refunded_apart(store, told):
    order = orders.place(store, SHOP, [MUGS], shipping="5.00")
    orders.refund(store, SHOP, order["id"], shipping="5.00")
    adjustment = last(told(), "refunds/create")["order_adjustments"][0]
    assert (adjustment["kind"], adjustment["amount"]) == ("shipping_refund", "-5.00")
    with pytest.raises(Refused):
        orders.refund(store, SHOP, order["id"], shipping="0.01")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"amount": "30.01"},
        {"amount": "0"},
        {"amount": "-1"},
        {"items": [{"index": 1, "quantity": 1}]},
        {"items": [{"index": 0, "quantity": 2}]},
        {"items": [{"index": 0, "quantity": 0}]},
        {"items": [{"quantity": 1}]},
    ],
)
def test_impossible_refunds_change_nothing(store, told, wrong):
    order = orders.place(store, SHOP, [MUGS])
    told()
    with pytest.raises(Refused):
        orders.refund(store, SHOP, order["id"], **wrong)
    assert told() == [] and orders.get(store, SHOP, order["id"]) == order


def test_an_edit_says_which_lines_gained_and_lost_units(store, told):
    order = orders.place(store, SHOP, [THROW, {**MUGS, "quantity": 3}])
    told()
    changed = orders.edit(
        store,
        SHOP,
        order["id"],
        [{"index": 1, "quantity": 1}, {"index": 0, "quantity": 2}, {"sku": "CANDLE-1", "quantity": 1}],
    )
    seen = told()
    assert topics(seen) == ["orders/edited", "orders/updated"]
    ids = [line["id"] for line in changed["lines"]]
    edit = last(seen, "orders/edited")["order_edit"]
    assert edit["order_id"] == order["id"]
    assert edit["line_items"]["removals"] == [{"id": ids[1], "delta": 2}]
    assert edit["line_items"]["additions"] == [{"id": ids[0], "delta": 1}, {"id": ids[2], "delta": 1}]
    assert last(seen, "orders/updated")["current_subtotal_price"] == "248.30"


def test_replacing_lines_drops_what_is_not_named(store):
    order = orders.place(store, SHOP, [THROW, MUGS])
    changed = orders.edit(
        store, SHOP, order["id"], [{"sku": "MUG-1", "quantity": 2, "price": "30.00"}], replace=True
    )
    assert [line["current_quantity"] for line in changed["lines"]] == [0, 2]


def test_cancelling_a_paid_order_gives_everything_back(store, told):
    order = orders.place(store, SHOP, [THROW, MUGS], shipping="5")
    orders.refund(store, SHOP, order["id"], amount="10.00")
    told()
    orders.cancel(store, SHOP, order["id"])
    seen = told()
    assert topics(seen) == ["refunds/create", "orders/cancelled", "orders/updated"]
    cancelled = last(seen, "orders/cancelled")
    assert cancelled["financial_status"] == "refunded" and cancelled["cancelled_at"]
    assert last(seen, "refunds/create")["transactions"][0]["amount"] == "124.90"
    with pytest.raises(Refused):
        orders.cancel(store, SHOP, order["id"])


def test_cancelling_an_unpaid_order_voids_it(store, told):
    order = orders.place(store, SHOP, [MUGS], paid=False)
    told()
    orders.cancel(store, SHOP, order["id"])
    seen = told()
    assert topics(seen) == ["orders/cancelled", "orders/updated"]
    assert last(seen, "orders/cancelled")["financial_status"] == "voided"


def test_a_deleted_order_is_told_by_its_id_only(store, told):
    order = orders.place(store, SHOP, [MUGS])
    told()
    orders.delete(store, SHOP, order["id"])
    assert told() == [("orders/delete", {"id": order["id"]})]


def test_taxes_inside_the_price_stay_in_the_subtotal(store, told):
    orders.place(
        store, SHOP, [{"sku": "A", "quantity": 1, "price": "120.00"}], taxes_included=True, tax_rate="0.2"
    )
    paid = last(told(), "orders/paid")
    assert (paid["subtotal_price"], paid["total_tax"], paid["total_price"]) == ("120.00", "20.00", "120.00")


def test_a_buyer_may_see_another_currency(store, told):
    orders.place(
        store, SHOP, [{"sku": "A", "quantity": 1, "price": "10.00"}], presentment_currency="JPY", rate="150.4"
    )
    paid = last(told(), "orders/paid")
    assert paid["presentment_currency"] == "JPY" and paid["currency"] == "USD"
    assert paid["total_price_set"]["presentment_money"] == {"amount": "1504", "currency_code": "JPY"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 99_999)), min_size=1, max_size=4),
    off=st.integers(0, 5000),
    included=st.booleans(),
    rate=st.sampled_from(["0", "0.2", "0.0725"]),
    data=st.data(),
)
def test_refunds_and_edits_in_any_order_end_at_zero(store, lines, off, included, rate, data):
    wanted = [
        {"sku": f"S{n}", "quantity": quantity, "price": f"{cents / 100:.2f}"}
        for n, (quantity, cents) in enumerate(lines)
    ]
    order = orders.place(
        store,
        SHOP,
        wanted,
        codes=[{"code": "OFF", "amount": f"{off / 100:.2f}"}],
        taxes_included=included,
        tax_rate=rate,
    )
    while any(line["current_quantity"] for line in order["lines"]):
        index = data.draw(
            st.sampled_from([n for n, line in enumerate(order["lines"]) if line["current_quantity"]])
        )
        units = data.draw(st.integers(1, order["lines"][index]["current_quantity"]))
        if data.draw(st.booleans()):
            order, _ = orders.refund(store, SHOP, order["id"], items=[{"index": index, "quantity": units}])
        else:
            left = order["lines"][index]["current_quantity"] - units
            order = orders.edit(store, SHOP, order["id"], [{"index": index, "quantity": left}])
        sums = totals.of(order)
        assert sums.current_subtotal >= 0 and sums.current_tax >= 0
    sums = totals.of(order)
    assert (sums.current_subtotal, sums.current_tax, sums.current_discounts, sums.current_total) == (
        0,
        0,
        0,
        0,
    )
    assert sums.outstanding <= 0
