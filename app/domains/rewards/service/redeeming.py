"""Redeeming: hold the points, store the redemption with its code, and leave the code's creation to the outbox."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import ids, outbox
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.points import service as points
from app.domains.points.schemas import Entry
from app.domains.programs import service as programs
from app.domains.rewards import queries, rules
from app.domains.rewards.errors import (
    LimitReachedForMember,
    OutOfStock,
    RedemptionKeyReused,
    RedemptionNotFound,
)
from app.domains.rewards.events import RewardRedeemed
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import Channel, Redemption, RedemptionsFilter, Terms
from app.domains.rewards.service.catalog import get_reward, offer_of
from app.domains.rewards.service.codes import CREATE
from app.domains.segments import service as segments
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers

_PURPOSE = queries.CODE_PURPOSE

_INSERT = """
INSERT INTO redemptions (shop_id, id, member_id, reward_id, points, key, code_sealed, code_index, hold_entry_id, terms,
  channel, expires_at, stocked, cost_minor, created_at, updated_at)
VALUES (%(shop)s, %(id)s, %(member)s, %(reward)s, %(points)s, %(key)s, %(code)s, %(index)s, %(hold)s, %(terms)s,
  %(channel)s, %(expires)s, %(stocked)s, %(cost)s, %(now)s, %(now)s)
"""


def redeem(
    uow: UnitOfWork,
    member_id: UUID,
    reward_id: UUID,
    *,
    key: str,
    channel: Channel,
    chosen: int | None = None,
) -> Redemption:
    """Redeem a reward: the points are held at once, the code follows (see `deliver_now`).

    `chosen` is how many points the member gives for a reward of any amount. `key` makes it happen once per shop: the
    same key returns the same redemption as it stands now. Raises RewardNotFound, MemberNotFound, RewardRetired,
    RewardNotYet, RewardOver, OutOfStock, TierTooLow, NotInSegment, InvalidAmount, ProgramNotActive, MemberCannotRedeem,
    MemberWithoutCustomer, BelowMinimumRedemption, InsufficientPoints, LimitReachedForMember, RedemptionKeyReused.
    """
    known = queries.by_key(uow, key)
    if known is None:
        reward = get_reward(uow, reward_id)
        size = rules.price(reward.kind, reward.points_cost, reward.least_points, reward.most_points, chosen)
        _check(uow, member_id, reward)
        redemption_id = ids.new_id()
        hold = points.hold(
            uow,
            member_id,
            size,
            key=f"redemption:{key}",
            reason="redemption",
            reference_id=redemption_id,
            trace={
                "reward_id": str(reward.id),
                "reward_version": reward.version,
                "reward_name": reward.name,
                "reward_names": reward.names,
            },
        )
        # The hold waits for the member's account, so what another request did under this key is visible now.
        if hold.replayed:
            known = queries.by_key(uow, key)
        else:
            known = _store(uow, redemption_id, reward, hold, size, key=key, channel=channel)
    if known is None or (known.member_id, known.reward_id) != (member_id, reward_id):
        raise RedemptionKeyReused()
    if chosen is not None and known.points != chosen:
        raise RedemptionKeyReused()
    return known


def _check(uow: UnitOfWork, member_id: UUID, reward: Reward) -> None:
    member = members.by_ids(uow, [member_id]).get(member_id)
    if member is None:
        raise MemberNotFound()
    terms = programs.active_terms(uow)
    tier = tiers.standing(uow, member_id).tier if reward.tiers or reward.starts_at else None
    groups = segments.of_members(uow, [member_id])[member_id] if reward.segments else frozenset()
    uses = queries.uses_by_member(uow, member_id).get(reward.id, 0) if reward.per_member_limit else 0
    rules.check(
        rules.Asking(
            offer=offer_of(reward),
            now=uow.now,
            program_active=terms is not None and terms.program_id == reward.program_id,
            member_active=member.active,
            customer_id=member.customer_id,
            tier_id=tier.id if tier else None,
            segments=groups,
            uses=uses,
            available=points.balance(uow, member_id).available,
            minimum_redemption=terms.minimum_redemption if terms else 0,
            early=timedelta(days=tier.early_days if tier else 0),
        )
    )


def _take_piece(uow: UnitOfWork, reward: Reward) -> bool:
    """Reserve one piece of a limited stock; False when the stock has no limit. Raises OutOfStock.

    The row's lock makes members wait for each other here, and the count is read again once it is theirs.
    """
    if reward.stock is None:
        return False
    piece = uow.execute(
        "UPDATE rewards SET stock_taken = stock_taken + 1"
        " WHERE shop_id = %(shop)s AND id = %(id)s AND stock_taken < stock",
        {"shop": uow.shop, "id": reward.id},
    )
    if piece.rowcount == 0:
        raise OutOfStock()
    return True


def _store(
    uow: UnitOfWork,
    redemption_id: UUID,
    reward: Reward,
    hold: Entry,
    size: int,
    *,
    key: str,
    channel: Channel,
) -> Redemption | None:
    """Count the member's uses under the account's lock, then write the redemption and its outside work."""
    limit = reward.per_member_limit
    if limit is not None and queries.uses_by_member(uow, hold.member_id).get(reward.id, 0) >= limit:
        raise LimitReachedForMember(limit=limit)
    stocked = _take_piece(uow, reward)
    shop = shops.get(uow)
    code = rules.code(reward.code_prefix, uow.blind_index(str(redemption_id), "redemptions.letters"))
    if reward.kind == "gift_card":
        code = rules.gift_card_code(code)
    terms = _terms(reward, shop.currency, size)
    uow.execute(
        _INSERT,
        {
            "shop": uow.shop,
            "id": redemption_id,
            "member": hold.member_id,
            "reward": reward.id,
            "points": size,
            "key": key,
            "code": uow.seal(code, _PURPOSE),
            "index": uow.blind_index(code, _PURPOSE),
            "hold": hold.id,
            "terms": Jsonb(terms.model_dump(mode="json")),
            "channel": channel,
            "expires": rules.expiry(uow.now, reward.valid_days, shop.timezone),
            "stocked": stocked,
            "cost": rules.cost(reward.kind, reward.cost_minor, reward.value_minor, reward.points_cost, size),
            "now": uow.now,
        },
    )
    if reward.kind != "custom":
        uow.outbox(CREATE, {"redemption_id": str(redemption_id)}, key=str(redemption_id))
    told = {
        "reward_id": str(reward.id),
        "member_id": str(hold.member_id),
        "points": size,
        "channel": channel,
    }
    compliance.record(uow, "reward.redeemed", ("redemption", str(redemption_id)), None, told)
    uow.publish([RewardRedeemed(redemption_id, hold.member_id, reward.id, size)])
    return queries.redemption(uow, redemption_id)


def _terms(reward: Reward, currency: str, size: int) -> Terms:
    return Terms(
        name=reward.name,
        names=reward.names,
        kind=reward.kind,
        currency=currency,
        value_minor=rules.worth(reward.kind, reward.value_minor, reward.points_cost, size),
        percent_bp=reward.percent_bp,
        variant_gid=reward.variant_gid,
        minimum_subtotal_minor=reward.minimum_subtotal_minor,
        combines_with=tuple(reward.combines_with),
        access_tag=reward.access_tag,
        returns_expired=reward.returns_expired,
        returns_canceled=reward.returns_canceled,
    )


def deliver_now(shop_id: UUID, redemption_id: UUID, *, seconds: float = 3.0) -> bool:
    """Have the code made while somebody waits; call it after the commit, with no transaction open.

    True when the redemption is settled, issued or failed; False when the worker or a thread of ours goes on with it.
    """
    return outbox.deliver_one(shop_id, CREATE, str(redemption_id), seconds=seconds)


def get_redemption(uow: UnitOfWork, redemption_id: UUID, *, member_id: UUID | None = None) -> Redemption:
    """One redemption, if given of this member only. Raises RedemptionNotFound."""
    found = queries.redemption(uow, redemption_id)
    if found is None or (member_id is not None and found.member_id != member_id):
        raise RedemptionNotFound()
    return found


def redemptions_of(uow: UnitOfWork, member_id: UUID, *, limit: int = 50) -> list[Redemption]:
    """The member's redemptions, newest first."""
    return queries.redemptions(uow, RedemptionsFilter(member=member_id, limit=limit, cursor=None)).items


def every_redemption_of(uow: UnitOfWork, member_id: UUID) -> list[Redemption]:
    """All redemptions of a member, newest first, for an export."""
    found: list[Redemption] = []
    cursor: str | None = None
    while True:
        page = queries.redemptions(uow, RedemptionsFilter(member=member_id, limit=200, cursor=cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def forget_codes(uow: UnitOfWork, member_id: UUID) -> None:
    """Blank the codes of a member who is erased. Their keyed index stays: an order may still use one up."""
    uow.execute(
        "UPDATE redemptions SET code_sealed = %(blank)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id, "blank": uow.seal("", _PURPOSE), "now": uow.now},
    )


def forget_references(uow: UnitOfWork, member_id: UUID) -> None:
    """Blank what callers called the checkouts of a member who is erased."""
    uow.execute(
        "UPDATE checkout_holds SET reference = '' WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )


def remember_holds(uow: UnitOfWork, again: Mapping[UUID, UUID]) -> None:
    """Holds were made again for another member: `again` is the new entry by the old one."""
    for table in ("redemptions", "checkout_holds"):
        uow.execute(
            f"UPDATE {table} r SET hold_entry_id = v.new, updated_at = %(now)s"
            " FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS v (old, new)"
            " WHERE r.shop_id = %(shop)s AND r.hold_entry_id = v.old",
            {"shop": uow.shop, "now": uow.now, "old": list(again), "new": list(again.values())},
        )
