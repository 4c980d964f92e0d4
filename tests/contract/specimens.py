"""A shop that has one of everything, and where the ids in addresses come from."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import db, ids
from app.core.permissions import ALL
from app.domains.bulk import service as bulk
from app.domains.bulk.schemas import Audience
from app.domains.bulk.schemas import Wanted as BulkWanted
from app.domains.lists import service as lists
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit, RedatingForm, Wish
from app.domains.programs import service as programs
from app.domains.programs.schemas import Multiplier
from app.domains.quick import service as quick
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import service as rewards
from app.domains.segments import service as segments
from app.domains.segments.schemas import SegmentIn
from app.domains.tiers import service as tiers
from app.web.principals import Principal
from tests.fixtures.shop import make_shop
from tests.fixtures.web import staff

# The longest prefix that fits an address tells the table whose id it takes. A new address with ids needs its line here.
TABLES = {
    "/api/loyalty-referral/bulk-actions": "bulk_runs",
    "/api/loyalty-referral/members": "members",
    "/api/loyalty-referral/points": "members",
    "/api/loyalty-referral/points/adjustments": "points_adjustments",
    "/api/loyalty-referral/points/redatings": "points_redatings",
    "/api/loyalty-referral/programs": "programs",
    "/api/loyalty-referral/redemptions": "redemptions",
    "/v1/api/members": "members",
    "/v1/api/points/holds": "checkout_holds",
    "/v1/api/vip-tiers/previews": "tier_simulations",
    "/api/loyalty-referral/referrals": "referral_campaigns",
    "/app/bulk-actions": "bulk_runs",
    "/app/compliance": "privacy_requests",
    "/app/home": "list_views",
    "/v1/api/referral-campaigns": "referral_campaigns",
    "/app/loyalty-programs": "programs",
    "/app/members": "members",
    "/app/points-ledger": "points_entries",
    "/app/points-ledger/adjust": "members",
    "/app/points-ledger/lots": "members",
    "/app/points-ledger/past": "members",
    "/app/points-ledger/expiry": "points_redatings",
    "/app/quick-actions/runs": "quick_runs",
    "/app/referral-campaigns": "referral_campaigns",
    "/app/referral-campaigns/referrals": "referrals",
    "/app/reward-catalog": "rewards",
    "/app/reward-catalog/redemptions": "redemptions",
    "/app/members/segments": "segments",
    "/app/tier-management": "tiers",
    "/v1/api/segments": "segments",
    "/app/tier-management/ladders": "tier_ladders",
    "/app/tier-management/members": "members",
    "/app/tier-management/preview": "tier_simulations",
}

# Path parameters that name something else than the address does: a table, or a value that every shop has.
NAMED = {
    "view_id": "list_views",
    "simulation": "tier_simulations",
    "rehearsal": "rehearsals",
    "redating": "points_redatings",
}
VALUES = {"key": "purchase", "trade": "food", "campaign": "specimen", "list_key": "members"}
# Path parameters that name a part of the product, which is the same in every shop.
PARTS = frozenset({"list_key", "trade"})


def furnished_shop() -> Principal:
    """The owner of a shop with a program, tiers, rewards, a member with points, a redemption and a privacy request."""
    shop = make_shop(f"shop-{ids.new_id().hex}.myshopify.com")
    with shop.work() as uow:
        member = members.enroll(uow, [Person(42, "ada@example.com", "Ada", "Byron")])[42]
        points.credit(uow, [Credit(member.id, 100_000, "specimen", "specimen")])
        reward: UUID = uow.scalar("SELECT id FROM rewards ORDER BY id LIMIT 1")
        rewards.redeem(uow, member.id, reward, key="specimen", channel="api")
        program = programs.active(uow)
        assert program is not None
        campaign = Multiplier(id="specimen", name="Specimen", factor=Decimal(2))
        wanted_terms = programs.settings_with_campaign(uow, program.id, campaign)
        programs.apply(uow, program.id, wanted_terms, version=program.version)
        points.rehearse(
            uow, program.id, programs.settings(uow, program.id), months=1, version=program.version
        )
        points.start_redating(uow, RedatingForm())
        listed = segments.create(uow, SegmentIn(name="Specimen", kind="manual"))
        segments.add_members(uow, listed.id, [member.id])
        rewards.hold_points(uow, member.id, 10, key="specimen")
        ladder = tiers.ladders(uow)[0]
        tiers.simulate(uow, ladder, version=ladder.version)
        points.adjust_by_hand(uow, [Wish(member.id, "award", 5, "specimen", "goodwill")])
        award = quick.task("award-points")
        quick.run(uow, award, award.form(member=str(member.id), points=5))
        wanted = CampaignCreate(name="Bring a friend", status="active", advocate_points=50, friend_points=50)
        referrals.create(uow, wanted)
        bulk.create(
            uow, BulkWanted("award", "goodwill", points=5), Audience("members", member_ids=[member.id])
        )
        friend = members.enroll(uow, [Person(43, "grace@example.com", "Grace", "Hopper")])[43]
        referrals.claim(uow, friend.id, referrals.link(uow, member.id))
        lists.save(uow, ids.new_id(), "members", "Specimen", {}, None, shared=True)
        uow.execute(
            "INSERT INTO privacy_requests (shop_id, id, kind, external_id, requested_at, due_at)"
            " VALUES (%(shop)s, %(id)s, 'data_request', 'specimen', now(), now() + interval '30 days')",
            {"shop": shop.id, "id": ids.new_id()},
        )
    return staff(shop.id, ALL)


def place_in(address: str, names: Iterable[str], owner: Principal) -> dict[str, Any]:
    """Path parameters that name something of the owner's shop."""
    fitting = [prefix for prefix in TABLES if address.startswith(prefix + "/")]
    assert fitting, f"{address}: say in tests/contract/specimens.py whose id this takes"
    assert owner.shop_id is not None
    table = TABLES[max(fitting, key=len)]
    found: dict[str, Any] = {}
    with db.unit_of_work(owner.shop_id) as uow:
        for name in names:
            source = NAMED.get(name, table)
            found[name] = VALUES.get(name) or uow.scalar(f"SELECT id FROM {source} ORDER BY id LIMIT 1")
            assert found[name] is not None, f"the furnished shop has no row in {source}"
    return found


def fingerprint(shop_id: UUID) -> dict[str, str]:
    """A digest of each table's rows of the shop, to see that nothing was touched."""
    with db.unit_of_work(shop_id) as uow:
        tables = uow.all(
            "SELECT c.relname AS name FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'shop_id'"
            " WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND NOT c.relispartition ORDER BY 1"
        )
        union = " UNION ALL ".join(
            f"SELECT '{row['name']}' AS name, md5(string_agg(t::text, '' ORDER BY t::text)) AS digest"
            f" FROM {row['name']} t"
            for row in tables
        )
        return {row["name"]: row["digest"] for row in uow.all(union) if row["digest"]}
