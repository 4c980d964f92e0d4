"""Two people open one form; the second to save is told, sees what was read, saved and typed, and loses nothing."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from app.domains.programs import service as programs
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import queries as rewards
from app.domains.rewards.schemas import CatalogQuery
from app.domains.segments import service as segments
from app.domains.segments.schemas import SegmentIn
from app.domains.tiers import service as tiers
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

TEMPLATES = Path(__file__).parents[2] / "templates/admin"
_VERSIONED = re.compile(r'hidden\(f, "version"|, version=view')


class Fields(HTMLParser):
    """What a browser would send of one form."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.inside, self.template = form, False, False
        self.found: list[tuple[str, str]] = []
        self.select: str | None = None
        self.first: str | None = None
        self.chosen = False
        self.text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == self.form
        self.template = self.template or tag == "template"
        if not self.inside or self.template or "disabled" in given:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "input" and name:
            if given.get("type") in ("checkbox", "radio") and "checked" not in given:
                return
            self.found.append((name, value if "value" in given else "on"))
        elif tag == "select":
            self.select, self.first, self.chosen = name, None, False
        elif tag == "option" and self.select:
            self.first = value if self.first is None else self.first
            if "selected" in given:
                self.chosen = True
                self.found.append((self.select, value))
        elif tag == "textarea":
            self.text, self.select = [], name

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "template":
            self.template = False
        elif tag == "textarea" and self.text is not None and self.select:
            self.found.append((self.select, "".join(self.text).removeprefix("\n")))
        elif tag == "select" and self.select and not self.chosen and self.first is not None:
            self.found.append((self.select, self.first))
        if tag in ("select", "textarea"):
            self.text = self.select = None


def fields_of(page: str, form: str) -> dict[str, Any]:
    reader = Fields(form)
    reader.feed(page)
    assert reader.found, f"no form {form}"
    names = [name for name, _ in reader.found]
    return {
        name: [value for own, value in reader.found if own == name]
        if names.count(name) > 1
        else dict(reader.found)[name]
        for name in names
    }


def _program(shop: TestShop) -> str:
    with shop.work() as uow:
        found = programs.active(uow)
        assert found is not None
        return f"/app/loyalty-programs/{found.id}"


def _campaign_of_program(shop: TestShop) -> str:
    place = _program(shop)
    with shop.work() as uow:
        found = programs.active(uow)
        assert found is not None
        found.multipliers = [
            {"id": "c1", "name": "Acme week", "factor": "2", "conditions": {"tags": ["sale"]}}
        ]
    return f"{place}/campaigns/c1"


def _referral(shop: TestShop) -> str:
    with shop.work() as uow:
        made = referrals.create(uow, CampaignCreate(name="Friends"))
    return f"/app/referral-campaigns/{made.id}"


def _segment(shop: TestShop, kind: str) -> str:
    asked = {"conditions": [{"fact": "orders", "op": "at_least", "number": 1}]} if kind == "rules" else {}
    with shop.work() as uow:
        made = segments.create(uow, SegmentIn.model_validate({"name": "VIPs", "kind": kind, "rules": asked}))
    return f"/app/members/segments/{made.id}/edit"


def _tier(shop: TestShop) -> str:
    with shop.work() as uow:
        return f"/app/tier-management/{tiers.ladder(uow)[1].id}"


def _ladder(shop: TestShop) -> str:
    with shop.work() as uow:
        return f"/app/tier-management/ladders/{tiers.ladders(uow)[0].id}"


def _reward(shop: TestShop) -> str:
    with shop.work() as uow:
        return f"/app/reward-catalog/{rewards.listed(uow, CatalogQuery()).items[0].id}"


CASES: dict[str, tuple[Callable[[TestShop], str], str, str, tuple[str, str]]] = {
    "rule": (
        lambda shop: f"{_program(shop)}/rules/purchase",
        "loyalty-programs.save-rule",
        "rule.caps.per_day",
        ("100", "200"),
    ),
    "campaign": (_campaign_of_program, "loyalty-programs.save-campaign", "campaign.budget", ("500", "700")),
    "schedule": (
        lambda shop: f"{_program(shop)}/schedule",
        "loyalty-programs.plan",
        "ends_at",
        ("2031-01-01T10:00", "2032-01-01T10:00"),
    ),
    "program": (_program, "loyalty-programs.save", "signup_bonus", ("300", "400")),
    "referral": (_referral, "referral-campaigns.save", "advocate_points", ("300", "400")),
    "segment": (
        lambda shop: _segment(shop, "rules"),
        "members.save-segment",
        "description",
        ("Mine", "Yours"),
    ),
    "list": (lambda shop: _segment(shop, "manual"), "members.save-list", "description", ("Mine", "Yours")),
    "tier": (_tier, "tier-management.save", "early_days", ("3", "4")),
    "ladder": (_ladder, "tier-management.save-ladder", "notice_days", ("3", "4")),
    "reward": (_reward, "reward-catalog.save", "valid_days", ("30", "40")),
    "brand": (lambda _: "/app/home/brand", "home.save-brand", "names.en", ("One", "Two")),
    "valuation": (
        lambda _: "/app/points-ledger/liability",
        "points-ledger.save_liability",
        "accounts.sales",
        ("4000", "4001"),
    ),
    "adjusting": (
        lambda _: "/app/points-ledger/adjustments",
        "points-ledger.adjust-settings",
        "daily_limit",
        ("3000", "4000"),
    ),
    "notices": (
        lambda _: "/app/points-ledger/expiry-warnings",
        "points-ledger.save_notices",
        "warn_days",
        ("40", "50"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_second_to_save_sees_both_and_loses_nothing(
    shop: TestShop, call_as: Callable[..., Caller], case: str
) -> None:
    make, action, field, (theirs, mine) = CASES[case]
    place, form = make(shop), action.replace(".", "-")
    caller = call_as(staff(shop.id))
    page = caller.get(place).text
    url = re.search(rf'id="{form}"[^>]* action="([^"]+)"', page)
    assert url is not None
    read = fields_of(page, form)
    first = caller.submit(url[1], read | {field: theirs, "idempotency_key": "theirs"})
    assert first.status_code == 200, re.findall(r'class="problem-list">.*', first.text)
    late = caller.submit(url[1], read | {field: mine, "idempotency_key": "mine"})
    assert late.status_code == 409, late.text
    rows = re.findall(r"<tr role=\"row\"><th scope=\"row\".*?</tr>", late.text, re.DOTALL)
    assert len(rows) == 1, rows
    was = str(read[field])
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", rows[0], re.DOTALL)]
    assert cells[1:] == [theirs, mine] and cells[0] == (was or "–")
    again = fields_of(late.text, form)
    assert {name: value for name, value in again.items() if name not in _OF_THE_FORM} == {
        name: value for name, value in (read | {field: mine}).items() if name not in _OF_THE_FORM
    }
    saved = caller.submit(url[1], again)
    assert saved.status_code == 200, saved.text
    assert fields_of(caller.get(place).text, form)[field] == mine


# What only confirms, and has nothing typed that could be lost.
_CONFIRMATIONS = {"programs/_launch_program.html"}
_OF_THE_FORM = ("version", "_as_read", "idempotency_key")


def test_every_form_with_a_version_shows_differences() -> None:
    forms = [one for one in TEMPLATES.rglob("*.html") if _VERSIONED.search(one.read_text())]
    without = [
        str(one.relative_to(TEMPLATES))
        for one in forms
        if not ("{{ as_read(" in one.read_text() and "stale_diff(" in one.read_text())
    ]
    assert set(without) == _CONFIRMATIONS
    assert len(forms) >= len(CASES)


@pytest.mark.parametrize("drawer", ["rule", "campaign"])
def test_a_drawer_compares_every_field_that_it_shows(
    shop: TestShop, call_as: Callable[..., Caller], drawer: str
) -> None:
    make = CASES[drawer][0]
    page = call_as(staff(shop.id)).get(make(shop)).text
    names = set(re.findall(rf'name="({drawer}\.[a-z_.]+)"', page))
    compared = set(re.findall(rf"&#34;({drawer}\.[a-z_.]+)&#34;:", page))
    assert names - compared <= {f"{drawer}.id", f"{drawer}.kind"}, names - compared
