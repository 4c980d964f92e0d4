"""The preview goes by kinds of members and in sets; its answer is that of the rule for each member, for any ladder."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.tiers import queries, rules, service
from app.domains.tiers.queries.values import values
from app.domains.tiers.rules.windows import EVER
from app.domains.tiers.schemas import Held, Ladder, Level, Value, Window
from app.domains.tiers.service import simulating
from app.domains.tiers.service.placing import windows_of
from tests.domains.tiers.conftest import Club
from tests.domains.tiers.test_rules import NOW, UTC_ZONE, helds, ladder, ladders
from tests.domains.tiers.test_rules import values as any_value

WINDOW = Window(EVER, EVER)
_OTHER = Level(ids.new_id(), "Gone", {}, 50, 10_000, "#000000")


@given(ladders, ladders, st.lists(st.booleans(), min_size=4, max_size=4), helds, any_value, st.booleans())
def test_a_kind_s_verdict_is_that_of_each_of_its_members(
    draft: Ladder, old: Ladder, kept: list[bool], before: Held | None, value: Value, gone: bool
) -> None:
    draft = replace(draft, levels=tuple(one for one, stays in zip(draft.levels, kept, strict=True) if stays))
    old = replace(old, levels=(*old.levels, _OTHER))
    if gone and before:
        before = replace(before, tier_id=_OTHER.id)
    kinds = {
        (one.held, one.reached, one.locked, one.grace): one
        for one in rules.foresee(old, draft, NOW, UTC_ZONE)
    }
    known = rules.known_tiers(old, draft)
    place = 0 if before is None else known.index(before.tier_id) + 2 if before.tier_id else 1
    reached = sum(value.counted >= one.threshold for one in draft.levels)
    locked = before is not None and before.locked_until is not None and before.locked_until > NOW
    grace = 0 if before is None or before.grace_until is None else 2 if before.grace_until > NOW else 1
    found = kinds[place, reached, locked, grace]
    verdict = rules.decide(draft, WINDOW, value, before, NOW, UTC_ZONE)
    assert found.will == (draft.levels[verdict.rank].name if verdict.rank is not None else None)
    assert found.outcome == rules.outcome(draft, before, verdict)


def test_a_fall_of_one_tier_is_a_fall_now() -> None:
    one = ladder(downgrade="one_level", period="rolling")
    before = Held(one.levels[3].id, NOW)
    verdict = rules.decide(one, WINDOW, Value(), before, NOW, UTC_ZONE)
    assert verdict.grace_until is not None and rules.outcome(one, before, verdict) == "down"


def _populate(club: Club, dice: random.Random) -> list[UUID]:
    """Members with points given and taken back over two years, orders, merged accounts, locks and grace."""
    who = [club.join() for _ in range(24)]
    for _ in range(5):
        for member in dice.sample(who, 12):
            order = ids.new_id()
            club.earn(member, dice.randrange(1, 3_000), order)
            if dice.random() < 0.4:
                club.wait(days=dice.randrange(0, 90))
                club.take_back(member, dice.randrange(1, 200), order)
        club.wait(days=dice.randrange(20, 160))
    for member in who:
        for _ in range(dice.randrange(0, 6)):
            club.rows(
                "INSERT INTO tier_orders (shop_id, order_id, member_id, placed_at, orders, net_minor)"
                " VALUES (%(shop)s, gen_random_uuid(), %(member)s, %(at)s, %(orders)s, %(net)s) RETURNING order_id",
                member=member,
                at=club.now - timedelta(days=dice.randrange(0, 900)),
                orders=dice.randrange(0, 2),
                net=dice.randrange(0, 4_000),
            )
    for gone, kept in ((who[0], who[1]), (who[2], who[1])):
        club.rows(
            "UPDATE members SET status = 'merged', merged_into = %(kept)s"
            " WHERE shop_id = %(shop)s AND id = %(gone)s RETURNING id",
            kept=kept,
            gone=gone,
        )
    for member in dice.sample(who, 16):
        club.rows(
            "UPDATE member_tiers SET tier_id = %(tier)s, grace_until = %(grace)s, locked_until = %(lock)s"
            " WHERE shop_id = %(shop)s AND member_id = %(member)s RETURNING member_id",
            member=member,
            tier=dice.choice([row["id"] for row in club.rows("SELECT id FROM tiers")] + [None]),
            grace=dice.choice([None, club.now, club.now + timedelta(days=2), club.now - timedelta(days=2)]),
            lock=dice.choice([None, None, club.now + timedelta(days=2), club.now - timedelta(days=2)]),
        )
    for number, member in enumerate(who):
        joined = datetime(2024, 2, 29, 23, 30, tzinfo=UTC) + timedelta(days=number * 31)
        club.rows(
            "UPDATE members SET enrolled_at = %(at)s WHERE shop_id = %(shop)s AND id = %(member)s RETURNING id",
            member=member,
            at=joined,
        )
    return who


def _draft(dice: random.Random, old: Ladder) -> Ladder:
    metric = dice.choice(["points", "spend", "orders", "rfm"])
    period = "rolling" if metric == "rfm" else dice.choice(["lifetime", "rolling", "calendar", "anniversary"])
    top = {"points": 4_000, "spend": 8_000, "orders": 5, "rfm": 15}[metric]
    kept = [one for one in old.levels if dice.random() < 0.8]
    fresh = [Level(ids.new_id(), f"New {n}", {}, 0, 10_000, "#000000") for n in range(dice.randrange(0, 3))]
    steps = sorted(dice.sample(range(1, top + 1), min(top, len(kept) + len(fresh))))
    mixed = dice.sample(kept + fresh, len(kept) + len(fresh))
    levels = [
        replace(one, threshold=step) for one, step in zip(mixed, [0, *steps][: len(mixed)], strict=True)
    ]
    return replace(
        old,
        metric=metric,
        period=period,
        months=dice.randrange(1, 25),
        grace_days=dice.choice([0, 0, 30]),
        downgrade=dice.choice(["to_earned", "one_level", "none"]),
        levels=tuple(levels),
    )


def _one_by_one(uow: UnitOfWork, draft: Ladder) -> tuple["Counter[Any]", set[Any]]:
    """The same question asked of the rule for each member."""
    at, old = service.zone(uow), queries.ladder(uow, draft.id)
    who = queries.slice_of_members(uow, None, 1_000)
    windows = windows_of(uow, draft, who, at)
    have = values(uow, draft.metric, windows, lifetime=draft.period == "lifetime", months=draft.months)
    held = queries.held(uow, who, draft.id)
    matrix: Counter[Any] = Counter()
    moves = set()
    for member in who:
        before, value = held.get((draft.id, member)), have.get(member, Value())
        verdict = rules.decide(draft, windows[member], value, before, uow.now, at)
        rank = old.rank(before.tier_id) if old and before else None
        was = old.levels[rank].name if old and rank is not None else None
        will = draft.levels[verdict.rank].name if verdict.rank is not None else None
        outcome = rules.outcome(draft, before, verdict)
        matrix[was, will, outcome or "stays"] += 1
        if outcome:
            moves.add((member, was, will, outcome, value.now))
    return matrix, moves


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_the_preview_says_of_everybody_what_the_rule_says(
    club: Club, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    dice = random.Random(zone)
    monkeypatch.setattr(simulating, "SLICE", 7)
    club.rows("UPDATE shops SET timezone = %(zone)s WHERE shop_id = %(shop)s RETURNING shop_id", zone=zone)
    _populate(club, dice)
    club.rows(
        "INSERT INTO tier_readings (shop_id, ended_at) VALUES (%(shop)s, %(at)s) RETURNING shop_id",
        at=club.now,
    )
    seen: Counter[Any] = Counter()
    for _ in range(40):
        with club.work() as uow:
            old = service.ladders(uow)[0]
            draft = _draft(dice, old)
            made = service.simulate(uow, draft, version=old.version)
            found = service.get(uow, made)
            moves = {
                tuple(row.values())
                for row in uow.all(
                    "SELECT member_id, from_name, to_name, outcome, value FROM tier_simulated_moves"
                    " WHERE simulation_id = %(id)s",
                    {"id": made},
                )
            }
            expected, who_moves = _one_by_one(uow, draft)
            assert Counter({tuple(key): count for key, count in found["result"]["matrix"]}) == expected, draft
            assert moves == who_moves, draft
            assert (found["status"], found["seen"]) == ("done", 22)
            seen += Counter({outcome: count for (*_, outcome), count in expected.items()})
    assert set(seen) == {"up", "down", "later", "stays"}, seen


def test_a_preview_leaves_the_scores_that_ladders_stand_on(club: Club) -> None:
    club.ladder(metric="rfm", period="rolling", months=12, levels=_scored(club))
    member = club.join()
    club.rows(
        "INSERT INTO tier_scores (shop_id, months, member_id, recency, frequency, monetary)"
        " VALUES (%(shop)s, 12, %(member)s, 5, 5, 5) RETURNING months",
        member=member,
    )
    club.rows(
        "INSERT INTO tier_readings (shop_id, ended_at) VALUES (%(shop)s, %(at)s)"
        " ON CONFLICT (shop_id) DO UPDATE SET ended_at = excluded.ended_at RETURNING shop_id",
        at=club.now,
    )
    with club.work() as uow:
        old = service.ladders(uow)[0]
        for months in (3, 12):
            service.simulate(uow, replace(old, months=months), version=old.version)
    assert club.rows("SELECT months, recency FROM tier_scores") == [{"months": 12, "recency": 5}]


def _scored(club: Club) -> tuple[Level, ...]:
    with club.work() as uow:
        found = service.ladders(uow)[0].levels
    return tuple(replace(one, threshold=low) for one, low in zip(found, (0, 8, 14), strict=True))
