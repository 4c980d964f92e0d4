"""Segments in the admin: made from a template or conditions, changed by two people, filled by hand, deleted when unused."""

import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.programs import service as programs
from app.domains.segments import service
from app.domains.segments.rules import TEMPLATES
from app.domains.segments.schemas import SegmentIn
from tests.domains.segments.people import one, rules
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

CallAs = Callable[..., Caller]
HERE = "/app/members/segments"


@pytest.fixture
def merchant(shop: TestShop, call_as: CallAs) -> Caller:
    return call_as(staff(shop.id, ALL))


def join(shop: TestShop, customer: int, name: str = "Ana") -> UUID:
    with shop.work() as uow:
        person = Person(customer, f"{customer}@example.com", name, "Ruiz")
        return members.enroll(uow, [person])[customer].id


def make(shop: TestShop, name: str = "Spenders", kind: str = "rules") -> UUID:
    asked = rules(one("spent", "at_least", 12_345)) if kind == "rules" else rules()
    with shop.work() as uow:
        return service.create(uow, SegmentIn.model_validate({"name": name, "kind": kind, "rules": asked})).id


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Regulars",
        "description": "",
        "version": "0",
        "match": "all",
        "conditions.0.fact": "orders",
        "conditions.0.op": "at_least",
        "conditions.0.number": "3",
        **changes,
    }


def segment(shop: TestShop, name: str) -> Any:
    with shop.work() as uow:
        found = next((one_ for one_ in service.options(uow) if one_.name == name), None)
        return service.get(uow, found.id) if found else None


def test_the_list_is_empty_at_first_and_offers_templates(merchant: Caller, shop: TestShop) -> None:
    page = merchant.fragment(HERE)
    assert page.status_code == 200 and "No segments yet" in page.text
    assert all(f"?template={one_.key}" in page.text for one_ in TEMPLATES)
    make(shop)
    page = merchant.fragment(HERE).text
    assert "Spenders" in page and "No segments yet" not in page
    assert "Spenders" not in merchant.fragment(f"{HERE}?search=zzz").text


def test_somebody_who_only_reads_changes_nothing(shop: TestShop, call_as: CallAs) -> None:
    reader = call_as(staff(shop.id, frozenset({Permission.MEMBERS_READ})))
    found = make(shop)
    assert "New segment" not in reader.fragment(HERE).text
    assert reader.fragment(f"{HERE}/{found}").status_code == 200
    assert reader.fragment(f"{HERE}/new").status_code == 403
    assert reader.submit(f"{HERE}/create", fields()).status_code == 403
    assert reader.submit(f"{HERE}/{found}/delete", {}).status_code == 403


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.key)
def test_every_template_opens_filled(merchant: Caller, template: Any) -> None:
    page = merchant.fragment(f"{HERE}/new?template={template.key}")
    assert page.status_code == 200
    assert f'value="{template.name}"' in page.text
    assert page.text.count('.fact"') >= len(template.rules.conditions)


def test_a_segment_is_made_and_shown_in_words(merchant: Caller, shop: TestShop) -> None:
    done = merchant.submit(
        f"{HERE}/create", fields(**{"conditions.1.fact": "spent", "conditions.1.amount": "1,250.5"})
    )
    assert done.status_code == 200
    made = segment(shop, "Regulars")
    assert made.rules == rules(one("orders", "at_least", 3), one("spent", "at_least", 125_050))
    page = merchant.fragment(f"{HERE}/{made.id}").text
    assert "Number of orders" in page and "at least 3" in page and "$1,250.50" in page
    with shop.work() as uow:
        audit = uow.one("SELECT action FROM audit_entries WHERE subject_kind = 'segment'")
    assert audit == {"action": "segment.created"}


def test_arabic_digits_are_numbers(merchant: Caller, shop: TestShop) -> None:
    assert merchant.submit(f"{HERE}/create", fields(**{"conditions.0.number": "٣"})).status_code == 200
    assert segment(shop, "Regulars").rules == rules(one("orders", "at_least", 3))


def test_groups_hold_one_level(merchant: Caller, shop: TestShop) -> None:
    typed = fields(
        **{
            "groups.0.match": "any",
            "groups.0.conditions.0.fact": "status",
            "groups.0.conditions.0.op": "is_not",
            "groups.0.conditions.0.values": ["blocked", "guest"],
            "groups.0.conditions.1.fact": "last_order",
            "groups.0.conditions.1.op": "never",
        }
    )
    assert merchant.submit(f"{HERE}/create", typed).status_code == 200
    group = segment(shop, "Regulars").rules.groups[0]
    assert group.match == "any"
    assert group.conditions == (
        one("status", "is_not", None, "blocked", "guest"),
        one("last_order", "never"),
    )


@pytest.mark.parametrize(
    ("changes", "sentence", "place"),
    [
        ({"conditions.0.number": ""}, "Enter a number.", "conditions-0-number"),
        ({"conditions.0.number": "many"}, "Enter a whole number.", "conditions-0-number"),
        ({"conditions.0.number": "-1"}, "", "conditions-0-number"),
        (
            {"conditions.0.fact": "spent", "conditions.0.amount": "1.234"},
            "Amounts in USD have at most 2 decimals.",
            "conditions-0-amount",
        ),
        (
            {"conditions.0.fact": "status", "conditions.0.op": "is"},
            "Choose at least one.",
            "conditions-0-values",
        ),
        (
            {"conditions.0.fact": "last_order", "conditions.0.op": "within", "conditions.0.number": "99999"},
            "Enter at most 36,500 days.",
            "conditions-0-number",
        ),
        ({"name": ""}, "", "name"),
    ],
)
def test_bad_input_comes_back_at_its_field(
    merchant: Caller, shop: TestShop, changes: dict[str, str], sentence: str, place: str
) -> None:
    refused = merchant.submit(f"{HERE}/create", fields(**changes))
    assert refused.status_code in (400, 422)
    assert f'id="members-create-segment-{place}-error"' in refused.text
    assert sentence in refused.text
    assert 'value="Regulars"' in refused.text or "name" in changes
    assert segment(shop, "Regulars") is None


def test_a_name_is_taken_once(merchant: Caller, shop: TestShop) -> None:
    make(shop, "regulars")
    refused = merchant.submit(f"{HERE}/create", fields())
    assert refused.status_code == 409 and "called Regulars already" in refused.text


def test_the_form_changes_its_shape_and_keeps_what_was_typed(merchant: Caller) -> None:
    grown = merchant.submit(f"{HERE}/shape", fields(then="add", **{"conditions.0.number": "not yet"}))
    assert grown.status_code == 200 and "segment:changed" in grown.headers["HX-Trigger"]
    assert 'name="conditions.1.fact"' in grown.text and 'value="not yet"' in grown.text
    grouped = merchant.submit(f"{HERE}/shape", fields(then="group"))
    assert 'name="groups.0.conditions.0.fact"' in grouped.text
    typed = fields(**{"groups.0.conditions.0.fact": "orders", "groups.0.match": "any"})
    fuller = merchant.submit(f"{HERE}/shape", typed | {"then": "add:0"})
    assert 'name="groups.0.conditions.1.fact"' in fuller.text
    gone = merchant.submit(f"{HERE}/shape", typed | {"then": "drop:0:0"})
    assert "groups.0" not in gone.text
    emptied = merchant.submit(f"{HERE}/shape", fields(then="drop:0"))
    assert "conditions.0" not in emptied.text
    beyond = merchant.submit(f"{HERE}/shape", fields(then="add:4"))
    assert beyond.status_code == 200


def test_never_needs_no_number(merchant: Caller) -> None:
    typed = fields(then="", **{"conditions.0.fact": "last_order", "conditions.0.op": "never"})
    shown = merchant.submit(f"{HERE}/shape", typed).text
    assert 'name="conditions.0.number"' not in shown


def test_the_preview_counts_and_names_some(merchant: Caller, shop: TestShop) -> None:
    join(shop, 1, "Ana")
    with shop.work() as uow:
        blocked = members.enroll(uow, [Person(2, "2@example.com", "Ben", "Roth")])[2].id
        members.set_status(uow, blocked, "blocked")
    typed = {"conditions.0.fact": "status", "conditions.0.op": "is", "conditions.0.values": "active"}
    shown = merchant.submit(f"{HERE}/preview", {"match": "all", "name": "", **typed})
    assert shown.status_code == 200
    assert "1 member" in shown.text and "of 2 members" in shown.text and "Ana Ruiz" in shown.text
    assert "Ben" not in shown.text
    half = merchant.submit(f"{HERE}/preview", {"match": "all", "conditions.0.fact": "orders"})
    assert half.status_code == 200 and "Complete the conditions" in half.text


def test_the_second_saver_sees_what_the_first_did(merchant: Caller, shop: TestShop) -> None:
    found = make(shop)
    path = f"{HERE}/{found}/edit/save"
    page = merchant.fragment(f"{HERE}/{found}/edit").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None and "123.45" in page
    assert merchant.submit(path, fields(version=version[1], name="Big spenders")).status_code == 200
    late = merchant.submit(path, fields(version=version[1], name="Spenders!"))
    assert late.status_code == 409
    assert "Big spenders" in late.text and "Their conditions" in late.text and "at least 3" in late.text
    newer = re.search(r'name="version" value="(\d+)"', late.text)
    assert newer is not None and newer[1] != version[1]
    assert merchant.submit(path, fields(version=newer[1], name="Spenders!")).status_code == 200
    assert segment(shop, "Spenders!").rules == rules(one("orders", "at_least", 3))


def test_a_segment_in_use_says_where_and_stays(merchant: Caller, shop: TestShop) -> None:
    found = make(shop)
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        uow.execute(
            "UPDATE programs SET rules = %(rules)s::jsonb",
            {"rules": f'[{{"id": "x", "kind": "review", "conditions": {{"segments": ["{found}"]}}}}]'},
        )
    refused = merchant.submit(f"{HERE}/{found}/delete", {})
    assert refused.status_code == 409 and program.name in refused.headers["HX-Trigger"] + refused.text
    assert program.name in merchant.fragment(f"{HERE}/{found}").text
    with shop.work() as uow:
        uow.execute("UPDATE programs SET rules = '[]'")
    assert merchant.submit(f"{HERE}/{found}/delete", {}).status_code == 200
    assert segment(shop, "Spenders") is None


def test_duplicates_start_from_the_conditions(merchant: Caller, shop: TestShop) -> None:
    found = make(shop)
    page = merchant.fragment(f"{HERE}/new?copy_of={found}").text
    assert "123.45" in page and 'value="Spenders"' not in page


def test_a_list_is_filled_by_hand(merchant: Caller, shop: TestShop) -> None:
    member = join(shop, 1)
    assert merchant.submit(f"{HERE}/create-list", {"name": "Friends", "description": ""}).status_code == 200
    found = segment(shop, "Friends")
    path = f"{HERE}/{found.id}"
    found_page = f"{path}/add?search=1@example.com"
    assert "Ana Ruiz" in merchant.fragment(found_page).text
    for _ in ("once", "once more does no harm"):
        assert merchant.submit(f"{path}/add/add-person", {"member": str(member)}).status_code == 200
    assert "In it" in merchant.fragment(found_page).text and "Ana Ruiz" in merchant.fragment(path).text
    assert segment(shop, "Friends").size == 1
    assert "Friends" in merchant.fragment(f"/app/members/{member}").text
    copied = merchant.submit(f"{HERE}/create-list", {"name": "Copy", "copy_of": str(found.id)})
    assert copied.status_code == 200 and segment(shop, "Copy").size == 1
    assert merchant.submit(f"{path}/remove", {"member": str(member)}).status_code == 200
    assert segment(shop, "Friends").size == 0
    assert (
        merchant.submit(f"/app/members/{member}/join-segment", {"segment": str(found.id)}).status_code == 200
    )
    assert (
        merchant.submit(f"/app/members/{member}/leave-segment", {"segment": str(found.id)}).status_code == 200
    )


def test_conditions_are_not_filled_by_hand(merchant: Caller, shop: TestShop) -> None:
    member, found = join(shop, 1), make(shop)
    assert merchant.submit(f"{HERE}/{found}/add/add-person", {"member": str(member)}).status_code == 409
    assert merchant.fragment(f"{HERE}/{found}/add").status_code == 409


def upload(merchant: Caller, path: str, content: bytes) -> Any:
    return merchant.submit(path, {"file": (io.BytesIO(content), "list.csv")})


@pytest.mark.parametrize(
    "content",
    [
        b"email\n1@example.com\n2@example.com\nnobody@example.com\n",
        '﻿Name;E-Mail\nAna;1@EXAMPLE.com\n"Ben; B.";2@example.com\n;nobody@example.com'.encode(),
        "1@example.com\t2@example.com\tnobody@example.com".encode("utf-16"),
    ],
)
def test_a_file_of_addresses_fills_a_list(merchant: Caller, shop: TestShop, content: bytes) -> None:
    join(shop, 1), join(shop, 2, "Ben")
    found = make(shop, "Friends", "manual")
    done = upload(merchant, f"{HERE}/{found}/emails", content)
    assert done.status_code == 200
    assert "nobody@example.com" in done.text and "Ana Ruiz" in done.text
    assert segment(shop, "Friends").size == 2
    again = upload(
        merchant, f"{HERE}/{found}/emails", content + (b"\n" if content[:2] != b"\xff\xfe" else b"")
    )
    assert again.status_code == 200 and segment(shop, "Friends").size == 2


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00", b"only names\nAna\n", b""])
def test_a_file_without_addresses_is_refused(merchant: Caller, shop: TestShop, content: bytes) -> None:
    found = make(shop, "Friends", "manual")
    refused = upload(merchant, f"{HERE}/{found}/emails", content)
    assert refused.status_code in (400, 422) and "members-import-emails-file-error" in refused.text


def test_another_shop_reaches_nothing(shop: TestShop, other_shop: TestShop, call_as: CallAs) -> None:
    found = make(shop, "Friends", "manual")
    stranger = call_as(staff(other_shop.id, ALL))
    for path in (
        f"{HERE}/{found}",
        f"{HERE}/{found}/edit",
        f"{HERE}/{found}/add",
        f"{HERE}/new?copy_of={found}",
    ):
        assert stranger.fragment(path).status_code == 404
    for path in (f"{HERE}/{found}/delete", f"{HERE}/{found}/remove", f"{HERE}/{found}/add/add-person"):
        assert stranger.submit(path, {"member": str(found)}).status_code == 404


def test_a_large_shop_is_counted_by_a_job(
    merchant: Caller, shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.domains.segments import jobs
    from app.domains.segments.service import following

    monkeypatch.setattr(following, "_AT_ONCE", 1)
    for number in (1, 2, 3):
        join(shop, number)
    assert merchant.submit(f"{HERE}/create", fields(**{"conditions.0.op": "at_most"})).status_code == 200
    assert "Members are being counted" in merchant.fragment(HERE).text
    jobs.count(str(shop.id), str(segment(shop, "Regulars").id))
    assert segment(shop, "Regulars").size == 3
    assert "Members are being counted" not in merchant.fragment(HERE).text


def test_countries_are_chosen_by_name_and_kept_by_letters(merchant: Caller, shop: TestShop) -> None:
    typed = fields(
        **{
            "conditions.0.fact": "country",
            "conditions.0.op": "is",
            "conditions.0.values": ["FR", "Jordan", "us"],
        }
    )
    refused = merchant.submit(f"{HERE}/create", typed | {"conditions.0.values": ["FR", "Atlantis"]})
    assert refused.status_code in (400, 422) and "conditions-0-values-error" in refused.text
    assert "<bdi>France</bdi>" in refused.text and "<bdi>Atlantis</bdi>" in refused.text
    assert merchant.submit(f"{HERE}/create", typed).status_code == 200
    made = segment(shop, "Regulars")
    assert made.rules == rules(one("country", "is", None, "FR", "JO", "US"))
    assert "France, Jordan, or United States" in merchant.fragment(f"{HERE}/{made.id}").text
    page = merchant.fragment(f"{HERE}/{made.id}/edit").text
    assert '<bdi>Jordan</bdi><input type="hidden" name="conditions.0.values" value="JO">' in page
    assert "of=countries" in page and "data-closed" in page


def test_a_missing_name_and_a_wrong_condition_are_said_at_once(merchant: Caller, shop: TestShop) -> None:
    half = {
        "name": "",
        "conditions.1.fact": "country",
        "conditions.1.op": "is",
        "conditions.1.values": "Atlantis",
        "conditions.2.fact": "spent",
        "conditions.2.op": "at_least",
        "conditions.2.amount": "much",
    }
    for place in (f"{HERE}/create", f"{HERE}/{make(shop)}/edit/save"):
        refused = merchant.submit(place, fields(**half))
        assert refused.status_code == 422
        wrong = set(re.findall(r'id="members-\w+-segment-([\w-]+)-error"', refused.text))
        assert wrong == {"name", "conditions-1-values", "conditions-2-amount"}
