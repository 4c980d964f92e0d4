"""Every SELECT on rewards and redemptions."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, select

from app.core import paging
from app.core.db import UnitOfWork
from app.core.walking import placed
from app.domains.members.schemas import TimelineSlice
from app.domains.rewards.models import Reward
from app.domains.rewards.schemas import (
    CANCELLING,
    CatalogQuery,
    CheckoutHold,
    Redemption,
    RedemptionsFilter,
    RewardsQuery,
    Terms,
)

CODE_PURPOSE = "redemptions.code"
COUNTED_DAYS = 30
# Of so many of a reward's newest uses the sales are added up.
SOLD_WITH = 500
# Uses that count against a member's limit: what failed or was cancelled gave the points back.
_COUNTING = "status IN ('reserved', 'issued', 'used', 'expired')"


def get(uow: UnitOfWork, reward_id: UUID) -> Reward | None:
    """One reward."""
    return uow.session.scalar(select(Reward).where(Reward.id == reward_id))


def of_program(uow: UnitOfWork, program_id: UUID) -> list[Reward]:
    """A program's rewards that were not retired, in the catalog's order."""
    return list(
        uow.session.scalars(
            select(Reward)
            .where(Reward.program_id == program_id, Reward.status != "retired")
            .order_by(Reward.position, Reward.points_cost, Reward.id)
        )
    )


def offer_of_program(uow: UnitOfWork, program_id: UUID) -> dict[str, int]:
    """How many rewards of a program have each status."""
    rows = uow.all(
        "SELECT status, count(*) AS rewards FROM rewards WHERE shop_id = %(shop)s AND program_id = %(program)s"
        " GROUP BY status",
        {"shop": uow.shop, "program": program_id},
    )
    return {row["status"]: row["rewards"] for row in rows}


def drafts(uow: UnitOfWork, program_id: UUID, limit: int | None = None) -> list[Reward]:
    """A program's draft rewards, in the catalog's order."""
    statement = select(Reward).where(Reward.program_id == program_id, Reward.status == "draft")
    return list(
        uow.session.scalars(statement.order_by(Reward.position, Reward.points_cost, Reward.id).limit(limit))
    )


def offered(uow: UnitOfWork, program_id: UUID) -> list[Reward]:
    """The active rewards of a program in the order that staff gave them."""
    statement = select(Reward).where(Reward.program_id == program_id, Reward.status == "active")
    return list(
        uow.session.scalars(statement.order_by(Reward.position, Reward.points_cost, Reward.id).limit(200))
    )


_ORDER = (case((Reward.status == "retired", 1), else_=0), Reward.position, Reward.points_cost, Reward.id)


_CATALOG = paging.Order({"retired": int, "position": int, "points_cost": int, "id": UUID})


def listed(uow: UnitOfWork, query: CatalogQuery) -> paging.Page[Reward]:
    """A page of rewards in the order of the catalog, retired ones last. Raises StaleCursor."""
    statement = select(Reward).limit(query.limit + 1)
    if query.status:
        statement = statement.where(Reward.status == query.status)
    if query.program:
        statement = statement.where(Reward.program_id == query.program)

    def read(place: paging.Place | None) -> Sequence[Reward]:
        return uow.session.scalars(placed(statement, _ORDER, _CATALOG, place)).all()

    def key(one: Reward) -> tuple[Any, ...]:
        return int(one.status == "retired"), one.position, one.points_cost, one.id

    return _CATALOG.page(query.cursor, query.limit, read, key)


def count(uow: UnitOfWork, query: CatalogQuery) -> int:
    """How many rewards the catalog has."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM rewards WHERE shop_id = %(shop)s"
            " AND (%(status)s::text IS NULL OR status = %(status)s)"
            " AND (%(program)s::uuid IS NULL OR program_id = %(program)s)",
            {"shop": uow.shop, "status": query.status, "program": query.program},
        )
    )


def givable(
    uow: UnitOfWork, kinds: Collection[str], among: Collection[UUID] | None, limit: int
) -> list[Reward]:
    """Active rewards of some kinds in the order of the catalog; with `among` only these, whatever their place."""
    statement = select(Reward).where(Reward.status == "active", Reward.kind.in_(kinds))
    if among is not None:
        statement = statement.where(Reward.id.in_(among))
    return list(uow.session.scalars(statement.order_by(*_ORDER).limit(limit)))


def stocked(uow: UnitOfWork, limit: int) -> list[Reward]:
    """Rewards with a limited stock that were not retired, those with the fewest pieces left first."""
    statement = select(Reward).where(Reward.stock.is_not(None), Reward.status != "retired")
    left = Reward.stock - Reward.stock_taken
    return list(uow.session.scalars(statement.order_by(left, Reward.position, Reward.id).limit(limit)))


def covered(uow: UnitOfWork, at: datetime, available: int) -> list[dict[str, Any]]:
    """Rewards of the program on offer now that existed at an instant and cost at most so many points, the dearest first."""
    return uow.all(
        "SELECT r.name, r.names, r.points_cost FROM rewards r"
        " JOIN programs p ON p.shop_id = r.shop_id AND p.id = r.program_id AND p.status = 'active'"
        " WHERE r.shop_id = %(shop)s AND r.status = 'active'"
        " AND r.points_cost BETWEEN 1 AND %(available)s AND r.created_at <= %(at)s"
        " ORDER BY r.points_cost DESC, r.id LIMIT 20",
        {"shop": uow.shop, "at": at, "available": available},
    )


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
SELECT count(*) FILTER (WHERE r.status = 'active' AND p.status IS NOT DISTINCT FROM l.status) AS offered,
  coalesce(sum(d.failed), 0)::bigint AS failed
FROM rewards r
LEFT JOIN (SELECT status FROM programs WHERE shop_id = %(shop)s AND status = 'active') l ON true
LEFT JOIN programs p ON p.shop_id = r.shop_id AND p.id = r.program_id AND p.status = 'active'
CROSS JOIN LATERAL (
  SELECT count(*) AS failed FROM redemptions
  WHERE shop_id = r.shop_id AND reward_id = r.id AND created_at >= %(since)s AND status = 'failed') d
WHERE r.shop_id = %(shop)s
"""


def today(uow: UnitOfWork, since: datetime) -> dict[str, int]:
    """How many rewards the active program offers (any program while none is active), and failures since an instant."""
    return uow.one(_TODAY, {"shop": uow.shop, "since": since}) or {}


def redeemed_by_day(uow: UnitOfWork, first: date, last: date, zone: str) -> dict[date, int]:
    """How many redemptions that went well were made on each local day, both days included."""
    rows = uow.all(
        "SELECT (created_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS redeemed FROM redemptions"
        " WHERE shop_id = %(shop)s AND status <> 'failed'"
        " AND created_at >= %(first)s::timestamp AT TIME ZONE %(zone)s"
        " AND created_at < (%(last)s::timestamp + interval '1 day') AT TIME ZONE %(zone)s GROUP BY 1",
        {"shop": uow.shop, "first": first, "last": last, "zone": zone},
    )
    return {row["day"]: row["redeemed"] for row in rows}


def low_in_stock(uow: UnitOfWork) -> int:
    """Offered rewards of which a tenth of the stock or less is left."""
    return int(
        uow.scalar(
            "SELECT count(*) FROM rewards WHERE shop_id = %(shop)s AND status = 'active' AND stock IS NOT NULL"
            " AND (stock - stock_taken) * 10 <= stock",
            {"shop": uow.shop},
        )
    )


def drafts_without_offer(uow: UnitOfWork) -> int:
    """Draft rewards of the active program when it offers nothing else; 0 when it offers something."""
    return int(
        uow.scalar(
            "SELECT CASE WHEN bool_or(r.status = 'active') THEN 0 ELSE count(*) FILTER (WHERE r.status = 'draft') END"
            " FROM rewards r JOIN programs p ON p.shop_id = r.shop_id AND p.id = r.program_id AND p.status = 'active'"
            " WHERE r.shop_id = %(shop)s",
            {"shop": uow.shop},
        )
        or 0
    )


def ever_redeemed(uow: UnitOfWork, reward_id: UUID) -> bool:
    """Whether any member redeemed the reward, with whatever outcome."""
    return bool(
        uow.scalar(
            "SELECT EXISTS (SELECT 1 FROM redemptions WHERE shop_id = %(shop)s AND reward_id = %(id)s)",
            {"shop": uow.shop, "id": reward_id},
        )
    )


_USES = f"""
SELECT d.reward_id, count(*) AS uses FROM redemptions d
JOIN rewards r ON r.shop_id = d.shop_id AND r.id = d.reward_id
WHERE d.shop_id = %(shop)s AND d.member_id = %(member)s AND d.{_COUNTING}
  AND (r.limit_days IS NULL OR d.created_at > %(now)s::timestamptz - make_interval(days => r.limit_days))
GROUP BY d.reward_id
"""


def uses_by_member(uow: UnitOfWork, member_id: UUID) -> dict[UUID, int]:
    """How often the member used each reward within the period of its limit."""
    rows = uow.all(_USES, {"shop": uow.shop, "member": member_id, "now": uow.now})
    return {row["reward_id"]: row["uses"] for row in rows}


_FIGURES = """
SELECT reward_id, count(*) FILTER (WHERE status IN ('reserved', 'issued', 'used', 'expired')) AS redeemed,
  count(*) FILTER (WHERE status = 'used') AS used,
  coalesce(sum(cost_minor) FILTER (WHERE status = 'used' OR (status = 'issued' AND discount_gid IS NOT NULL
    AND terms ->> 'kind' IN ('gift_card', 'store_credit'))), 0)::bigint AS cost_minor
FROM redemptions WHERE shop_id = %(shop)s AND reward_id = %(id)s GROUP BY reward_id
"""


def figures(uow: UnitOfWork, reward_id: UUID) -> dict[str, Any]:
    """How often a reward was redeemed and used, and what the used ones cost, in minor units."""
    nothing = {"redeemed": 0, "used": 0, "cost_minor": 0}
    return uow.one(_FIGURES, {"shop": uow.shop, "id": reward_id}) or nothing


_SALES = """
SELECT count(*) AS orders, coalesce(sum(o.goods - o.back), 0)::bigint AS sales_minor FROM (
  SELECT (SELECT coalesce(sum((l ->> 'net')::bigint), 0) FROM jsonb_array_elements(o.lines) l) AS goods,
    (SELECT coalesce(sum((b ->> 1)::bigint), 0) FROM jsonb_each(o.refunds) r, jsonb_array_elements(r.value -> 'lines') b)
      AS back
  FROM (SELECT used_order_id FROM redemptions WHERE shop_id = %(shop)s AND reward_id = %(id)s
      AND used_order_id IS NOT NULL ORDER BY created_at DESC LIMIT %(limit)s) d
  JOIN orders o ON o.shop_id = %(shop)s AND o.order_id = d.used_order_id
  WHERE o.cancelled_at IS NULL AND o.deleted_at IS NULL AND NOT o.test AND o.currency = %(currency)s) o
"""


def sales(uow: UnitOfWork, reward_id: UUID, currency: str) -> dict[str, Any]:
    """What the newest orders that used a reward sold, after discounts and without returned goods: {orders, sales_minor}."""
    values = {"shop": uow.shop, "id": reward_id, "currency": currency, "limit": SOLD_WITH}
    return uow.one(_SALES, values) or {}


_LAPSED = """
 AND status = 'issued' AND failure IS DISTINCT FROM %(waiting)s AND expires_at <= %(before)s
ORDER BY expires_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""


def lapsed(uow: UnitOfWork, before: datetime, limit: int) -> list[Redemption]:
    """Issued redemptions whose date passed before an instant, locked; those on their way back are left out."""
    rows = uow.all(
        _REDEMPTION + _LAPSED, {"shop": uow.shop, "waiting": CANCELLING, "before": before, "limit": limit}
    )
    return [_redemption(uow, row) for row in rows]


def used_by_orders(uow: UnitOfWork, order_ids: Iterable[int]) -> list[Redemption]:
    """Redemptions that orders used and that were not returned, locked in the order of their ids."""
    rows = uow.all(
        _REDEMPTION + " AND status = 'used' AND used_order_id = ANY(%(orders)s) ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "orders": list(order_ids)},
    )
    return [_redemption(uow, row) for row in rows]


def tag_needed(uow: UnitOfWork, redemption: Redemption) -> bool:
    """Whether another redemption of the member still opens the same door."""
    return bool(
        uow.scalar(
            "SELECT EXISTS (SELECT 1 FROM redemptions WHERE shop_id = %(shop)s AND member_id = %(member)s"
            " AND id <> %(id)s AND status IN ('reserved', 'issued') AND terms ->> 'access_tag' = %(tag)s"
            " AND expires_at > %(now)s)",
            {
                "shop": uow.shop,
                "member": redemption.member_id,
                "id": redemption.id,
                "tag": redemption.terms.access_tag,
                "now": uow.now,
            },
        )
    )


def taken_credits(uow: UnitOfWork, gids: Iterable[str]) -> set[str]:
    """Which store credit transactions other redemptions already stand for."""
    rows = uow.all(
        "SELECT discount_gid FROM redemptions WHERE shop_id = %(shop)s AND discount_gid = ANY(%(gids)s)"
        " AND discount_gid LIKE 'gid://shopify/StoreCredit%%'",
        {"shop": uow.shop, "gids": list(gids)},
    )
    return {row["discount_gid"] for row in rows}


_HOLD = """
SELECT id, member_id, points, key, reference, status, hold_entry_id, order_id, expires_at, created_at
FROM checkout_holds WHERE shop_id = %(shop)s
"""


def hold(uow: UnitOfWork, hold_id: UUID, *, lock: bool = False) -> CheckoutHold | None:
    """One checkout hold; with `lock` nobody else ends it until this transaction does."""
    row = uow.one(
        _HOLD + " AND id = %(id)s" + (" FOR UPDATE" if lock else ""), {"shop": uow.shop, "id": hold_id}
    )
    return CheckoutHold(**row) if row else None


def hold_by_key(uow: UnitOfWork, key: str) -> CheckoutHold | None:
    """The hold that was asked for under a key."""
    row = uow.one(_HOLD + " AND key = %(key)s", {"shop": uow.shop, "key": key})
    return CheckoutHold(**row) if row else None


def holds_of(uow: UnitOfWork, member_id: UUID) -> list[CheckoutHold]:
    """All checkout holds of a member, oldest first, for an export."""
    rows = uow.all(
        _HOLD + " AND member_id = %(member)s ORDER BY created_at, id",
        {"shop": uow.shop, "member": member_id},
    )
    return [CheckoutHold(**row) for row in rows]


def overdue_holds(uow: UnitOfWork, limit: int) -> list[CheckoutHold]:
    """Holds whose time ran out, locked."""
    rows = uow.all(
        _HOLD + " AND status = 'held' AND expires_at <= %(now)s"
        " ORDER BY expires_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED",
        {"shop": uow.shop, "now": uow.now, "limit": limit},
    )
    return [CheckoutHold(**row) for row in rows]


def holds_of_orders(uow: UnitOfWork, order_ids: Iterable[int]) -> list[CheckoutHold]:
    """Holds that these orders captured, locked."""
    rows = uow.all(
        _HOLD + " AND status = 'captured' AND order_id = ANY(%(orders)s) ORDER BY id FOR UPDATE",
        {"shop": uow.shop, "orders": list(order_ids)},
    )
    return [CheckoutHold(**row) for row in rows]


_REDEMPTION = """
SELECT id, member_id, reward_id, points, code_sealed, status, failure, hold_entry_id, terms, discount_gid,
  used_order_id, channel, created_at, issued_at, used_at, expires_at, ending, stocked, cost_minor
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


_NEWEST = paging.Order({"created_at": datetime, "id": UUID}, descending=True)


_OWED = " AND status = 'reserved' AND terms ->> 'kind' = 'custom'"


def redemptions(
    uow: UnitOfWork,
    query: RedemptionsFilter,
    *,
    code: str | None = None,
    member_ids: Collection[UUID] | None = None,
) -> paging.Page[Redemption]:
    """A page of redemptions, newest first; with `code` only that one's, with `member_ids` only theirs. Raises StaleCursor."""
    owed = query.status == "owed"
    own: dict[str, Any] = {
        "status": None if owed else query.status,
        "reward_id": query.reward,
        "member_id": query.member,
        "code_index": uow.blind_index(code, CODE_PURPOSE) if code else None,
    }
    where = "".join(f" AND {column} = %({column})s" for column, value in own.items() if value is not None)
    where += _OWED if owed else ""
    if member_ids is not None:
        where, own = where + " AND member_id = ANY(%(members)s)", own | {"members": list(member_ids)}

    def read(place: paging.Place | None) -> list[Redemption]:
        rows = uow.all(
            f"{_REDEMPTION}{where}{_NEWEST.beside(place)} ORDER BY {_NEWEST.by(place)} LIMIT %(limit)s",
            {"shop": uow.shop, "limit": query.limit + 1, **own, **_NEWEST.values(place)},
        )
        return [_redemption(uow, row) for row in rows]

    return _NEWEST.page(query.cursor, query.limit, read)


# What was given for reaching a tier; a merge may have brought it from the member whom its key names.
_ENTERED = """
 AND NOT (channel = 'tier' AND 0 < (SELECT count(*) FROM tier_changes c JOIN tiers t ON t.shop_id = c.shop_id
    AND t.ladder_id = c.ladder_id WHERE c.shop_id = redemptions.shop_id AND c.created_at = redemptions.created_at
    AND c.member_id = CASE WHEN redemptions.channel = 'tier' THEN split_part(redemptions.key, ':', 3)::uuid END
    AND c.direction = 'up' AND redemptions.key = 'tier:' || t.id || ':' || c.member_id || ':entry'))
"""


def happened(uow: UnitOfWork, part: TimelineSlice) -> list[dict[str, Any]]:
    """Redemptions in a slice of a member's timeline, with their codes; moves to tiers tell of what was given for them."""
    columns = "id, member_id, status, terms, points, code_sealed, issued_at, created_at AS at"
    where = _ENTERED if "tiers" in part.kinds else ""
    rows = uow.all(part.rows(columns, "redemptions", "created_at", where), part.values(uow.shop))
    return [row | {"code": uow.unseal(row["code_sealed"], CODE_PURPOSE) or ""} for row in rows]


def given(uow: UnitOfWork, keys: Collection[str]) -> list[dict[str, Any]]:
    """What was given under these keys, with its codes."""
    rows = uow.all(
        "SELECT id, member_id, key, terms, code_sealed, created_at AS at FROM redemptions"
        " WHERE shop_id = %(shop)s AND key = ANY(%(keys)s)",
        {"shop": uow.shop, "keys": list(keys)},
    )
    return [row | {"code": uow.unseal(row["code_sealed"], CODE_PURPOSE) or ""} for row in rows]


def owners_by_code(uow: UnitOfWork, code: str) -> list[UUID]:
    """Whose discount code this is, however its letters are written."""
    rows = uow.all(
        "SELECT member_id FROM redemptions WHERE shop_id = %(shop)s AND code_index = %(index)s",
        {"shop": uow.shop, "index": uow.blind_index(code, CODE_PURPOSE)},
    )
    return [row["member_id"] for row in rows]


def _redemption(uow: UnitOfWork, row: dict[str, Any]) -> Redemption:
    kept = {name: row[name] for name in row if name not in ("code_sealed", "code_index", "terms")}
    return Redemption(
        **kept,
        code=uow.unseal(row["code_sealed"], CODE_PURPOSE) or "",
        terms=Terms.model_validate(row["terms"]),
    )
