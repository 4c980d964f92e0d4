"""A member's timeline: every domain's part in one order, page by page, also of accounts that were merged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import ids
from app.core.db import Actor, UnitOfWork, unit_of_work
from app.core.paging import StaleCursor
from app.core.permissions import ALL, Permission
from app.domains.bulk import service as bulk
from app.domains.members import service as members
from app.domains.members.schemas import Happening, Person, TimelineKind, TimelineQuery
from app.domains.points import service as points
from app.domains.points.errors import UndoRefused
from app.domains.points.schemas import Credit, SettingsForm, Wish
from app.domains.points.service import extending
from app.domains.programs import service as programs
from app.domains.rewards import service as rewards
from app.domains.tiers import service as tiers
from tests.factories import payloads
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

MAYA, OMAR = Actor("staff", "1", "Maya"), Actor("staff", "2", "Omar")


def everything(_: Permission) -> bool:
    return True


def lines(
    uow: UnitOfWork, member_id: UUID, *, limit: int = 200, only: str | None = None, **asked: Any
) -> list[tuple[TimelineKind, Happening]]:
    """The whole timeline, read page by page."""
    kinds = [kind for kind in members.timeline_kinds(everything) if only in (None, kind.key)]
    return there_and_back(
        lambda cursor: members.timeline(
            uow, member_id, kinds, "en", TimelineQuery(limit=limit, cursor=cursor, **asked)
        )
    )


def lively(shop: TestShop) -> UUID:
    """A member of whom every domain has something to tell; another account was merged into them."""
    shop.tell("orders/paid", payloads.order(5, customer=payloads.customer(77)))
    shop.tell("orders/paid", payloads.order(6, customer=payloads.customer(78)))
    shop.drain()
    with shop.work() as uow:
        kept, removed = members.by_customer(uow, 77), members.by_customer(uow, 78)
        assert kept
        assert removed
        points.credit(uow, [Credit(kept.id, 5_000, "gift", "thanks")])
        reward_id = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        rewards.redeem(uow, kept.id, reward_id, key="one", channel="admin")
        uow.execute(
            "INSERT INTO messages (shop_id, id, member_id, kind, key, locale)"
            " VALUES (%(s)s, %(i)s, %(m)s, 'points_earned', 'k', 'en')",
            {"s": uow.shop, "i": ids.new_id(), "m": kept.id},
        )
        members.set_status(uow, kept.id, "blocked")
        members.merge(uow, kept.id, removed.id)
        return kept.id


def test_every_domain_tells_its_part_and_pages_leave_nothing_out(shop: TestShop) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        whole = lines(uow, member_id)
        assert {kind.key for kind, _ in whole} >= {
            "orders",
            "points",
            "tiers",
            "rewards",
            "messages",
            "merges",
            "changes",
        }
        places = [(one.at, one.id) for _, one in whole]
        assert places == sorted(places, reverse=True)
        for limit in (1, 2, 7):
            assert [(one.at, one.id) for _, one in lines(uow, member_id, limit=limit)] == places
            oldest = lines(uow, member_id, limit=limit, sort="oldest")
            assert [(one.at, one.id) for _, one in oldest] == places[::-1]
        day = places[0][0].date()
        assert len(lines(uow, member_id, start=day - timedelta(days=1), end=day + timedelta(days=1))) > 0
        assert (
            lines(uow, member_id, end=date(2001, 1, 1)) == lines(uow, member_id, start=date(2090, 1, 1)) == []
        )
        assert [kind.key for kind, _ in lines(uow, member_id, only="orders")] == ["orders", "orders"]
        sources = {one.data.get("order") for _, one in lines(uow, member_id, only="orders")}
        assert len(sources) == 2


def test_what_a_merged_account_did_is_told_and_goes_with_it_when_they_part(shop: TestShop) -> None:
    with shop.work() as uow:
        one, two = (
            members.enroll(uow, [Person(number, f"{number}@example.com")])[number].id for number in (1, 2)
        )
        points.credit(uow, [Credit(two, 11, f"key:{ids.new_id()}", "thanks")])
        merge_id = members.merge(uow, one, two)
        assert merge_id
        assert 11 in {line.points for kind, line in lines(uow, one) if kind.key == "points"}
    with shop.work() as uow:
        members.unmerge(uow, merge_id)
        assert {line.points for kind, line in lines(uow, one) if kind.key == "merges"} == {11, -11}
        assert {line.points for _, line in lines(uow, one, only="points")} == {11, -11}
        told = [line.sentence for _, line in lines(uow, two, only="merges")]
        assert (
            told == ["This member was merged into {name}", "This member was separated from {name}"]
            or len(told) == 2
        )


def test_tiers_have_the_names_of_the_readers_language(shop: TestShop) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        kinds = [kind for kind in members.timeline_kinds(everything) if kind.key == "tiers"]
        page = members.timeline(uow, member_id, kinds, "ar", TimelineQuery(limit=10))
        assert {line.data["tier"] for _, line in page.items} <= {"برونزي", "فضي", "ذهبي"}
        assert page.items


def test_a_redemption_is_one_line_with_its_points_and_code(shop: TestShop) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        row = uow.one("SELECT id, points FROM redemptions")
        assert row
        whole = lines(uow, member_id)
        [told] = [one for kind, one in whole if kind.key == "rewards"]
        assert told.points == -row["points"]
        assert told.code == rewards.get_redemption(uow, row["id"]).code
        assert told.url == f"/app/reward-catalog/redemptions?member={member_id}&open={row['id']}"
        assert [one.points for kind, one in whole if "for the reward" in one.sentence] == []
        ledger = [one.sentence for _, one in lines(uow, member_id, only="points")]
        assert [one for one in ledger if "set aside for the reward" in one]


def test_a_redemption_that_failed_tells_of_no_points_but_those_that_came_back(shop: TestShop) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        uow.execute("UPDATE redemptions SET status = 'failed', failure = 'error'")
        [told] = [one for kind, one in lines(uow, member_id) if kind.key == "rewards"]
        assert (told.sentence, told.points) == ("Redeemed {reward}, which failed", 0)


def test_the_page_and_the_file_show_the_code_of_a_redemption(
    shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        code = rewards.redemptions_of(uow, member_id)[0].code
    caller = call_as(staff(shop.id))
    for path in (
        f"/app/members/{member_id}",
        f"/app/members/{member_id}/timeline",
        f"/v1/api/members/{member_id}/timeline.csv",
    ):
        assert code in caller.get(path).text, path


def test_other_shops_see_nothing_of_it(shop: TestShop, other_shop: TestShop) -> None:
    member_id = lively(shop)
    with other_shop.work() as uow:
        assert lines(uow, member_id) == []


def test_one_reads_only_what_one_may(shop: TestShop) -> None:
    kinds = members.timeline_kinds(lambda permission: permission is Permission.MEMBERS_READ)
    assert {kind.key for kind in kinds} == {"orders", "messages", "merges"}


@pytest.mark.parametrize("cursor", ["x", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCJd"])
def test_a_cursor_of_another_list_is_refused(shop: TestShop, cursor: str) -> None:
    with shop.work() as uow, pytest.raises(StaleCursor):
        members.timeline(
            uow, ids.new_id(), members.timeline_kinds(everything), "en", TimelineQuery(cursor=cursor)
        )


def test_a_page_asks_each_source_once(shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        asked: list[str] = []
        plain = uow.execute

        def counted(sql: str, values: Any = None) -> Any:
            asked.append(sql)
            return plain(sql, values)

        uow.execute = counted  # type: ignore[method-assign]
        members.timeline(uow, member_id, members.timeline_kinds(everything), "en", TimelineQuery())
        # Who did it and what tiers gave are asked for once more by those that tell it.
        assert len(asked) <= 14


def test_a_member_is_found_by_the_code_of_their_reward(shop: TestShop, other_shop: TestShop) -> None:
    member_id = lively(shop)
    with shop.work() as uow:
        code = rewards.every_redemption_of(uow, member_id)[0].code
        for text in (code, f" {code.lower()} "):
            assert [one.id for one in members.search(uow, text)] == [member_id]
        assert members.search(uow, code[:-1] + "?") == []
    with other_shop.work() as uow:
        assert members.search(uow, code) == []


def test_the_list_of_it_is_narrowed_and_written_to_a_file(
    shop: TestShop, other_shop: TestShop, call_as: Callable[..., Caller]
) -> None:
    member_id = lively(shop)
    caller = call_as(staff(shop.id))
    page, file = f"/app/members/{member_id}/timeline", f"/v1/api/members/{member_id}/timeline.csv"
    assert "Everything that happened" in caller.get(f"/app/members/{member_id}").text
    whole = caller.get(page).text
    orders = caller.get(f"{page}?kind=orders").text
    assert orders.count('id="member-timeline-orders-') == 2 < whole.count('id="member-timeline-')
    assert "Nothing matches" in caller.get(f"{page}?start=2090-01-01").text
    second = caller.get(f"{page}?limit=2&sort=oldest").text
    assert second.count("data-page") == 1 and caller.get(f"{page}?cursor=x").status_code == 400
    lines = caller.get(f"{file}?kind=orders&columns=what,kind").text.splitlines()
    assert len(lines) == 3 and lines[0].endswith("What happened,Kind") and lines[1].endswith("Orders")
    for stranger in (staff(other_shop.id),):
        assert [call_as(stranger).get(one).status_code for one in (page, file)] == [404, 404]
    blind = staff(shop.id, ALL - {Permission.MEMBERS_READ})
    assert [call_as(blind).get(one).status_code for one in (page, file)] == [403, 403]
    narrow = staff(shop.id, frozenset({Permission.MEMBERS_READ}))
    assert "member-timeline-points-" not in call_as(narrow).get(f"{page}?kind=points").text


def written(uow: UnitOfWork, member_id: UUID, **asked: Any) -> list[tuple[str, str, int, str]]:
    """Each line as its kind, what it says, its points and who did it, oldest first."""
    return [
        (
            kind.key,
            one.sentence if one.told else one.sentence.format(**one.data),
            one.points,
            one.actor,
        )
        for kind, one in lines(uow, member_id, sort="oldest", **asked)
    ]


def test_what_staff_adjust_is_one_line_with_who_and_why(shop: TestShop) -> None:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        one, two = (members.enroll(uow, [Person(n, f"{n}@example.com")])[n].id for n in (1, 2))
        start = len(written(uow, one)), len(written(uow, two))
        [given] = points.adjust_by_hand(uow, [Wish(one, "award", 25, "a", "goodwill", note="sorry")])
    with unit_of_work(shop.id, actor=MAYA) as uow:
        points.adjust_by_hand(uow, [Wish(one, "transfer", 5, "t", "correction", to_member_id=two)])
    with unit_of_work(shop.id, actor=MAYA) as uow, pytest.raises(UndoRefused):
        points.undo(uow, given.id)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        [more] = points.adjust_by_hand(uow, [Wish(one, "award", 7, "b", "goodwill")])
    with unit_of_work(shop.id, actor=OMAR) as uow:
        points.undo(uow, more.id)
        whole = written(uow, one)[start[0] :]
        assert whole == [
            ("points", "25 points: Goodwill (sorry)", 25, "Maya"),
            ("points", "−5 points: Correction", -5, "Maya"),
            ("points", "7 points: Goodwill", 7, "Maya"),
            ("points", "−7 points: an adjustment by hand was undone.", -7, "Omar"),
        ]
        assert written(uow, two)[start[1] :] == [("points", "5 points: Correction", 5, "Maya")]
        assert len(written(uow, one, only="changes")) == 4


def test_what_waited_is_told_when_it_was_asked_for_and_when_it_was_decided(shop: TestShop) -> None:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        points.save_adjust_settings(uow, SettingsForm(approval_above=10))
        one = members.enroll(uow, [Person(1, "1@example.com")])[1].id
        start = len(written(uow, one))
        asked = points.adjust_by_hand(
            uow, [Wish(one, "award", number, f"w{number}", "goodwill") for number in (25, 30)]
        )
    for adjustment, approve in zip(asked, (True, False), strict=True):
        with unit_of_work(shop.id, actor=OMAR) as uow:
            points.decide(uow, adjustment.id, approve=approve)
    with shop.work() as uow:
        assert sorted(written(uow, one)[start:]) == [
            ("changes", "Adjustment by 25 points asked for", 0, "Maya"),
            ("changes", "Adjustment by 30 points asked for", 0, "Maya"),
            ("changes", "Adjustment decided", 0, "Omar"),
            ("points", "25 points: Goodwill", 25, "Omar"),
        ]


def test_whom_staff_enroll_joins_in_one_line(shop: TestShop) -> None:
    with unit_of_work(shop.id, actor=MAYA) as uow:
        one = bulk.enroll_one(uow, "ada@example.com")
    with shop.work() as uow:
        [(kind, told, gave, who)] = written(uow, one)
        assert (kind, told, who) == ("points", f"{gave} points for joining.", "Maya")
        program = programs.active(uow)
        assert program is not None
        programs.update(uow, program.id, {"signup_bonus": 0}, version=program.version)
    with unit_of_work(shop.id, actor=MAYA) as uow:
        two = bulk.enroll_one(uow, "bo@example.com")
        assert written(uow, two) == [("changes", "Enrolled by the shop", 0, "Maya")]


def test_a_move_to_a_tier_is_one_line_with_what_it_gave(shop: TestShop) -> None:
    with shop.work() as uow:
        one = members.enroll(uow, [Person(1, "1@example.com", "Ada", "Byron")])[1].id
        reward_id, reward = tiers.givable(uow, "en")[0]
        ladder = tiers.ladders(uow)[0]
        gives = {"Silver": {"entry_points": 150, "entry_reward_id": reward_id}, "Gold": {"entry_points": 20}}
        levels = tuple(replace(level, **gives.get(level.name, {})) for level in ladder.levels)
        ladder = tiers.save(uow, replace(ladder, levels=levels), version=ladder.version)
        tier_ids = {level.name: level.id for level in ladder.levels}
    with shop.work() as uow:
        start = len(written(uow, one))
    for actor, tier, reason in ((MAYA, "Silver", "a regular"), (OMAR, "Gold", "")):
        with unit_of_work(shop.id, actor=actor) as uow:
            tiers.assign(uow, {one: tier_ids[tier]}, reason=reason, lock_until=uow.now + timedelta(days=9))
    with shop.work() as uow:
        code = rewards.every_redemption_of(uow, one)[0].code
    with shop.work() as uow:
        whole = written(uow, one)[start:]
        assert whole == [
            ("tiers", f"Rose to Silver (a regular) and received {reward}", 150, "Maya"),
            ("tiers", "Rose to Gold", 20, "Omar"),
        ]
        told = [happening for kind, happening in lines(uow, one) if kind.key == "tiers"]
        assert [one.code for one in told if one.points == 150] == [code]
        assert [(kind, gave) for kind, _, gave, _ in written(uow, one, only="points")[-2:]] == [
            ("points", 150),
            ("points", 20),
        ]
        assert [text for _, text, *_ in written(uow, one, only="rewards")] == [
            f"Redeemed {reward}; its code is being made"
        ]
        assert len(written(uow, one, only="changes")) == 2
        assert [(text, gave) for _, text, gave, _ in written(uow, one, only="tiers")[-2:]] == [
            ("Rose to Silver (a regular)", 0),
            ("Rose to Gold", 0),
        ]


def test_a_merge_and_a_parting_are_one_line_each(shop: TestShop) -> None:
    with shop.work() as uow:
        one, two = (members.enroll(uow, [Person(n, f"{n}@example.com", f"Name{n}")])[n].id for n in (1, 2))
        points.credit(uow, [Credit(two, 1_100, "k", "thanks")])
        start = len(written(uow, one))
    with unit_of_work(shop.id, actor=MAYA) as uow:
        merge_id = members.merge(uow, one, two)
        assert merge_id
    with unit_of_work(shop.id, actor=OMAR) as uow:
        merged = [line for line in written(uow, one) if line[3] == "Maya"]
        assert merged == [
            ("merges", "Name2 was merged into this member and brought points: 1,100", 0, "Maya"),
        ]
        members.unmerge(uow, merge_id)
    with shop.work() as uow:
        apart = written(uow, one)[start:]
        assert [(text, gave, who) for kind, text, gave, who in apart if kind == "merges"] == [
            ("Name2 was merged into this member", 1_100, "Maya"),
            ("Name2 was separated from this member", -1_100, "Omar"),
        ]
        assert {kind for kind, *_ in apart} <= {"merges", "tiers"}


def test_what_the_calendar_and_refunds_do_is_one_line_each(shop: TestShop) -> None:
    shop.tell("orders/paid", payloads.order(5, customer=payloads.customer(77)))
    shop.drain()
    shop.tell("refunds/create", payloads.refund(905, 5, [(51, 1, "100.00")]))
    shop.drain()
    with shop.work() as uow:
        found = members.by_customer(uow, 77)
        assert found is not None
        points.credit(uow, [Credit(found.id, 30, "b", "birthday", expires_at=uow.now + timedelta(days=10))])
    with unit_of_work(shop.id, actor=MAYA) as uow:
        extending.extend(uow, found.id, uow.now.date() + timedelta(days=90), 30)
    with shop.work() as uow:
        whole = [line for line in written(uow, found.id) if line[0] != "tiers"]
        assert [kind for kind, *_ in whole] == ["orders", "points", "points", "points", "points"]
        told = sorted(text for _, text, *_ in whole[2:4])
        assert told[0] == "30 points for a birthday." and "order #1005 was refunded" in told[1]
        assert whole[-1][1:] == ("30 points kept for longer: the shop gave another expiry date.", 0, "Maya")
