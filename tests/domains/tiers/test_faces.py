"""The preview before saving, its list, and the API: works, wrong role, other shop, bad input, repeated."""

import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.programs import service as programs
from app.domains.programs.schemas import ProgramCreate
from app.domains.tiers import service
from app.domains.tiers.errors import SimulationRunning, StaleVersion
from app.domains.tiers.service import simulating
from tests.domains.tiers.conftest import Club
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, Door, staff

CallAs = Callable[..., Caller]
TAB = "/app/tier-management"
READER = frozenset({Permission.TIERS_READ})


@pytest.fixture
def full(club: Club) -> Club:
    for amount in (0, 500, 1_500, 1_500, 6_000):
        member = club.join()
        if amount:
            club.earn(member, amount)
    club.review()
    return club


def silver(club: Club) -> tuple[UUID, int]:
    with club.work() as uow:
        ladder = service.ladders(uow)[0]
        return ladder.levels[1].id, ladder.version


def fields(version: int, **changes: str) -> dict[str, str]:
    return {
        "version": str(version),
        "name": "Silver",
        "threshold": "1000",
        "multiplier": "1.25",
        "color": "#8a94a3",
        "gift_every": "month",
        "early_days": "0",
        **changes,
    }


def thresholds(club: Club) -> list[int]:
    with club.work() as uow:
        return [level.threshold for level in service.ladder(uow)]


def test_a_change_that_moves_members_is_previewed_and_saved_with_its_numbers(
    full: Club, call_as: CallAs
) -> None:
    caller = call_as(staff(full.shop.id, ALL))
    tier, version = silver(full)
    answer = caller.submit(f"{TAB}/{tier}/save", fields(version, threshold="٢٠٠٠"))
    place = answer.headers["HX-Location"] if "HX-Location" in answer.headers else str(dict(answer.headers))
    found = re.search(r"/app/tier-management/preview/([0-9a-f-]{36})", place)
    assert found is not None, place
    assert thresholds(full) == [0, 1_000, 5_000], "nothing is saved yet"
    page = caller.fragment(f"{TAB}/preview/{found[1]}").text
    assert page.count("<bdi>Ada Byron</bdi></a>") == 2 and "Save and move members" in page
    assert "<del><bdi>1,000</bdi></del>" in page
    with full.work() as uow:
        assert service.get(uow, UUID(found[1]))["result"]["matrix"]
    assert "Ada Byron" not in caller.fragment(f"{TAB}/preview/{found[1]}?outcome=up").text
    assert (
        call_as(staff(full.shop.id, READER)).submit(f"{TAB}/preview/{found[1]}/apply", {}).status_code == 403
    )
    assert caller.submit(f"{TAB}/preview/{found[1]}/apply", {}).status_code == 200
    assert thresholds(full) == [0, 2_000, 5_000]
    full.place()
    with full.work() as uow:
        rows = uow.all("SELECT reason, count(*) AS n FROM tier_changes WHERE direction = 'down' GROUP BY 1")
    assert rows == [{"reason": "ladder", "n": 2}]
    assert caller.submit(f"{TAB}/preview/{found[1]}/apply", {}).status_code == 404


def test_what_moves_nobody_is_saved_at_once(full: Club, call_as: CallAs) -> None:
    tier, version = silver(full)
    answer = call_as(staff(full.shop.id, ALL)).submit(
        f"{TAB}/{tier}/save", fields(version, name="Argent", entry_points="50")
    )
    assert answer.status_code == 200
    with full.work() as uow:
        assert [(one.name, one.entry_points) for one in service.ladder(uow)][1] == ("Argent", 50)


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"threshold": "5000"}, "threshold", "Gold starts there already"),
        ({"threshold": "10.5"}, "threshold", "Write a whole number."),
        ({"threshold": "-1"}, "threshold", ""),
        ({"entry_reward_id": str(ids.new_id())}, "entry_reward_id", "Choose an active reward"),
        ({"multiplier": "ten"}, "multiplier", ""),
        ({"early_days": "91"}, "early_days", ""),
    ],
)
def test_bad_input_is_refused_at_its_field(
    full: Club, call_as: CallAs, changes: dict[str, str], field: str, said: str
) -> None:
    tier, version = silver(full)
    answer = call_as(staff(full.shop.id, ALL)).submit(f"{TAB}/{tier}/save", fields(version, **changes))
    assert answer.status_code == 422, answer.status_code
    assert said in answer.text
    assert f'name="{field}"' in answer.text and 'aria-invalid="true"' in answer.text
    assert thresholds(full) == [0, 1_000, 5_000]


def test_a_refused_new_tier_stays_on_the_ladder_that_it_was_for(full: Club, call_as: CallAs) -> None:
    with full.work() as uow:
        main = service.ladders(uow)[0]
        other = replace(service.empty(main.program_id), name="Habits", metric="rfm", period="rolling")
        second = service.save(uow, other, version=0)
    form = fields(0, ladder=str(second.id), threshold="x")
    answer = call_as(staff(full.shop.id, ALL)).submit(f"{TAB}/create", form)
    assert answer.status_code == 422 and "An RFM score from 3 to 15" in answer.text


def test_a_preview_of_an_older_version_is_not_saved(full: Club) -> None:
    with full.work() as uow:
        ladder = service.ladders(uow)[0]
        draft = replace(ladder, period="calendar")
        made = service.simulate(uow, draft, version=ladder.version)
    full.ladder(name="Renamed")
    with full.work() as uow, pytest.raises(StaleVersion):
        service.apply(uow, made)


def test_a_large_shop_is_seen_slice_by_slice_and_goes_on_where_it_stopped(
    full: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulating, "AT_ONCE", 0)
    monkeypatch.setattr(simulating, "SLICE", 2)
    with full.work() as uow:
        ladder = service.ladders(uow)[0]
        levels = tuple(replace(one, threshold=one.threshold // 3) for one in ladder.levels)
        made = service.simulate(uow, replace(ladder, levels=levels), version=ladder.version)
    with full.work() as uow:
        assert simulating.run_slice(uow, made)
        assert service.get(uow, made)["seen"] == 2
    with full.work() as uow, pytest.raises(SimulationRunning):
        service.apply(uow, made)
    service.run(full.shop.id, made)
    service.run(full.shop.id, made)
    with full.work() as uow:
        found = service.get(uow, made)
        assert (found["status"], found["seen"]) == ("done", 5)
        assert sum(count for _, count in found["result"]["matrix"]) == 5
    moves = full.rows("SELECT outcome, from_name, to_name FROM tier_simulated_moves ORDER BY from_name")
    assert [tuple(one.values()) for one in moves] == [("up", "Bronze", "Silver")]


def test_a_preview_promises_what_saving_does(full: Club) -> None:
    with full.work() as uow:
        ladder = service.ladders(uow)[0]
        levels = tuple(replace(one, threshold=one.threshold // 4) for one in ladder.levels)
        made = service.simulate(uow, replace(ladder, levels=levels), version=ladder.version)
        promised = {
            (row["member_id"], row["to_name"])
            for row in uow.all("SELECT member_id, to_name FROM tier_simulated_moves")
        }
        service.apply(uow, made)
    full.place()
    kept = full.rows("SELECT member_id, to_name FROM tier_changes WHERE reason = 'ladder'")
    assert {(row["member_id"], row["to_name"]) for row in kept} == promised != set()


def test_the_api_tells_moves_and_adds(full: Club, call_as: CallAs, other_shop: TestShop, door: Door) -> None:
    caller = call_as(staff(full.shop.id, ALL))
    gold = full.rows("SELECT id FROM tiers WHERE name = 'Gold'")[0]["id"]
    told = caller.get("/v1/api/vip-tiers/status?customer_id=2").json
    assert (told["tier"]["tier_name"], told["tier"]["needed"], told["tier"]["progress"]) == (
        "Bronze",
        500,
        50,
    )
    body = {"customer_id": "2", "vip_tier_id": str(gold), "locked_until": "2999-01-01"}
    moved = caller.post("/v1/api/vip-tiers/update", json=body).json
    assert moved["tier"]["tier_name"] == "Gold" and moved["tier"]["perks"]["multiplier"] == "1.5"
    assert (
        caller.post("/v1/api/vip-tiers/update", json=body | {"locked_until": "2001-01-01"}).status_code == 400
    )
    assert caller.post("/v1/api/vip-tiers/update", json=body | {"customer_id": "99"}).status_code == 404
    made = caller.post("/v1/api/vip-tiers", json={"name": "Onyx", "threshold": 9_000, "multiplier": "2"})
    assert made.status_code == 201 and made.json["tier"]["threshold"] == 9_000
    assert caller.post("/v1/api/vip-tiers", json={"name": "Onyx", "threshold": 9_000}).status_code == 400
    page = caller.get("/v1/api/vip/preview?limit=2").json
    rest = caller.get(f"/v1/api/vip/preview?limit=200&cursor={page['next_cursor']}").json
    assert len(page["preview"]) == 2 and len(rest["preview"]) == 3
    reader = call_as(staff(full.shop.id, READER))
    assert reader.post("/v1/api/vip-tiers/update", json=body).status_code == 403
    stranger = call_as(staff(other_shop.id, ALL))
    assert stranger.get("/v1/api/vip-tiers/status?customer_id=2").status_code == 404


def test_tiers_of_a_draft_are_prepared_before_it_is_live(full: Club, call_as: CallAs) -> None:
    with full.work() as uow:
        winter = programs.create(uow, ProgramCreate(name="Winter")).id
    caller = call_as(staff(full.shop.id, ALL))
    assert "Winter" in caller.fragment(TAB).text, "the other program can be chosen"
    page = caller.fragment(f"{TAB}?program={winter}").text
    assert "No ladder yet" in page and f"ladders/new?program={winter}" in page

    new = caller.fragment(f"{TAB}/ladders/new?program={winter}").text
    assert f'name="program" value="{winter}"' in new
    refused = caller.submit(f"{TAB}/create-ladder", {"program": str(winter), "name": "", "metric": "points"})
    assert refused.status_code == 422 and f'name="program" value="{winter}"' in refused.text
    given = {"program": str(winter), "name": "Club", "metric": "points", "active": "on"}
    assert caller.submit(f"{TAB}/create-ladder", given).status_code == 200
    with full.work() as uow:
        [ladder] = service.program_ladders(uow, winter)
        moves = uow.scalar("SELECT count(*) FROM tier_simulations")
    tier = fields(0, ladder=str(ladder.id), name="Snow", threshold="0")
    answer = caller.submit(f"{TAB}/create", tier)
    assert f"program={winter}" in str(dict(answer.headers)), "saved at once, and back to the same program"
    with full.work() as uow:
        assert [level.name for level in service.main_levels(uow, winter)] == ["Snow"]
        assert uow.scalar("SELECT count(*) FROM tier_simulations") == moves
        assert [level.name for level in service.ladder(uow)] == ["Bronze", "Silver", "Gold"]
    assert "Snow" in caller.fragment(f"{TAB}?program={winter}").text
    assert call_as(staff(full.shop.id, READER)).submit(f"{TAB}/create-ladder", given).status_code == 403


def test_a_program_of_another_shop_is_not_shown(full: Club, call_as: CallAs, other_shop: TestShop) -> None:
    with other_shop.work() as uow:
        theirs = programs.create(uow, ProgramCreate(name="Theirs")).id
    caller = call_as(staff(full.shop.id, ALL))
    page = caller.fragment(f"{TAB}?program={theirs}").text
    assert "Theirs" not in page and "Silver" in page


def test_the_list_says_what_a_tier_gives(full: Club, call_as: CallAs) -> None:
    full.tier("Silver", entry_points=500, early_days=3)
    page = call_as(staff(full.shop.id, ALL)).fragment(TAB).text
    assert "500\u00a0points on entering · 3 days of early access" in page
