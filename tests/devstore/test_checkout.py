from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstore import times
from devstore.checkout import CartLine, Shopper, quote

NOW = times.now()


def discount(kind="basic", **changes):
    made = {
        "kind": kind,
        "class": {"basic": "order", "free_shipping": "shipping", "bxgy": "product"}[kind],
        "starts_at": times.stamp(NOW - timedelta(days=1)),
        "ends_at": None,
        "usage_limit": None,
        "once_per_customer": False,
        "context": {"all": True},
        "combines": {"order": False, "product": False, "shipping": False},
        "items": {"all": True},
        "minimum": None,
        "value": {"percentage": "0.1"},
        "used": 0,
        "users": [],
    }
    return {**made, **changes}


def only(*variants):
    return {"variants": list(variants), "products": [], "collections": []}


NOBODY = Shopper()
CART = [CartLine(9990, 1, variant_id=1, product_id=10, collections=(7,)), CartLine(3000, 2, variant_id=2)]
ALL = {"order": True, "product": True, "shipping": True}


def price(codes, cart=CART, shopper=NOBODY, shipping=0):
    return quote(cart, list(codes), codes, shopper, NOW, shipping)


def reasons(result):
    return {each.code: each.reason for each in result.refused}


def test_a_fixed_amount_is_spread_over_the_lines_to_the_cent():
    result = price({"FIVE": discount(value={"amount": 500, "each": False})})
    assert [each.per_line for each in result.applied] == [(312, 188)]
    assert result.total == 9990 + 6000 - 500


def test_a_fixed_amount_never_exceeds_the_cart():
    assert price({"BIG": discount(value={"amount": 99_999, "each": False})}).total == 0


def test_codes_are_found_in_any_letter_case_and_unknown_ones_are_refused():
    result = quote(CART, ["ten", "TEN", "nope"], {"TEN": discount()}, Shopper(), NOW)
    assert [each.amount for each in result.applied] == [1599]
    assert reasons(result) == {"NOPE": "not_found"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"starts_at": times.stamp(NOW + timedelta(hours=1))}, "not_started"),
        ({"ends_at": times.stamp(NOW - timedelta(hours=1))}, "expired"),
        ({"usage_limit": 1, "used": 1}, "used_up"),
        ({"context": {"customers": [5]}}, "wrong_customer"),
        ({"once_per_customer": True, "users": ["email:ann@example.com"]}, "used_by_customer"),
        ({"minimum": {"subtotal": 15_991}}, "minimum_subtotal"),
        ({"minimum": {"quantity": 4}}, "minimum_quantity"),
        ({"items": only(99), "class": "product"}, "no_items"),
    ],
)
def test_each_limit_refuses_with_its_reason(changes, reason):
    result = price({"CODE": discount(**changes)}, shopper=Shopper(4, "Ann@Example.com"))
    assert reasons(result) == {"CODE": reason}
    assert result.total == 15_990


def test_a_limit_that_is_just_met_does_not_refuse():
    changes = {"usage_limit": 2, "used": 1, "minimum": {"subtotal": 15_990}, "context": {"customers": [4]}}
    assert not price({"CODE": discount(**changes)}, shopper=Shopper(4)).refused


def test_a_personal_code_asks_an_unknown_shopper_to_sign_in():
    assert reasons(price({"MINE": discount(context={"customers": [4]})})) == {"MINE": "sign_in"}


def test_two_codes_combine_only_when_both_allow_it():
    willing, unwilling = discount(combines=ALL), discount()
    assert reasons(price({"A": willing, "B": unwilling})) == {"B": "not_combinable"}
    assert not price({"A": willing, "B": discount(combines=ALL)}).refused


def test_product_discounts_come_first_and_order_discounts_see_what_is_left():
    mug = discount(**{"class": "product"}, items=only(2), value={"percentage": "0.5"}, combines=ALL)
    result = price({"ORDER": discount(combines=ALL), "MUG": mug})
    assert {each.code: each.amount for each in result.applied} == {"MUG": 3000, "ORDER": 1299}


def test_a_line_takes_the_better_of_two_product_discounts():
    small = discount(**{"class": "product"}, items=only(2), value={"percentage": "0.1"}, combines=ALL)
    large = discount(
        **{"class": "product"}, items=only(2), value={"amount": 1000, "each": True}, combines=ALL
    )
    result = price({"SMALL": small, "LARGE": large})
    assert reasons(result) == {"SMALL": "no_effect"}
    assert result.total == 15_990 - 2000


def test_one_unit_of_a_product_is_free_with_a_fixed_amount_of_its_price():
    mug = discount(**{"class": "product"}, items=only(2), value={"amount": 3000, "each": False})
    assert price({"MUG": mug}).applied[0].per_line == (0, 3000)


def test_gift_cards_are_neither_discounted_nor_counted():
    cart = [CartLine(5000, 1, variant_id=3, gift_card=True), CartLine(2000, 1, variant_id=4)]
    assert price({"TEN": discount()}, cart).applied[0].per_line == (0, 200)
    assert reasons(price({"MIN": discount(minimum={"subtotal": 2001})}, cart)) == {"MIN": "minimum_subtotal"}


def test_free_shipping_covers_shipping_up_to_its_limit():
    free = discount("free_shipping", value={"percentage": "1"}, max_shipping=1500)
    assert price({"SHIP": free}, shipping=1500).total == 15_990
    assert reasons(price({"SHIP": free}, shipping=1501)) == {"SHIP": "shipping_too_dear"}


def gift(**changes):
    base = {
        "items": only(2),
        "value": {"percentage": "1.0"},
        "buys": {"items": {**only(), "collections": [7]}, "amount": 100},
        "gets_quantity": 1,
        "per_order_limit": 1,
    }
    return discount("bxgy", **{**base, **changes})


def test_buy_something_get_one_unit_free():
    assert price({"GIFT": gift()}).applied[0].per_line == (0, 3000)


def test_the_gift_needs_its_purchase_and_itself_in_the_cart():
    assert reasons(price({"GIFT": gift()}, CART[1:])) == {"GIFT": "no_items"}
    assert reasons(price({"GIFT": gift()}, CART[:1])) == {"GIFT": "no_items"}
    assert reasons(price({"GIFT": gift(buys={"items": only(1), "quantity": 2})})) == {"GIFT": "no_items"}


def test_a_unit_is_not_both_bought_and_given():
    own = gift(buys={"items": only(2), "quantity": 1}, per_order_limit=None)
    assert price({"GIFT": own}, [CartLine(3000, 3, variant_id=2)]).applied[0].per_line == (3000,)


lines = st.builds(
    CartLine,
    price=st.integers(0, 20_000),
    quantity=st.integers(1, 5),
    variant_id=st.integers(1, 4),
    gift_card=st.booleans(),
)
values = st.one_of(
    st.builds(lambda p: {"percentage": str(p / 100)}, st.integers(1, 100)),
    st.builds(lambda a, e: {"amount": a, "each": e}, st.integers(1, 40_000), st.booleans()),
)
offers = st.builds(
    lambda value, items, kind: discount(
        kind,
        value=value,
        items=items,
        combines=ALL,
        **({"class": "order" if items.get("all") else "product"}),
    ),
    values,
    st.one_of(st.just({"all": True}), st.builds(only, st.integers(1, 4))),
    st.just("basic"),
)


@given(st.lists(lines, min_size=1, max_size=6), st.lists(offers, max_size=4))
def test_no_line_ever_falls_below_zero(cart, chosen):
    result = price({f"C{number}": each for number, each in enumerate(chosen)}, cart)
    for index, line in enumerate(cart):
        off = sum(each.per_line[index] for each in result.applied)
        assert 0 <= off <= (0 if line.gift_card else line.gross)
