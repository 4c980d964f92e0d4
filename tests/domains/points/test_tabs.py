"""The ledger's screens: list, filters, pages, export, drawer, past, proof; for whom, and how much they look at."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, ids, paging
from app.core.db import unit_of_work
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import jobs, queries, service
from app.domains.points.schemas import Credit, LedgerFilter, LotsQuery, Reversal, Wish
from tests.fixtures import rows
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, api_key, staff

TAB = "/app/points-ledger"
CSV = "/v1/api/points/entries.csv"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TRACE = {
    "base_minor": 5000, "exponent": 2, "currency": "USD", "multiplier_bp": 20000, "rounding": "down", "exact": "100.5",
    "order_points": 100, "order_name": "#1001", "points_per_unit": "1",
}  # fmt: skip
REFUNDED = TRACE | {"order_points": 0, "base_minor": 0, "exact": "0"}


@pytest.fixture
def member(shop: TestShop) -> UUID:
    """Day by day: an award, a hold and its redemption, a refund into debt, an award that repays it, an adjustment."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(9, "ana@example.com", "=Ana", "Ruiz")])[9].id
    held: list[Any] = []
    order = ids.new_id()
    steps: list[Callable[[Any], Any]] = [
        lambda uow: service.credit(uow, [Credit(found, 100, "a", "purchase", order_id=order, trace=TRACE)]),
        lambda uow: held.append(service.hold(uow, found, 60, key="h", reason="redemption", trace={"reward_name": "Mug"})),
        lambda uow: service.settle(uow, held[0].id, "spend", key="s", reason="redemption"),
        lambda uow: service.reverse(uow, Reversal(found, 100, "r", "refund", order_id=order, trace=REFUNDED)),
        lambda uow: service.credit(uow, [Credit(found, 90, "b", "birthday", expires_at=START + timedelta(days=400))]),
        lambda uow: service.adjust_by_hand(uow, [Wish(found, "award", 7, "w", "goodwill", note="sorry")]),
    ]  # fmt: skip
    for day, step in enumerate(steps):
        with clock.use_clock(lambda at=START + timedelta(days=day): at), unit_of_work(shop.id) as uow:
            step(uow)
    return found


def entry_of(shop: TestShop, key: str) -> dict[str, Any]:
    with shop.work() as uow:
        found = uow.one("SELECT * FROM points_entries WHERE key LIKE %(key)s", {"key": key})
    assert found is not None
    return found


def listed(shop: TestShop, **asked: Any) -> list[tuple[str, int]]:
    with shop.work() as uow:
        found = service.listed(uow, LedgerFilter(**asked), "en")
    return [(row["kind"], row["points"]) for row in found.page.items]


ALL_ENTRIES = [("adjust", 7), ("award", 90), ("reverse", -100), ("spend", -60), ("hold", 0), ("award", 100)]

CHANGES = [(kind, points) for kind, points in ALL_ENTRIES if points]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ALL_ENTRIES),
        ({"sort": "oldest"}, ALL_ENTRIES[::-1]),
        ({"kind": "award"}, [("award", 90), ("award", 100)]),
        ({"kind": "reverse"}, [("reverse", -100)]),
        ({"reason": "birthday"}, [("award", 90)]),
        ({"source": "orders"}, [("reverse", -100), ("award", 100)]),
        ({"source": "deeds"}, [("award", 90)]),
        ({"source": "hand"}, [("adjust", 7)]),
        ({"source": "redemptions"}, [("spend", -60), ("hold", 0)]),
        ({"rule": "purchase"}, [("reverse", -100), ("award", 100)]),
        ({"points_from": 90}, [("award", 90), ("award", 100)]),
        ({"points_from": -60, "points_to": 7}, [("adjust", 7), ("spend", -60), ("hold", 0)]),
        ({"start": "2026-03-02", "end": "2026-03-03"}, [("spend", -60), ("hold", 0)]),
        ({"actor": "staff"}, []),
        ({"actor_id": "nobody"}, []),
        ({"version": str(ids.new_id())}, []),
        ({"member": "ana@example.com", "kind": "award"}, [("award", 90), ("award", 100)]),
        ({"member": "somebody@example.com"}, []),
    ],
)  # fmt: skip
def test_each_filter_leaves_what_it_says(
    shop: TestShop, member: UUID, asked: dict[str, Any], expected: list[tuple[str, int]]
) -> None:
    assert listed(shop, **asked) == expected


@pytest.mark.parametrize("asked", [{}, {"sort": "oldest"}, {"member": "ana@example.com"}, {"kind": "award"}])
def test_pages_lead_forth_and_back_over_the_same_entries(
    shop: TestShop, member: UUID, asked: dict[str, Any]
) -> None:
    def page(cursor: str | None) -> Any:
        with shop.work() as uow:
            return service.listed(uow, LedgerFilter(**asked, limit=2, cursor=cursor), "en").page

    pages, cursor = [], None
    while True:
        found = page(cursor)
        pages.append([row["id"] for row in found.items])
        cursor = found.next_cursor
        if cursor is None:
            break
    there = [one for part in pages for one in part]
    assert len(there) == len(set(there)) == len(listed(shop, **asked))
    back = []
    while found.previous_cursor and len(back) < 10:
        found = page(found.previous_cursor)
        back.insert(0, [row["id"] for row in found.items])
    assert [part for part in back if part] == pages[:-1]
    assert page(found.next_cursor).items if len(pages) > 1 else True


def test_a_page_looks_through_a_bounded_number_and_goes_on(
    shop: TestShop, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries.listing, "SCAN", 2)
    with shop.work() as uow:
        first = service.listed(uow, LedgerFilter(source="redemptions"), "en")
        assert (first.page.items, first.total, first.more) == ([], 0, True)
        assert first.until == START + timedelta(days=4)
        second = service.listed(uow, LedgerFilter(source="redemptions", cursor=first.page.next_cursor), "en")
    assert [row["kind"] for row in second.page.items] == ["spend"]


def plans(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(one for part in node.get("Plans", []) for one in plans(part))]


@pytest.fixture(scope="module")
def large_shop() -> TestShop:
    """A shop whose ledger is long, with statistics, written straight into the tables."""
    from tests.fixtures.shop import make_shop

    shop = make_shop(f"large-{ids.new_id().hex}.myshopify.com")
    with shop.work() as uow:
        found = members.enroll(uow, [Person(number) for number in range(1, 21)])
    people = [str(one.id) for one in found.values()]
    with rows.connect() as owner:
        owner.execute(
            "INSERT INTO points_entries (shop_id, id, member_id, seq, kind, points, moved, available_after, pending_after,"
            " held_after, debt_after, qualifying_after, crossed, key, reason, order_id, trace, actor_kind, actor_id,"
            " created_at, previous_hash, hash) SELECT %s, gen_random_uuid(), (%s::uuid[])[1 + n %% 20], n,"
            " CASE WHEN n %% 997 = 0 THEN 'expire' ELSE 'award' END::points_kind, n, 0, n, 0, 0, 0, n, false, 'k' || n,"
            " 'purchase', CASE WHEN n %% 2 = 0 THEN gen_random_uuid() END, '{}', 'system', 'system',"
            " '2026-01-01'::timestamptz + n * interval '1 minute', '', '' FROM generate_series(1, 40000) n",
            (shop.id, people),
        )
        owner.execute("ANALYZE points_entries")
    return shop


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"sort": "oldest"}, {"kind": "award"}, {"kind": "expire"}, {"reason": "birthday"}, {"source": "deeds"},
        {"source": "hand"}, {"rule": "signup"}, {"points_from": 39_000}, {"points_to": 1}, {"actor": "staff"},
        {"actor_id": "x"}, {"version": str(ids.new_id())}, {"start": "2026-01-02", "end": "2026-01-03"},
        {"member": "#1"}, {"member": "3"}, {"kind": "expire", "sort": "oldest", "start": "2026-01-10"},
    ],
)  # fmt: skip
def test_no_filter_looks_through_the_whole_ledger(
    large_shop: TestShop, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    monkeypatch.setattr(queries.listing, "SCAN", 1_000)
    place = ("2026-01-20T00:00:00+00:00", str(ids.new_id()))
    for cursor in (None, paging.encode_cursor(*place), paging.encode_cursor(*place, "<")):
        with large_shop.work() as uow:
            narrowed = service.narrowed(uow, LedgerFilter(**asked, cursor=cursor))
            found = watched(uow, lambda uow=uow, narrowed=narrowed: queries.page(uow, narrowed), monkeypatch)
            assert found
            assert max(found) <= 2_100, asked


def watched(uow: Any, work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each step of the plans of a work's statements on entries looked at; none may scan the table."""
    real, seen = type(uow).execute, []

    def explained(self: Any, sql: str, params: Any = None) -> Any:
        if "points_entries" in sql:
            plan = real(self, "EXPLAIN (ANALYZE, FORMAT JSON) " + sql, params).fetchone()["QUERY PLAN"][0]
            for node in plans(plan["Plan"]):
                assert node["Node Type"] != "Seq Scan", node
                seen.append(
                    (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
                )
        return real(self, sql, params)

    with monkeypatch.context() as patched:
        patched.setattr(type(uow), "execute", explained)
        work()
    return seen


def test_the_tab_shows_entries_totals_and_how_many(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    page = merchant.get(TAB).text
    assert "60 points set aside for the reward Mug." in page
    assert "6 of 6" in page
    assert "Reserved" in page
    assert "No entry matches" in merchant.get(f"{TAB}?kind=expire").text
    assert "6 of 6" in merchant.get(f"{TAB}?kind=nonsense&points_from=x").text
    assert call_as(staff(shop.id, ALL - {Permission.POINTS_READ})).get(TAB).status_code == 403
    assert "No points yet" in call_as(staff(staff_shop())).get(TAB).text


def staff_shop() -> UUID:
    from tests.fixtures.shop import make_shop

    return make_shop(f"empty-{ids.new_id().hex}.myshopify.com").id


def test_the_export_has_what_is_shown_and_no_formulas(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries.listing, "EXPORT_SLICE", 2)
    monkeypatch.setattr(queries, "EXPORT_SLICE", 2)
    caller = call_as(api_key(shop.id))

    def lines_of(url: str) -> list[dict[str, str]]:
        return list(csv.DictReader(caller.get(url).text.removeprefix("\ufeff").splitlines()))

    lines = lines_of(CSV)
    assert [(line["kind"], int(line["points"])) for line in lines if not line["balances"]] == CHANGES
    between = [(line["kind"], line["points"], line["balances"]) for line in lines if line["balances"]]
    assert between == [("hold", "60", "available_held")]
    assert lines[0]["name"] == "'=Ana Ruiz"
    assert (lines[2]["points"], lines[2]["why"][:12]) == ("-100", "'−100 points")
    awards = lines_of(f"{CSV}?kind=award&sort=oldest&columns=points")
    assert awards == [{"points": "100"}, {"points": "90"}]
    assert caller.get(f"{CSV}?kind=nonsense").status_code == 422
    assert call_as(api_key(shop.id, ALL - {Permission.POINTS_READ})).get(CSV).status_code == 403
    assert len(call_as(api_key(staff_shop())).get(CSV).text.splitlines()) == 1


def test_the_drawer_tells_what_why_how_and_the_chain(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))
    award, spend, adjusted = entry_of(shop, "a"), entry_of(shop, "s"), entry_of(shop, "adjustment:%")
    text = re.sub(r"<[^>]+>|\s+", " ", merchant.get(f"{TAB}/{award['id']}").text)
    for part in (
        "$50.00 at 1 point per unit of money: 50",
        "× 2",
        "Before rounding",
        "100.5",
        "Verified",
        "New, Available",
    ):
        assert part in text, part
    assert award["hash"].hex() in text
    text = merchant.get(f"{TAB}/{spend['id']}").text
    assert "Reserved to Spent" in text
    assert str(entry_of(shop, "h")["id"]) in text
    assert str(entry_of(shop, "r")["id"]) in text
    text = re.sub(r"<[^>]+>|\s+", " ", merchant.get(f"{TAB}/{entry_of(shop, 'h')['id']}").text)
    assert re.search(r"60 +Available to Reserved +Verified", text)
    assert "sorry" in merchant.get(f"{TAB}/{adjusted['id']}").text
    assert call_as(staff(staff_shop())).get(f"{TAB}/{award['id']}").status_code == 404


def test_the_drawer_tells_what_the_member_could_have_without_the_entry(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    with shop.work() as uow:
        uow.execute(
            "UPDATE rewards SET points_cost = 150, status = 'active' WHERE id = (SELECT min(id::text)::uuid FROM rewards)"
        )
        service.credit(uow, [Credit(member, 1_000, "big", "purchase", order_id=ids.new_id(), trace=TRACE)])
        refund = service.reverse(
            uow, Reversal(member, 1_000, "gone", "refund", order_id=ids.new_id(), trace=REFUNDED)
        )
    text = re.sub(r"<[^>]+>|\s+", " ", call_as(staff(shop.id)).get(f"{TAB}/{refund.id}").text)
    assert "Enough then for" in text
    assert "By points, their tier would be" in text


@pytest.mark.parametrize("locale", ["en", "es", "fr", "ar", "he"])
def test_a_refund_of_used_points_says_that_they_are_owed(shop: TestShop, member: UUID, locale: str) -> None:
    """The order gave 100, and 60 of them were redeemed before it was refunded."""
    entry = entry_of(shop, "r")
    assert (entry["points"], entry["moved"], entry["waived"]) == (-100, 40, 0)
    told = service.explain(entry, locale)
    assert "60" in told and "100" in told
    taken = "\u2066\u2212100\u2069" if locale in ("ar", "he") else "\u2212100"
    assert taken in told and "-" not in told
    if locale == "en":
        assert told.endswith("60 points of it had been used already; the next points make up for them.")
    assert "need not" in service.explain(entry | {"points": -40, "waived": 60}, "en")


def test_an_entry_that_was_changed_says_so(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    with rows.connect() as owner:
        owner.execute(
            "UPDATE points_entries SET reason = 'gift' WHERE shop_id = %s AND key = 'b'", (shop.id,)
        )
    merchant = call_as(staff(shop.id))
    assert "Does not add up" in merchant.get(f"{TAB}/{entry_of(shop, 'b')['id']}").text
    assert "Does not add up" not in merchant.get(f"{TAB}/{entry_of(shop, 'a')['id']}").text


def test_the_ledger_is_proved_on_demand(shop: TestShop, member: UUID, call_as: Callable[..., Caller]) -> None:
    merchant = call_as(staff(shop.id))
    assert "was not proved yet" in merchant.get(TAB).text
    key = {"idempotency_key": str(ids.new_id())}
    assert merchant.submit(f"{TAB}/prove", key).status_code == 200
    assert "<progress" in merchant.get(f"{TAB}/proof").text
    again = merchant.submit(f"{TAB}/prove", {"idempotency_key": str(ids.new_id())})
    assert "already" in again.headers["HX-Trigger"]
    jobs.prove(str(shop.id))
    assert "6 entries add up" in merchant.get(TAB).text
    with rows.connect() as owner:
        owner.execute("UPDATE points_entries SET points = 1 WHERE shop_id = %s AND key = 'a'", (shop.id,))
    jobs.prove(str(shop.id))
    page = merchant.get(TAB).text
    assert "does not add up for one member" in page
    assert str(entry_of(shop, "a")["id"]) in page


def test_the_past_is_shown_by_day_time_and_step(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    merchant = call_as(staff(shop.id))

    def shown(query: str) -> list[str]:
        text = merchant.get(f"{TAB}/past/{member}{query}").text
        return re.findall(r"<dd><bdi>([^<]*)</bdi>", text)[:4]

    assert shown("?day=2026-03-01") == ["100", "0", "0", "0"]
    assert shown("?step=1") == ["40", "0", "60", "0"]
    assert shown("?step=3") == ["0", "0", "0", "60"]
    assert shown("?day=2026-03-02&clock=01:00") == ["100", "0", "0", "0"]
    assert shown("") == shown("?day=9999-12-31") == shown("?step=100000") == ["37", "0", "0", "0"]
    assert call_as(staff(staff_shop())).get(f"{TAB}/past/{member}").status_code == 404
    assert "Lots" in merchant.get(f"{TAB}/lots/{member}").text


def test_the_api_answers_as_of_and_without(
    shop: TestShop, member: UUID, call_as: Callable[..., Caller]
) -> None:
    caller = call_as(api_key(shop.id))
    url = f"/v1/api/points/as-of?member_id={member}"
    past = caller.get(f"{url}&at=2026-03-02T13:00:00Z").json["past"]
    assert (past["available"], past["held"], past["debt"]) == (40, 60, 0)
    assert {(lot["bucket"], lot["amount"]) for lot in past["lots"]} == {("available", 40), ("held", 60)}
    refund = entry_of(shop, "r")["id"]
    assert caller.get(f"{url}&without={refund}").json["past"]["available"] == 137
    assert caller.get(f"{url}&at=2020-01-01T00:00:00Z").json["past"]["total"] == 0
    assert caller.get(f"{url}&at=2026-03-02T13:00:00").status_code == 422
    assert caller.get("/v1/api/points/as-of").status_code == 422
    assert call_as(api_key(staff_shop())).get(url).status_code == 404
    assert call_as(api_key(shop.id, ALL - {Permission.POINTS_READ})).get(url).status_code == 403


def test_lots_with_points_left_come_first_on_all_pages(shop: TestShop, member: UUID) -> None:
    def lots(**asked: Any) -> list[tuple[int, int]]:
        with shop.work() as uow:
            found = there_and_back(
                lambda cursor: queries.lots_page(uow, member, LotsQuery(limit=1, cursor=cursor, **asked)).page
            )
        return [(lot["points"], lot["remaining"]) for lot in found]

    assert lots() == [(90, 30), (7, 7), (100, 0)]
    assert lots(sort="newest") == lots(sort="oldest")[::-1]
    assert lots(state="available") == [(90, 30), (7, 7)] and lots(state="pending") == []


def test_lots_are_narrowed_and_written_to_a_file(shop: TestShop, member: UUID, call_as: Any) -> None:
    caller = call_as(staff(shop.id))
    page, file = f"/app/points-ledger/lots/{member}", f"/v1/api/members/{member}/lots.csv"
    assert caller.get(page).text.count('id="member-lots-') == 4
    assert " spent" in caller.get(page).text
    assert "No lot matches" in caller.get(f"{page}?state=pending").text
    lines = caller.get(f"{file}?state=available&columns=points,remaining,state").text.splitlines()
    assert lines[1:] == ["90,30,Available", "7,7,Available"]
    assert caller.get(f"{page}?limit=1").text.count("data-page") == 1
    assert caller.get(f"{page}?cursor=x").status_code == 400
    blind = staff(shop.id, ALL - {Permission.POINTS_READ})
    foreign = staff_shop()
    for one in (page, file):
        assert call_as(blind).get(one).status_code == 403
        assert call_as(staff(foreign)).get(one).status_code == 404


def test_totals_of_many_members_are_added_up_now_and_then(
    shop: TestShop, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.domains.points.service import listing

    monkeypatch.setattr(listing, "_FEW_MEMBERS", 0)
    at = datetime.now(UTC)
    with clock.use_clock(lambda: at), shop.work() as uow:
        assert service.totals(uow)["available"] == 37
        service.credit(uow, [Credit(member, 5, "x", "thanks")])
        assert service.totals(uow)["available"] == 37
    with clock.use_clock(lambda: at + timedelta(minutes=6)), shop.work() as uow:
        assert service.totals(uow)["available"] == 42
