"""Verification finds what was tampered with, and the past is what it was."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app import cli
from app.core import clock, ids
from app.core.db import unit_of_work
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import jobs, queries, service
from app.domains.points.schemas import Credit, Reversal
from tests.fixtures import rows
from tests.fixtures.shop import TestShop

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
ORDER = ids.new_id()
LOTS = "SELECT id FROM points_lots WHERE member_id = %s"


@pytest.fixture
def member(shop: TestShop) -> UUID:
    """A member with an award, a waiting award, a redemption given back, a refund into debt, its repayment and an expiry."""
    with shop.work() as uow:
        found = members.enroll(uow, [Person(9_100_001)])[9_100_001].id
    steps: list[Callable[[Any], Any]] = [
        lambda uow: service.credit(
            uow, [Credit(found, 500, f"a{found}", "purchase", order_id=ORDER, trace={"base_minor": 1})]
        ),
        lambda uow: service.credit(
            uow,
            [Credit(found, 70, f"b{found}", "purchase", activates_at=START + timedelta(days=3),
                    expires_at=START + timedelta(days=9))],
        ),
        lambda uow: service.hold(uow, found, 300, key=f"h{found}", reason="redemption"),
        lambda uow: service.activate(uow, found),
        lambda uow: service.spend(uow, found, 100, key=f"s{found}", reason="redemption"),
        lambda uow: service.reverse(uow, Reversal(found, 450, f"r{found}", "refund", order_id=ORDER)),
        lambda uow: service.credit(uow, [Credit(found, 400, f"c{found}", "thanks", expires_at=START + timedelta(days=8))]),
        lambda uow: service.expire(uow, [found]),
    ]  # fmt: skip
    for day, step in enumerate(steps):
        with clock.use_clock(lambda at=START + timedelta(days=day + 1): at), unit_of_work(shop.id) as uow:
            step(uow)
    return found


def tamper(sql: str, *values: Any) -> None:
    with rows.connect() as owner:
        owner.execute(sql, values)


def test_an_honest_ledger_has_no_findings(shop: TestShop, member: UUID) -> None:
    result = service.verify(shop.id)
    assert (result.members, result.entries, result.findings) == (1, 8, [])


def _columns() -> Iterator[tuple[str, str]]:
    other = {"uuid": "gen_random_uuid()", "text": "{0} || 'x'", "bigint": "{0} + 1", "boolean": "NOT {0}",
             "bytea": "{0} || '\\x01'", "jsonb": "{0} || '{{\"x\": 1}}'", "points_kind": "'restore'",
             "timestamptz": "coalesce({0}, now()) + interval '1 microsecond'"}  # fmt: skip
    types = {"shop_id": "", "id": "uuid", "member_id": "uuid", "kind": "points_kind", "crossed": "boolean",
             "trace": "jsonb", "order_id": "uuid", "reference_id": "uuid", "program_version_id": "uuid",
             "created_at": "timestamptz", "activates_at": "timestamptz", "expires_at": "timestamptz",
             "previous_hash": "bytea", "hash": "bytea", "key": "text", "reason": "text", "actor_kind": "text",
             "actor_id": "text"}  # fmt: skip
    with rows.connect() as owner:
        found = owner.execute(
            "SELECT attname::text AS name FROM pg_attribute WHERE attrelid = 'points_entries'::regclass"
            " AND attnum > 0 AND NOT attisdropped"
        ).fetchall()
    for column in found:
        kind = types.get(column["name"], "bigint")
        if kind:
            step = "{0} + 1000" if column["name"] == "seq" else other[kind]
            yield column["name"], step.format(column["name"])


def test_a_change_of_any_column_of_any_entry_is_found(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        entries = queries.history(uow, member, 50, None).items
    columns = list(_columns())
    assert len(columns) == 26
    for entry in entries:
        for name, other in columns:
            with rows.connect() as owner:
                try:
                    owner.execute("BEGIN")
                    owner.execute(f"UPDATE points_entries SET {name} = {other} WHERE id = %s", (entry["id"],))  # type: ignore[arg-type]
                    found = owner.execute(
                        "SELECT seq FROM points_entries e WHERE shop_id = %s AND hash <> points_digest(e)"
                        " ORDER BY seq LIMIT 1", (shop.id,)
                    ).fetchone()  # fmt: skip
                finally:
                    owner.execute("ROLLBACK")
            assert found is not None, f"{name} of {entry['kind']}"


@pytest.mark.parametrize(
    ("law", "sql"),
    [
        ("hash", "UPDATE points_entries SET points = points + 1 WHERE member_id = %s AND seq = 3"),
        ("chain", "DELETE FROM points_entries WHERE member_id = %s AND seq = 4"),
        ("lot", "UPDATE points_lots SET remaining = remaining + 1, points = points + 1 WHERE member_id = %s"),
        ("date", "UPDATE points_lots SET expires_at = expires_at + interval '1 day' WHERE member_id = %s"),
        ("buckets", f"UPDATE points_moves SET points = points + 1 WHERE lot_id IN ({LOTS})"),
        ("account", "UPDATE points_accounts SET available = available + 1 WHERE member_id = %s"),
        ("account", "UPDATE points_accounts SET qualifying = qualifying + 1 WHERE member_id = %s"),
    ],
)  # fmt: skip
def test_each_law_finds_its_crime(shop: TestShop, member: UUID, law: str, sql: str) -> None:
    tamper(sql, member)
    found = service.verify(shop.id).findings
    assert [one.member_id for one in found] == [member]
    with shop.work() as uow:
        assert queries.broken_laws(uow, [member])[law]


def test_the_first_bad_entry_is_named(shop: TestShop, member: UUID) -> None:
    tamper("UPDATE points_entries SET reason = 'gift' WHERE member_id = %s AND seq >= 5", member)
    [found] = service.verify(shop.id).findings
    assert (found.law, found.seq) == ("hash", 5)


def test_another_shops_ledger_is_not_looked_at(shop: TestShop, other_shop: TestShop, member: UUID) -> None:
    tamper("UPDATE points_accounts SET available = available + 1 WHERE member_id = %s", member)
    assert service.verify(other_shop.id).members == 0


def test_the_command_line_fails_and_names_the_entry(
    shop: TestShop, member: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    domain = ["--shop", shop.domain]
    assert cli.main(["ledger", "verify", *domain]) == 0
    assert "8 entries, 0 findings" in capsys.readouterr().out
    tamper("UPDATE points_entries SET moved = 7 WHERE member_id = %s AND seq = 2", member)
    assert cli.main(["ledger", "verify", *domain, "--since", "2026-01-01"]) == 1
    told = capsys.readouterr()
    assert f"hash: member {member}" in told.out and "number 2" in told.out
    assert "1 members" in told.err


def test_the_nightly_proof_is_remembered(shop: TestShop, member: UUID) -> None:
    jobs.verify()
    with shop.work() as uow:
        proof = queries.proof(uow)
    assert proof is not None
    assert (proof["entries"], proof["findings"]) == (8, [])
    tamper("UPDATE points_accounts SET held = held + 1 WHERE member_id = %s", member)
    jobs.verify()
    with shop.work() as uow:
        proof = queries.proof(uow)
    assert proof is not None and len(proof["findings"]) == 1


def test_the_past_is_what_it_was(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        days = [service.as_of(uow, member, START + timedelta(days=day)) for day in range(9)]
    seen = [(p.balance.available, p.balance.pending, p.balance.held, p.balance.debt) for p in days]
    assert seen == [
        (0, 0, 0, 0),
        (500, 0, 0, 0),
        (500, 70, 0, 0),
        (200, 70, 300, 0),
        (270, 0, 300, 0),
        (170, 0, 300, 0),
        (0, 0, 300, 280),
        (120, 0, 300, 0),
        (0, 0, 300, 0),
    ]
    for past in days:
        amounts: dict[str, int] = {}
        for lot in past.lots:
            amounts[lot["bucket"]] = amounts.get(lot["bucket"], 0) + lot["amount"]
        for bucket in ("available", "pending", "held"):
            assert amounts.get(bucket, 0) == getattr(past.balance, bucket)


def test_without_the_refund_the_member_would_have_more(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        refund = next(row for row in queries.history(uow, member, 50, None).items if row["kind"] == "reverse")
        there = service.as_of(uow, member, START + timedelta(days=7), without=[refund["id"]])
        before = service.as_of(uow, member, START + timedelta(days=5), without=[refund["id"]])
    assert (there.balance.available, there.balance.debt) == (570, 0)
    assert before.balance.available == 170


def test_a_proof_does_not_wait_for_writers(shop: TestShop, member: UUID) -> None:
    with shop.work() as uow:
        service.credit(uow, [Credit(member, 5, f"open{member}", "thanks")])
        assert service.verify(shop.id).findings == []
