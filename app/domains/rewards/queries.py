"""Every SELECT on rewards and redemptions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core import paging
from app.core.db import UnitOfWork
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import Redemption, RedemptionsFilter, RewardsQuery, Terms

CODE_PURPOSE = "redemptions.code"
COUNTED_DAYS = 30
# Uses that count against a member's limit: what failed or was cancelled gave the points back.
_COUNTING = "status IN ('reserved', 'issued', 'used')"


def get(uow: UnitOfWork, reward_id: UUID) -> Reward | None:
    """One reward."""
    return uow.session.scalar(select(Reward).where(Reward.id == reward_id))


def offered(uow: UnitOfWork, program_id: UUID) -> list[Reward]:
    """The active rewards of a program in the order that staff gave them."""
    statement = select(Reward).where(Reward.program_id == program_id, Reward.status == "active")
    return list(
        uow.session.scalars(statement.order_by(Reward.position, Reward.points_cost, Reward.id).limit(200))
    )


def listed(uow: UnitOfWork, status: str | None = None, limit: int = 500) -> list[Reward]:
    """Rewards in the order of the catalog, retired ones last."""
    statement = select(Reward)
    if status:
        statement = statement.where(Reward.status == status)
    order = (Reward.status == "retired", Reward.position, Reward.points_cost, Reward.id)
    return list(uow.session.scalars(statement.order_by(*order).limit(limit)))


def page(uow: UnitOfWork, query: RewardsQuery) -> paging.Page[Reward]:
    """A page of rewards, oldest first."""
    statement = select(Reward).order_by(Reward.id).limit(query.limit + 1)
    if query.status:
        statement = statement.where(Reward.status == query.status)
    if query.cursor:
        statement = statement.where(Reward.id > _uuid(query.cursor))
    rows = list(uow.session.scalars(statement))
    items = rows[: query.limit]
    return paging.Page(items, paging.encode_cursor(items[-1].id) if len(rows) > query.limit else None)


def _uuid(cursor: str) -> UUID:
    try:
        return UUID(str(paging.decode_cursor(cursor, 1)[0]))
    except ValueError:
        raise paging.StaleCursor() from None


def redeemed_recently(uow: UnitOfWork, reward_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How often each reward was redeemed in the last 30 days, counted up to the cap."""
    rows = uow.all(
        "SELECT v.id, (SELECT count(*) FROM (SELECT 1 FROM redemptions r"
        " WHERE r.shop_id = %(shop)s AND r.reward_id = v.id"
        f" AND r.created_at >= %(since)s AND r.{_COUNTING} LIMIT %(cap)s) c) AS uses"
        " FROM unnest(%(ids)s::uuid[]) AS v (id)",
        {
            "shop": uow.shop,
            "ids": list(reward_ids),
            "since": uow.now - timedelta(days=COUNTED_DAYS),
            "cap": paging.COUNT_CAP + 1,
        },
    )
    return {row["id"]: row["uses"] for row in rows}


_TODAY = """
SELECT count(*) FILTER (WHERE r.status = 'active') AS offered, coalesce(sum(d.redeemed), 0)::bigint AS redeemed,
  coalesce(sum(d.failed), 0)::bigint AS failed
FROM rewards r CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE status <> 'failed') AS redeemed, count(*) FILTER (WHERE status = 'failed') AS failed
  FROM redemptions WHERE shop_id = r.shop_id AND reward_id = r.id AND created_at >= %(since)s) d
WHERE r.shop_id = %(shop)s
"""


def today(uow: UnitOfWork, since: datetime) -> dict[str, int]:
    """How many rewards are offered, and how many redemptions since an instant went well and failed."""
    return uow.one(_TODAY, {"shop": uow.shop, "since": since}) or {}


def ever_redeemed(uow: UnitOfWork, reward_id: UUID) -> bool:
    """Whether any member redeemed the reward, with whatever outcome."""
    return bool(
        uow.scalar(
            "SELECT EXISTS (SELECT 1 FROM redemptions WHERE shop_id = %(shop)s AND reward_id = %(id)s)",
            {"shop": uow.shop, "id": reward_id},
        )
    )


def uses_by_member(uow: UnitOfWork, member_id: UUID) -> dict[UUID, int]:
    """How often the member used each reward, as the limit counts it."""
    rows = uow.all(
        "SELECT reward_id, count(*) AS uses FROM redemptions"
        f" WHERE shop_id = %(shop)s AND member_id = %(member)s AND {_COUNTING} GROUP BY reward_id",
        {"shop": uow.shop, "member": member_id},
    )
    return {row["reward_id"]: row["uses"] for row in rows}


_REDEMPTION = """
SELECT id, member_id, reward_id, points, code_sealed, status, failure, hold_entry_id, terms, discount_gid,
  used_order_id, channel, created_at, issued_at, used_at, expires_at
FROM redemptions WHERE shop_id = %(shop)s
"""


def redemption(uow: UnitOfWork, redemption_id: UUID, *, lock: bool = False) -> Redemption | None:
    """One redemption; with `lock` nobody else moves it until this transaction ends."""
    row = uow.one(
        _REDEMPTION + " AND id = %(id)s" + (" FOR UPDATE" if lock else ""),
        {"shop": uow.shop, "id": redemption_id},
    )
    return _redemption(uow, row) if row else None


def by_key(uow: UnitOfWork, key: str) -> Redemption | None:
    """The redemption that was asked for under a key."""
    row = uow.one(_REDEMPTION + " AND key = %(key)s", {"shop": uow.shop, "key": key})
    return _redemption(uow, row) if row else None


def by_codes(uow: UnitOfWork, codes: Iterable[str]) -> dict[str, Redemption]:
    """Redemptions by the codes as they were given, locked in the order of their ids. Foreign codes are left out."""
    indexes: dict[bytes, list[str]] = {}
    for code in codes:
        indexes.setdefault(uow.blind_index(code, CODE_PURPOSE), []).append(code)
    rows = uow.all(
        "SELECT code_index, "
        + _REDEMPTION.strip().removeprefix("SELECT ")
        + " AND code_index = ANY(%(indexes)s)"
        " ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "indexes": list(indexes)},
    )
    return {code: _redemption(uow, row) for row in rows for code in indexes[bytes(row["code_index"])]}


def redemptions(uow: UnitOfWork, query: RedemptionsFilter) -> paging.Page[Redemption]:
    """A page of redemptions, newest first."""
    key, key_id = _place(query.cursor) if query.cursor else (None, None)
    sql = _REDEMPTION
    for column, value in (("status", query.status), ("reward_id", query.reward), ("member_id", query.member)):
        sql += f" AND {column} = %({column})s" if value is not None else ""
    sql += " AND (created_at, id) < (%(key)s, %(key_id)s)" if query.cursor else ""
    rows = uow.all(
        sql + " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
        {
            "shop": uow.shop,
            "status": query.status,
            "reward_id": query.reward,
            "member_id": query.member,
            "key": key,
            "key_id": key_id,
            "limit": query.limit + 1,
        },
    )
    found = paging.cut(rows, query.limit, "created_at", "id")
    return paging.Page([_redemption(uow, row) for row in found.items], found.next_cursor)


def _place(cursor: str) -> tuple[datetime, UUID]:
    at, redemption_id = paging.decode_cursor(cursor, 2)
    try:
        return datetime.fromisoformat(str(at)), UUID(str(redemption_id))
    except ValueError:
        raise paging.StaleCursor() from None


def _redemption(uow: UnitOfWork, row: dict[str, Any]) -> Redemption:
    kept = {name: row[name] for name in row if name not in ("code_sealed", "code_index", "terms")}
    return Redemption(
        **kept,
        code=uow.unseal(row["code_sealed"], CODE_PURPOSE) or "",
        terms=Terms.model_validate(row["terms"]),
    )
