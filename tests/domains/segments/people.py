"""Members with chosen facts, written as rows, so that conditions can be asked of anything."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.segments.schemas import Condition, MemberFacts, Rules

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)


def one(fact: str, op: str, number: int | None = None, *values: str) -> Condition:
    return Condition.model_validate({"fact": fact, "op": op, "number": number, "values": values})


def rules(*conditions: Condition, match: str = "all", groups: list[dict[str, Any]] | None = None) -> Rules:
    return Rules.model_validate({"match": match, "conditions": conditions, "groups": groups or []})


def write(uow: UnitOfWork, facts: MemberFacts) -> UUID:
    """A member row and a row of facts that say this."""
    member_id = ids.new_id()
    birthday = members.birthday_indexes(uow, facts.birthday_month)[0] if facts.birthday_month else None
    uow.execute(
        "INSERT INTO members (shop_id, id, status, locale, email_consent, birthday_index, enrolled_at, indexed)"
        " VALUES (%(shop)s, %(id)s, %(status)s, %(locale)s, %(consent)s, %(birthday)s, %(enrolled)s, true)",
        {
            "shop": uow.shop,
            "id": member_id,
            "status": facts.status,
            "locale": facts.language,
            "consent": facts.consent,
            "birthday": birthday,
            "enrolled": facts.enrolled_at or NOW - timedelta(days=100),
        },
    )
    uow.execute(
        "INSERT INTO segment_facts (shop_id, member_id, available, earned, lifetime, tiers, orders, spent_minor,"
        " redemptions, referrals, last_order_at, last_earned_at, last_redeemed_at, next_expiry_at, country, tags)"
        " VALUES (%(shop)s, %(id)s, %(available)s, %(earned)s, %(lifetime)s, %(tiers)s, %(orders)s, %(spent)s,"
        " %(redemptions)s, %(referrals)s, %(last_order)s, %(last_earned)s, %(last_redeemed)s, %(next_expiry)s,"
        " %(country)s, %(tags)s)",
        {
            "shop": uow.shop,
            "id": member_id,
            "available": facts.available,
            "earned": facts.earned,
            "lifetime": facts.lifetime,
            "tiers": sorted(facts.tiers),
            "orders": facts.orders,
            "spent": facts.spent_minor,
            "redemptions": facts.redemptions,
            "referrals": facts.referrals,
            "last_order": facts.last_order_at,
            "last_earned": facts.last_earned_at,
            "last_redeemed": facts.last_redeemed_at,
            "next_expiry": facts.next_expiry_at,
            "country": facts.country,
            "tags": sorted(facts.tags),
        },
    )
    return member_id
