"""Saved views, chosen columns and selections: for whom they are, what they keep, and what is refused."""

import csv
import io
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.permissions import ALL, Permission
from app.domains.compliance import service as compliance
from app.domains.lists import service
from app.domains.lists.errors import NothingChosen, SelectionNotFound, TooManyChosen
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.web.lists import declared
from tests.fixtures.shop import TestShop, make_shop
from tests.fixtures.web import Caller, api_key, staff

LIST = "/app/members"
VIEWS = "/app/home/lists"
CSV = "/v1/api/members.csv"
CallAs = Callable[[Any], Caller]


@pytest.fixture
def people(shop: TestShop) -> list[UUID]:
    """Three members, the second blocked, with 0, 100 and 200 points."""
    with shop.work() as uow:
        found = members.enroll(
            uow,
            [Person(n, f"m{n}@example.com", f"=Name{n}", "Ruiz") for n in (1, 2, 3)],
        )
        ids = [found[n].id for n in (1, 2, 3)]
        members.set_status(uow, ids[1], "blocked")
        points.credit(uow, [Credit(ids[2], 200, "b", "purchase")])
    return ids


def audit(shop: TestShop, action: str) -> list[Any]:
    with shop.work() as uow:
        return [one for one in compliance.list_entries(uow).items if one.action == action]


def save(caller: Caller, shown: str, **fields: Any) -> Any:
    return caller.submit(f"{VIEWS}/members/save", {"at": shown, "name": "Blocked ones", **fields})


def test_a_view_keeps_filters_order_and_columns_but_no_search(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    caller = call_as(staff(shop.id))
    caller.submit(f"{VIEWS}/members/columns/choose", {"at": LIST, "columns": ["debt", "nonsense"]})
    answer = save(caller, f"{LIST}?status=blocked&sort=available&search=ana%40example.com")
    assert answer.status_code == 200
    location = answer.headers["HX-Location"]
    assert "status=blocked" in location and "sort=available" in location and "search" not in location
    with shop.work() as uow:
        row = uow.one("SELECT name, query, columns, staff_id FROM list_views")
    assert row is not None and row["query"] == {"status": "blocked", "sort": "available"}
    assert row["columns"] == ["name", "debt", "actions"] and row["staff_id"] is not None
    page = caller.get(f"{LIST}?status=blocked&sort=available&view={_only_view(shop)}").text
    assert "Blocked ones" in page and "Debt" in page and 'role="columnheader" class="cell-date' not in page
    assert not audit(shop, "list_view.shared")


def _only_view(shop: TestShop) -> UUID:
    with shop.work() as uow:
        found: UUID = uow.scalar("SELECT id FROM list_views")
    return found


def test_own_views_are_nobody_elses_and_shared_ones_are_the_teams(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    maya, owen = call_as(staff(shop.id)), call_as(staff(shop.id))
    save(maya, f"{LIST}?status=blocked")
    own = _only_view(shop)
    assert "Blocked ones" in maya.get(LIST).text and "Blocked ones" not in owen.get(LIST).text
    assert owen.get(f"{VIEWS}/views/{own}").status_code == 404
    assert owen.submit(f"{VIEWS}/views/{own}/delete", {"at": LIST}).status_code == 404
    changed = {"at": LIST, "name": "Ours", "shared": "true", "version": "1"}
    assert maya.submit(f"{VIEWS}/views/{own}/edit", changed).status_code == 200
    assert "Ours" in owen.get(LIST).text
    assert [one.after["name"] for one in audit(shop, "list_view.shared")] == ["Ours"]
    elsewhere = call_as(staff(make_shop("other-views.myshopify.com").id))
    assert elsewhere.get(f"{VIEWS}/views/{own}").status_code == 404
    assert owen.submit(f"{VIEWS}/views/{own}/delete", {"at": LIST}).status_code == 200
    assert [one.before["name"] for one in audit(shop, "list_view.deleted")] == ["Ours"]


def test_sharing_needs_the_settings_permission(shop: TestShop, call_as: CallAs, people: list[UUID]) -> None:
    helper = call_as(staff(shop.id, ALL - {Permission.SETTINGS_WRITE}))
    assert save(helper, LIST, shared="true").status_code == 403
    save(call_as(staff(shop.id)), LIST, shared="true")
    shared = _only_view(shop)
    renamed = {"at": LIST, "name": "Mine now", "shared": "true", "version": "1"}
    assert helper.submit(f"{VIEWS}/views/{shared}/edit", renamed).status_code == 403
    assert helper.submit(f"{VIEWS}/views/{shared}/delete", {"at": LIST}).status_code == 403
    first = {"at": LIST, "name": "Blocked ones", "shared": "true", "first": "true", "version": "1"}
    assert helper.submit(f"{VIEWS}/views/{shared}/edit", first).status_code == 200


def test_lists_that_somebody_may_not_see_stay_closed(shop: TestShop, call_as: CallAs) -> None:
    helper = call_as(staff(shop.id, ALL - {Permission.MEMBERS_READ}))
    for path in ("save", "columns"):
        assert helper.get(f"{VIEWS}/members/{path}").status_code == 403
    assert save(helper, LIST).status_code == 403
    assert helper.submit(f"{VIEWS}/members/columns/choose", {"at": LIST}).status_code == 403
    assert helper.submit(f"{VIEWS}/members/select", {"at": LIST, "then": "bulk"}).status_code == 403
    assert call_as(staff(shop.id)).get(f"{VIEWS}/nothing/columns").status_code == 404


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 61}, {"at": "https://evil.example/app"}, {"at": "//evil.example"}]
)
def test_bad_input_is_named_and_saves_nothing(
    shop: TestShop, call_as: CallAs, fields: dict[str, str]
) -> None:
    answer = save(call_as(staff(shop.id)), LIST, **fields)
    assert answer.status_code == 422
    with shop.work() as uow:
        assert uow.scalar("SELECT count(*) FROM list_views") == 0


def test_names_are_taken_once_whatever_their_capitals(shop: TestShop, call_as: CallAs) -> None:
    caller = call_as(staff(shop.id))
    save(caller, LIST)
    answer = save(caller, LIST, name="BLOCKED ONES")
    assert answer.status_code == 422 and "has this name already" in answer.text
    assert save(caller, LIST, shared="true").status_code == 200


def test_the_same_form_twice_saves_once(shop: TestShop, call_as: CallAs) -> None:
    caller = call_as(staff(shop.id))
    assert [save(caller, LIST, idempotency_key="k" * 32).status_code for _ in range(2)] == [200, 200]
    assert _only_view(shop)


def test_the_second_saver_is_told_and_sees_the_difference(shop: TestShop, call_as: CallAs) -> None:
    caller = call_as(staff(shop.id))
    save(caller, LIST, shared="true")
    view = _only_view(shop)
    form = {"at": LIST, "shared": "true", "version": "1", "_as_read": '{"name":"Blocked ones"}'}
    assert caller.submit(f"{VIEWS}/views/{view}/edit", form | {"name": "Theirs"}).status_code == 200
    late = caller.submit(f"{VIEWS}/views/{view}/edit", form | {"name": "Yours"})
    assert late.status_code == 409
    assert all(word in late.text for word in ("Blocked ones", "Theirs", "Yours"))


def test_the_list_opens_with_the_view_that_somebody_chose(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    caller = call_as(staff(shop.id))
    save(caller, f"{LIST}?status=blocked", first="true")
    assert "=Name2" in caller.get(LIST).text and "=Name1" not in caller.get(LIST).text
    assert "=Name1" in caller.get(f"{LIST}?view=all").text
    assert "=Name1" in call_as(staff(shop.id)).get(LIST).text
    view = _only_view(shop)
    assert caller.submit(f"{VIEWS}/views/{view}/delete", {"at": LIST}).status_code == 200
    assert "=Name1" in caller.get(LIST).text


def test_columns_are_chosen_per_person_and_given_back(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    maya, owen = call_as(staff(shop.id)), call_as(staff(shop.id))
    path = f"{VIEWS}/members/columns/choose"
    assert maya.submit(path, {"at": f"{LIST}?status=active", "columns": ["pending"]}).status_code == 200
    assert "Pending" in maya.get(LIST).text and "For tiers" not in maya.get(LIST).text
    assert "For tiers" in owen.get(LIST).text
    dialog = maya.get(f"{VIEWS}/members/columns?at={LIST}").text
    assert 'value="pending" checked' in dialog and 'value="qualifying" checked' not in dialog
    maya.submit(path, {"at": LIST, "columns": ["pending"], "usual": "true"})
    assert "For tiers" in maya.get(LIST).text


def test_a_selection_is_ids_or_the_filter_never_both(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        chosen = service.selection(uow, service.select(uow, "members", [people[0], people[0], people[2]]))
        whole = service.selection(uow, service.select(uow, "members", query={"status": "active"}))
        everything = service.selection(uow, service.select(uow, "members", query={}))
    assert (chosen.ids, chosen.query) == ((people[0], people[2]), None)
    assert (whole.ids, whole.query) == ((), {"status": "active"})
    assert (everything.ids, everything.query) == ((), {})


def test_a_selection_is_bounded_and_kept_for_a_week(shop: TestShop, people: list[UUID]) -> None:
    with shop.work() as uow:
        with pytest.raises(NothingChosen):
            service.select(uow, "members")
        with pytest.raises(TooManyChosen):
            service.select(uow, "members", [uuid4() for _ in range(501)])
        kept = service.select(uow, "members", people)
        uow.execute("UPDATE list_selections SET created_at = now() - interval '8 days'")
        with pytest.raises(SelectionNotFound):
            service.selection(uow, kept)
    with make_shop("other-selection.myshopify.com").work() as uow, pytest.raises(SelectionNotFound):
        service.selection(uow, kept)


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_file_follows_filters_order_columns_and_language(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    caller = call_as(staff(shop.id))
    answer = caller.get(f"{CSV}?status=active&sort=available&columns=name,available,status")
    assert answer.headers["Content-Disposition"] == "attachment; filename=members.csv"
    assert cells(answer.text) == [
        ["Member", "Status", "Available"],
        ["'=Name3 Ruiz", "Active", "200"],
        ["'=Name1 Ruiz", "Active", "0"],
    ]
    french = call_as(staff(shop.id, locale="fr")).get(f"{CSV}?status=blocked&columns=name,status").text
    assert cells(french) == [["Membre", "Statut"], ["'=Name2 Ruiz", "Bloqué"]]
    noted = audit(shop, "list.exported")[-1].after
    assert noted == {
        "filters": {"status": "active", "sort": "available"},
        "columns": ["name", "status", "available"],
    }


def test_the_file_is_for_those_who_may_see_the_list(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    assert call_as(api_key(shop.id)).get(CSV).status_code == 200
    assert call_as(api_key(shop.id, ALL - {Permission.MEMBERS_READ})).get(CSV).status_code == 403
    assert call_as(None).get(CSV).status_code == 401
    other = make_shop("other-file.myshopify.com")
    assert len(cells(call_as(api_key(other.id)).get(CSV).text)) == 1
    assert call_as(api_key(shop.id)).get(f"{CSV}?nonsense=1").status_code == 422


def test_a_key_gets_names_and_codes_in_every_language(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    for language in ("en", "ar"):
        answer = call_as(api_key(shop.id)).get(
            f"{CSV}?status=blocked&columns=name,status,enrolled_at", headers={"Accept-Language": language}
        )
        head, row = cells(answer.text)
        assert head == ["name", "status", "enrolled_at"]
        assert row[:2] == ["'=Name2 Ruiz", "blocked"]


def test_numbers_are_read_in_any_digits_and_what_cannot_be_read_is_said(
    shop: TestShop, call_as: CallAs, people: list[UUID]
) -> None:
    caller = call_as(staff(shop.id, locale="ar"))
    page = caller.get(f"{LIST}?points_from=%D9%A1%D9%A5%D9%A0").text
    assert "=Name3" in page and "=Name1" not in page
    refused = call_as(staff(shop.id)).get(f"{LIST}?points_from=lots").text
    assert "A number could not be read" in refused and 'value="lots"' in refused and "=Name1" in refused


@pytest.mark.parametrize("key", sorted(declared()) or ["members"])
def test_every_list_is_sound(key: str) -> None:
    spec = declared()[key]
    assert len({one.key for one in spec.columns}) == len(spec.columns)
    assert spec.usual() and spec.columns[0].shown
    assert all(spec.column(one.column) for one in spec.sorts if one.column)
    assert spec.csv and spec.csv.endswith(".csv")
