"""The editor of a tier when two people use it at once, and moves in the reader's language."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.core.permissions import ALL
from app.domains.tiers import service
from app.domains.tiers.schemas import TierForm, TierNames
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

CallAs = Callable[..., Caller]


def make_tier(shop: TestShop) -> str:
    with shop.work() as uow:
        main = service.ladders(uow)[0]
        form = TierForm(name="Ruby", names=TierNames(ar="ياقوت"), threshold=Decimal(77))
        saved = service.save(uow, service.draft_tier(uow, main, form, None), version=main.version)
        return str(next(level.id for level in saved.levels if level.name == "Ruby"))


def fields(**changes: Any) -> dict[str, Any]:
    return {"name": "Ruby", "threshold": "77", "multiplier": "1", "color": "#8a8a8a", **changes}


def test_the_second_saver_sees_the_difference_and_may_save_on_top(
    shop: TestShop, call_as: CallAs, other_shop: TestShop
) -> None:
    tier = make_tier(shop)
    caller = call_as(staff(shop.id, ALL))
    path = f"/app/tier-management/{tier}/save"
    page = caller.fragment(f"/app/tier-management/{tier}").text
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    version = found[1]
    assert caller.submit(path, fields(version=version, color="#112233")).status_code == 200

    late = caller.submit(path, fields(version=version, name="Rubin"))
    assert late.status_code == 409
    assert 'id="tier-differences"' in late.text
    assert "<del><bdi>#112233</bdi></del>" in late.text and "<ins><bdi>#8a8a8a</bdi></ins>" in late.text
    assert 'value="Rubin"' in late.text, "what was typed stays"
    newer = re.search(r'name="version" value="(\d+)"', late.text)
    assert newer is not None and newer[1] != version
    assert caller.submit(path, fields(version=newer[1], name="Rubin")).status_code == 200
    with shop.work() as uow:
        assert [level.name for level in service.ladder(uow) if level.threshold == 77] == ["Rubin"]
    assert call_as(staff(other_shop.id, ALL)).submit(path, fields(version=newer[1])).status_code == 404
