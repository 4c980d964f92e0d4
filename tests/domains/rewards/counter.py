"""A shop's counter in tests: members with points, redemptions, and looks at what became of them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core import ids, outbox
from app.domains.members import service as members
from app.domains.members.schemas import Person
from app.domains.points import service as points
from app.domains.points.schemas import Balance, Credit
from app.domains.rewards import queries, service
from app.domains.rewards.schemas import Redemption, RedemptionsFilter, RewardForm
from tests.domains.rewards.shopify_admin import ShopifyAdmin
from tests.fixtures.shop import TestShop

CUSTOMER = 77


@dataclass
class Counter:
    """A shop's counter: somebody redeems, and we look at what came of it."""

    shop: TestShop
    admin: ShopifyAdmin
    member_id: UUID

    def reward(self, **changes: Any) -> UUID:
        """A reward: 5.00 off for 500 points unless told otherwise."""
        given = {"names": {"en": "Five off"}, "kind": "amount_off", "points_cost": 500, "amount": 5}
        given |= {"returns_expired": True, "returns_canceled": True} | changes
        with self.shop.work() as uow:
            return service.create_reward(uow, RewardForm.model_validate(given)).id

    def redeem(self, reward_id: UUID, key: str | None = None) -> Redemption:
        """Redeem and commit; the code is not made yet."""
        with self.shop.work() as uow:
            return service.redeem(
                uow, self.member_id, reward_id, key=key or str(ids.new_id()), channel="widget"
            )

    def now(self, redemption: Redemption) -> Redemption:
        """The redemption as it is stored now."""
        with self.shop.work() as uow:
            return service.get_redemption(uow, redemption.id)

    def balance(self) -> Balance:
        """The member's points."""
        with self.shop.work() as uow:
            return points.balance(uow, self.member_id)

    def work(self) -> dict[str, Any]:
        """The newest piece of outside work."""
        with self.shop.work() as uow:
            found = uow.one("SELECT * FROM outbox ORDER BY id DESC LIMIT 1")
        assert found is not None
        return found

    def time_passes(self) -> None:
        """Every lease and every pause of the outbox is over."""
        with self.shop.work() as uow:
            uow.execute(
                "UPDATE outbox SET lease_until = now() - interval '1 s', not_before = now() WHERE state = 0"
            )

    def deliver(self, rounds: int = 1) -> None:
        """Let the worker do what is due, with pauses in between."""
        for _ in range(rounds):
            self.time_passes()
            outbox.drain()

    def consistent(self, redemption: Redemption) -> bool:
        """Invariant I6 at rest: the code works and the points are spent, or neither."""
        stored, balance = self.now(redemption), self.balance()
        works = self.admin.works(stored.code)
        spent = balance.available == 1000 - redemption.points and balance.held == 0
        returned = balance.available == 1000 and balance.held == 0
        return (stored.status == "issued" and works and spent) or (
            stored.status in ("failed", "cancelled") and not works and returned
        )

    def audit(self, subject_id: UUID) -> list[str]:
        """What the audit trail says of a reward or redemption, oldest first."""
        with self.shop.work() as uow:
            rows = uow.all(
                "SELECT action FROM audit_entries WHERE subject_id = %(id)s ORDER BY created_at, id",
                {"id": str(subject_id)},
            )
        return [row["action"] for row in rows]


def enroll(shop: TestShop, customer_id: int = CUSTOMER, available: int = 1000) -> UUID:
    """A member with points to spend."""
    with shop.work() as uow:
        member = members.enroll(uow, [Person(customer_id, email=f"shopper{customer_id}@example.com")])[
            customer_id
        ]
        if available:
            points.credit(
                uow, [Credit(member.id, available, f"start:{customer_id}", "gift", qualifies=False)]
            )
    return member.id


def connect(shop: TestShop) -> None:
    """Give the shop an access token, as an installation does."""
    with shop.work() as uow:
        uow.execute(
            "UPDATE shops SET access_token_sealed = %(token)s",
            {"token": uow.seal("shpat_test", "shops.access_token")},
        )


def list_redemptions(shop: TestShop) -> list[Redemption]:
    """Every redemption of the shop."""
    with shop.work() as uow:
        return queries.redemptions(uow, RedemptionsFilter(limit=200)).items
