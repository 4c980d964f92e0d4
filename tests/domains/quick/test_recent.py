"""What was done lately: in the reader's language, filtered, page by page, as a file, and only in one's own shop."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core import ids
from app.core.permissions import ALL, Permission
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.quick import queries
from app.domains.quick.schemas import RunsQuery
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

TAB = "/app/quick-actions"
FILE = "/v1/api/quick-actions.csv"
Call = Callable[..., Caller]
_SEVERAL = """
INSERT INTO quick_runs (shop_id, id, task, actor_kind, actor_id, actor_label, message, data, created_at, undone_at)
SELECT %(shop)s, gen_random_uuid(), CASE WHEN n %% 3 = 0 THEN 'refill-stock' ELSE 'award-points' END, 'staff', '1', 'Ada',
  '{points} points were added.', '{"points": 5}', timestamptz '2026-03-01 12:00+00' + n / 2 * interval '1 day',
  CASE WHEN n %% 4 = 0 THEN now() END
FROM generate_series(1, 20) n
"""


@pytest.fixture
def reward(shop: TestShop) -> UUID:
    with shop.work() as uow:
        members.enroll(uow, [Person(77, "ada@example.com", "Ada", "Byron")])
        found: UUID = uow.scalar("SELECT id FROM rewards ORDER BY points_cost LIMIT 1")
        uow.execute(
            "UPDATE rewards SET stock = 5, name = 'Blue mug', names = %(names)s WHERE id = %(id)s",
            {"id": found, "names": '{"es": "Taza azul", "ar": "كوب أزرق"}'},
        )
    return found


def run(caller: Caller, task: str, **given: Any) -> Any:
    answer = caller.submit(f"{TAB}/{task}", {**given, "_step": "run", "idempotency_key": ids.new_id().hex})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    ("task", "more"), [("refill-stock", {"pieces": "3"}), ("give-reward", {"member": "ada@example.com"})]
)
def test_a_reward_has_the_name_of_whoever_reads(
    shop: TestShop, reward: UUID, call_as: Call, task: str, more: dict[str, str]
) -> None:
    done = run(call_as(staff(shop.id, locale="es")), task, reward=str(reward), **more)
    assert "Taza azul" in done.headers["HX-Trigger"].encode().decode("unicode-escape")
    for locale, name in (("es", "Taza azul"), ("ar", "كوب أزرق"), ("fr", "Blue mug"), ("en", "Blue mug")):
        caller = call_as(staff(shop.id, locale=locale))
        assert name in caller.get(TAB).text
        assert name in caller.get(FILE).text


def test_a_tier_and_a_day_are_told_in_the_language_of_whoever_reads(
    shop: TestShop, reward: UUID, call_as: Call
) -> None:
    with shop.work() as uow:
        tier = uow.one("SELECT id, name, names FROM tiers ORDER BY threshold DESC LIMIT 1")
        day = (uow.now + timedelta(days=30)).date()
    assert tier
    caller = call_as(staff(shop.id))
    run(caller, "give-tier", member="ada@example.com", tier=str(tier["id"]), days="5")
    run(caller, "double-points", name="More", factor="2", starts_on=str(day), ends_on=str(day))
    assert tier["name"] in caller.get(TAB).text
    spanish = call_as(staff(shop.id, locale="es")).get(TAB).text
    assert tier["names"]["es"] in spanish
    assert str(day) not in spanish and f"{day.year}" in spanish


def test_runs_are_narrowed_and_sorted_page_by_page(shop: TestShop) -> None:
    with shop.work() as uow:
        uow.execute(_SEVERAL, {"shop": shop.id})
        everything = uow.all("SELECT id, task, undone_at, created_at FROM quick_runs")
        for task in (None, "refill-stock", "unknown"):
            for state in (None, "done", "undone"):
                for sort in ("newest", "oldest"):
                    expected = sorted(
                        (row["created_at"], row["id"])
                        for row in everything
                        if task in (None, row["task"])
                        and state in (None, "undone" if row["undone_at"] else "done")
                    )
                    asked = {"task": task, "state": state, "sort": sort, "limit": 3}
                    found = there_and_back(
                        lambda cursor, asked=asked: (
                            queries.runs(uow, RunsQuery(**asked, cursor=cursor), (None, None)).page
                        )
                    )
                    ordered = expected if sort == "oldest" else expected[::-1]
                    assert [row["id"] for row in found] == [one for _, one in ordered]


def test_the_page_and_the_file_show_the_same(shop: TestShop, other_shop: TestShop, call_as: Call) -> None:
    with shop.work() as uow:
        uow.execute(_SEVERAL, {"shop": shop.id})
    caller = call_as(staff(shop.id))
    page = caller.get(f"{TAB}?task=refill-stock&start=2026-03-03").text
    file = caller.get(f"{FILE}?task=refill-stock&start=2026-03-03&columns=task,message").text
    lines = list(csv.reader(io.StringIO(file.removeprefix("\ufeff"))))
    assert lines[0] == ["Action", "Result"] and lines[1][1] == "5 points were added."
    assert len(lines) - 1 == page.count('role="row" id="quick-runs-') > 0
    assert "No action matches" in caller.get(f"{TAB}?start=2090-01-01").text
    assert "Nothing was done here yet" in call_as(staff(other_shop.id)).get(TAB).text
    assert len(call_as(staff(other_shop.id)).get(FILE).text.splitlines()) == 1
    assert call_as(staff(shop.id, ALL - {Permission.PROGRAMS_READ})).get(FILE).status_code == 403
    assert caller.get(f"{TAB}?cursor=nonsense").status_code == 400
    assert caller.get(f"{TAB}?limit=3").text.count("data-page") == 1
