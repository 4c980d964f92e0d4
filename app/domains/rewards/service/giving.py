"""Coupons without points: given by a campaign or a tier, and taken back while nobody used them."""

from collections.abc import Collection
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.programs import service as programs
from app.domains.rewards import queries, rules
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import CANCELLING, Channel, Redemption, Terms
from app.domains.rewards.service.codes import CREATE, cancel
from app.domains.shops import service as shops
from app.domains.tiers.schemas import MOST_REWARDS

# Kinds whose code is a discount in the shop; a gift of money is not taken back by switching a code off.
GIVABLE = frozenset({"amount_off", "percentage_off", "free_shipping", "free_product"})

_INSERT = """
INSERT INTO redemptions (shop_id, id, member_id, reward_id, points, key, code_sealed, code_index, terms, channel,
  expires_at, cost_minor, created_at, updated_at)
VALUES (%(shop)s, %(id)s, %(member)s, %(reward)s, 0, %(key)s, %(code)s, %(index)s, %(terms)s, %(channel)s, %(expires)s,
  %(cost)s, %(now)s, %(now)s)
ON CONFLICT (shop_id, key) DO NOTHING
"""


def give(
    uow: UnitOfWork, member_id: UUID, reward_id: UUID, *, key: str, channel: Channel = "referral"
) -> Redemption | None:
    """Give a member a reward's discount code for nothing; the same key gives the same one.

    None when it cannot be: the reward is gone or makes no code, or the member is blocked or no customer. A retired reward
    is still given, because it was promised.
    """
    reward = queries.get(uow, reward_id)
    member = members.by_ids(uow, [member_id]).get(member_id)
    if reward is None or reward.kind not in GIVABLE or reward.status == "draft":
        return None
    if member is None or not member.active or member.customer_id is None:
        return None
    shop, redemption_id = shops.get(uow), ids.new_id()
    code = rules.code(reward.code_prefix, uow.blind_index(str(redemption_id), "redemptions.letters"))
    written = uow.execute(
        _INSERT,
        {
            "shop": uow.shop,
            "id": redemption_id,
            "member": member_id,
            "reward": reward_id,
            "key": key,
            "channel": channel,
            "code": uow.seal(code, queries.CODE_PURPOSE),
            "index": uow.blind_index(code, queries.CODE_PURPOSE),
            "terms": Jsonb(_terms(reward, shop.currency).model_dump(mode="json")),
            "expires": rules.expiry(uow.now, reward.valid_days, shop.timezone),
            "cost": rules.cost(
                reward.kind, reward.cost_minor, reward.value_minor, reward.points_cost, reward.points_cost
            ),
            "now": uow.now,
        },
    )
    if written.rowcount:
        uow.outbox(CREATE, {"redemption_id": str(redemption_id)}, key=str(redemption_id))
        after = {"reward_id": str(reward_id), "member_id": str(member_id), "points": 0, "channel": channel}
        compliance.record(uow, "reward.given", ("redemption", str(redemption_id)), None, after)
    return queries.by_key(uow, key)


def givable(uow: UnitOfWork, among: Collection[UUID] | None = None) -> list[Reward]:
    """The rewards that can be given for nothing, in the catalog's order: the first ones to choose from, or those of these."""
    return queries.givable(uow, GIVABLE, among, MOST_REWARDS)


def choices(uow: UnitOfWork, locale: str, among: Collection[UUID] | None = None) -> list[tuple[UUID, str]]:
    """What can be given for nothing, to choose from: (id, name), first those of the program that members earn in.

    Those of other programs say whose they are, because programs of one template name theirs alike.
    """
    found = givable(uow, among)
    homes = programs.some(uow, {one.program_id for one in found})

    def label(one: Reward) -> str:
        name, home = rules.localized(one.name, one.names, locale), homes[one.program_id]
        if home.status == "active":
            return name
        return " · ".join(i18n.isolated(part, locale) for part in (name, home.name))

    found.sort(key=lambda one: homes[one.program_id].status != "active")
    return [(one.id, label(one)) for one in found]


def withdraw(uow: UnitOfWork, redemption_id: UUID) -> bool:
    """Take a given code back unless it was used; one that is being made is switched off once it exists.

    False when it was used.
    """
    found = queries.redemption(uow, redemption_id, lock=True)
    if found is None or found.status not in ("reserved", "issued", "used"):
        return True
    if found.status == "issued" and not found.cancelling:
        cancel(uow, redemption_id)
    elif found.status == "reserved":
        uow.execute(
            "UPDATE redemptions SET failure = %(why)s, updated_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
            {"shop": uow.shop, "id": redemption_id, "why": CANCELLING, "now": uow.now},
        )
    return found.status != "used"


def _terms(reward: Reward, currency: str) -> Terms:
    known = {name: getattr(reward, name) for name in Terms.model_fields if hasattr(reward, name)}
    return Terms(**known, currency=currency)
