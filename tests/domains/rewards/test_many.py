"""A catalog of 600 rewards: every list goes to its end, every choice is bounded, and what lies deep can still be given."""

from collections.abc import Callable
from uuid import UUID

import pytest

from app.domains.programs import service as programs
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import queries, service
from app.domains.rewards.schemas import CatalogQuery
from app.domains.rewards.service.tasks import TASKS
from app.domains.storefront import queries as storefront
from app.domains.tiers import service as tiers
from tests.fixtures.paging import there_and_back
from tests.fixtures.shop import TestShop
from tests.fixtures.web import Caller, staff

MANY = 600


@pytest.fixture
def last(shop: TestShop) -> UUID:
    """The id of the reward at the catalog's end; the first are retired or drafts, one of ten has a stock."""
    with shop.work() as uow:
        program = programs.active(uow)
        assert program is not None
        uow.execute(
            "INSERT INTO rewards (shop_id, id, program_id, name, kind, points_cost, value_minor, status, position, stock)"
            " SELECT %(shop)s, gen_random_uuid(), %(program)s, 'Reward ' || n, 'amount_off', 100, 500,"
            " CASE WHEN n > 60 THEN 'active' WHEN n %% 3 = 0 THEN 'draft' ELSE 'retired' END, n,"
            " CASE WHEN n %% 10 = 0 THEN 1000 - n END FROM generate_series(1, %(many)s) n",
            {"shop": shop.id, "program": program.id, "many": MANY},
        )
        found: UUID = uow.scalar("SELECT id FROM rewards WHERE name = %(name)s", {"name": f"Reward {MANY}"})
    return found


@pytest.mark.parametrize("status", [None, "active", "retired"])
def test_the_list_goes_through_all_of_them_once(shop: TestShop, last: UUID, status: str | None) -> None:
    with shop.work() as uow:
        found = there_and_back(
            lambda cursor: queries.listed(
                uow, CatalogQuery.model_validate({"status": status, "cursor": cursor})
            )
        )
        seen: list[UUID] = [one.id for one in found]
        assert (
            len(seen) == len(set(seen)) == queries.count(uow, CatalogQuery.model_validate({"status": status}))
        )
        in_order = [
            row["id"]
            for row in uow.all(
                "SELECT id FROM rewards WHERE %(status)s::text IS NULL OR status = %(status)s"
                " ORDER BY status = 'retired', position, points_cost, id",
                {"status": status},
            )
        ]
        assert seen == in_order


def test_the_page_and_the_file_have_them_all(
    shop: TestShop, last: UUID, call_as: Callable[..., Caller]
) -> None:
    caller = call_as(staff(shop.id))
    assert "cursor=" in caller.get("/app/reward-catalog").text
    assert "Reward 600" in caller.get("/v1/api/rewards.csv").text


def test_choices_are_bounded_and_the_last_can_still_be_given(
    shop: TestShop, last: UUID, call_as: Callable[..., Caller]
) -> None:
    with shop.work() as uow:
        assert len(service.givable(uow)) == 500
        assert [one.id for one in service.givable(uow, {last})] == [last]
        silver = tiers.ladder(uow)[1]
        campaign = referrals.create(uow, CampaignCreate(name="Friends", friend_reward_id=last))
    caller = call_as(staff(shop.id))
    form = {
        "version": 1,
        "name": "Silver",
        "threshold": "1000",
        "multiplier": "1.25",
        "color": silver.color,
        "gift_every": "month",
        "early_days": "0",
        "entry_reward_id": str(last),
    }
    assert caller.submit(f"/app/tier-management/{silver.id}/save", form).status_code == 200
    page = caller.get(f"/app/tier-management/{silver.id}").text
    assert f'<option value="{last}" selected>Reward 600' in page and page.count("<option") < 1_050
    assert "Only the first 500 rewards of the catalog are listed" in page
    shown = caller.get(f"/app/referral-campaigns/{campaign.id}").text
    assert f'<option value="{last}" selected>Reward 600' in shown
    with shop.work() as uow:
        assert referrals.coupons(uow, referrals.promised(campaign), "en") == {"friend": "Reward 600"}


def test_what_runs_out_first_can_be_refilled_wherever_it_lies(shop: TestShop, last: UUID) -> None:
    refill = next(one for one in TASKS if one.key == "refill-stock")
    assert refill.choices is not None
    with shop.work() as uow:
        found = refill.choices(uow, "en")["rewards"]
        assert found[0] == (str(last), "Reward 600", 400) and len(found) <= 100


def test_shoppers_see_the_first_that_are_for_them(shop: TestShop, last: UUID) -> None:
    with shop.work() as uow:
        segment = UUID(int=7)
        uow.execute(
            "UPDATE rewards SET segments = CASE WHEN position < 500 THEN %(segments)s ELSE '{}' END,"
            " stock = stock_taken WHERE position BETWEEN 1 AND 599",
            {"segments": [segment]},
        )
        _, offered = storefront.catalog(uow)
        assert len(offered) <= 50
        assert last in {one.id for one in offered}
