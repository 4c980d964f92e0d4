"""A shop that has one of everything, and where the ids in addresses come from."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.core import db, ids
from app.core.permissions import ALL
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.referrals import service as referrals
from app.domains.referrals.schemas import CampaignCreate
from app.domains.rewards import service as rewards
from app.web.principals import Principal
from tests.fixtures.shop import make_shop
from tests.fixtures.web import staff

# The longest prefix that fits an address tells the table whose id it takes. A new address with ids needs its line here.
TABLES = {
    "/api/loyalty-referral/points": "members",
    "/api/loyalty-referral/programs": "programs",
    "/api/loyalty-referral/redemptions": "redemptions",
    "/api/loyalty-referral/referrals": "referral_campaigns",
    "/app/compliance": "privacy_requests",
    "/app/loyalty-programs": "programs",
    "/app/members": "members",
    "/app/points-ledger": "points_entries",
    "/app/reward-catalog": "rewards",
    "/app/reward-catalog/redemptions": "redemptions",
    "/app/tier-management": "tiers",
}


def furnished_shop() -> Principal:
    """The owner of a shop with a program, tiers, rewards, a member with points, a redemption and a privacy request."""
    shop = make_shop(f"shop-{ids.new_id().hex}.myshopify.com")
    with shop.work() as uow:
        member = members.enroll(uow, [Person(42, "ada@example.com", "Ada", "Byron")])[42]
        points.credit(uow, [Credit(member.id, 100_000, "specimen", "specimen")])
        reward: UUID = uow.scalar("SELECT id FROM rewards ORDER BY id LIMIT 1")
        rewards.redeem(uow, member.id, reward, key="specimen", channel="api")
        referrals.create(uow, CampaignCreate(name="Bring a friend", advocate_points=50, friend_points=50))
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
    with db.unit_of_work(owner.shop_id) as uow:
        found = uow.scalar(f"SELECT id FROM {table} ORDER BY id LIMIT 1")
    assert found is not None, f"the furnished shop has no row in {table}"
    return dict.fromkeys(names, found)


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
