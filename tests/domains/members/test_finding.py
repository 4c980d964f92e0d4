"""Finding members: by the beginnings of names, and pairs who may be one person."""

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import UnitOfWork
from app.domains.members import queries, rules
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound, MergeRefused
from app.domains.members.schemas import Person
from tests.factories import payloads
from tests.fixtures.shop import TestShop


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ana.ruiz+shop@gmail.com", "AnaRuiz@googlemail.com"),
        ("ana+1@example.com", " ANA@example.com "),
        ("ana@example.com", "ana@example.com"),
    ],
)
def test_one_mailbox_has_many_names(one: str, other: str) -> None:
    assert rules.plain_email(one) == rules.plain_email(other)


@pytest.mark.parametrize(
    ("one", "other"), [("a.na@example.com", "ana@example.com"), ("+x@example.com", "@example.com")]
)
def test_other_mailboxes_stay_apart(one: str, other: str) -> None:
    assert rules.plain_email(one) != rules.plain_email(other)


@given(st.text(max_size=40))
def test_any_beginning_of_a_name_that_is_long_enough_is_sought(name: str) -> None:
    known = rules.beginnings(name)
    for word in rules.words(name):
        for length in range(rules.SHORTEST, len(word) + 1):
            assert set(rules.sought(word[:length])) <= {*known, word[: rules.LONGEST]}


def join(uow: UnitOfWork, number: int, first: str, last: str, email: str, phone: str | None = None) -> UUID:
    found = members.enroll(uow, [Person(number, email, first, last, phone)])[number].id
    members.index_profiles(uow)
    return found


def test_names_are_found_by_their_beginnings(shop: TestShop, other_shop: TestShop) -> None:
    with shop.work() as uow:
        jose = join(uow, 1, "José María", "Núñez", "jose@example.com")
        noura = join(uow, 2, "نورة", "الحداد", "noura@example.com")

        def found(text: str) -> list[UUID]:
            return [one.id for one in members.search(uow, text)]

        assert found("jo") == found("nun") == found("MARÍA nuñ") == found(" jose ") == [jose]
        assert found("نو") == [noura]
        assert found("jo الح") == found("j") == found("xx") == found("") == []
        assert found("jose@example.com") == [jose]
        text = uow.all("SELECT member_prefixes::text AS row FROM member_prefixes")
        assert not any("jos" in row["row"] for row in text)
    with other_shop.work() as uow:
        assert members.search(uow, "jo") == []


def test_a_new_name_replaces_the_old_one_and_erasure_leaves_none(shop: TestShop) -> None:
    shop.tell("customers/create", payloads.customer(77, updated_at=payloads.at(0)))
    shop.drain()
    with shop.work() as uow:
        members.index_profiles(uow)
    shop.tell("customers/update", payloads.customer(77, first_name="Layla", updated_at=payloads.at(5)))
    shop.drain()
    with shop.work() as uow:
        assert members.index_profiles(uow) == 1
        assert members.index_profiles(uow) == 0
        assert [len(members.search(uow, text)) for text in ("noura", "layla")] == [0, 1]
        members.erase(uow, members.search(uow, "layla")[0].id)
        assert members.search(uow, "layla") == []
        assert uow.scalar("SELECT count(*) FROM member_prefixes") == 0


def test_people_who_may_be_one_are_listed_once_and_said_apart_for_good(shop: TestShop) -> None:
    with shop.work() as uow:
        one = join(uow, 1, "Ana", "Ruiz", "ana.ruiz@gmail.com", "+34 600 11 22 33")
        two = join(uow, 2, "Ana", "R", "anaruiz+news@gmail.com", "0034600112233")
        three = join(uow, 3, "Ana", "Ruiz", "other@example.com")
        for member in (one, three):
            sealed = uow.seal(date(1990, 5, 1).isoformat(), "members.birthday")
            uow.execute(
                "UPDATE members SET birthday_sealed = %(day)s, indexed = false WHERE id = %(id)s",
                {"day": sealed, "id": member},
            )
        members.index_profiles(uow)
        pairs = [(found.why, {found.one, found.other}) for found in members.duplicates(uow)]
        assert pairs == [("email", {one, two}), ("person", {one, three})]
        for _ in range(2):
            members.tell_apart(uow, two, one)
        assert [found.why for found in members.duplicates(uow)] == ["person"]
        members.merge(uow, one, three)
        assert members.duplicates(uow) == []
        with pytest.raises(MergeRefused):
            members.tell_apart(uow, one, one)


def test_another_shops_members_are_nobody(shop: TestShop, other_shop: TestShop) -> None:
    with shop.work() as uow:
        one = join(uow, 1, "Ana", "Ruiz", "ana@example.com")
    with other_shop.work() as uow:
        two = join(uow, 1, "Ana", "Ruiz", "ana@example.com")
        assert members.duplicates(uow) == []
        with pytest.raises(MemberNotFound):
            members.tell_apart(uow, one, two)


def test_looking_for_duplicates_reads_indexes(shop: TestShop) -> None:
    with shop.work() as uow:
        uow.execute("SET LOCAL enable_seqscan = off")
        plan = uow.all("EXPLAIN " + queries._DUPLICATES, {"shop": uow.shop, "limit": 50, "cap": 2000})
        text = "\n".join(row["QUERY PLAN"] for row in plan)
    for index in ("members_email_match_idx", "members_phone_idx", "members_person_idx"):
        assert index in text
