"""Telling members that a tier ends soon: one message for each end, as many days ahead as the ladder says."""

from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.numbers import format_currency

from app.core import money
from app.core.db import UnitOfWork
from app.domains.notifications.schemas import TierNews, Wanted
from app.domains.notifications.service.queueing import queue
from app.domains.shops import service as shops
from app.domains.tiers import service as tiers

_SLICE = 1_000


def tell_endings(uow: UnitOfWork, after: tiers.After | None) -> tiers.After | None:
    """Queue a notice for the next members who lose a tier; returns where to go on, None at the end.

    The key is the member, the ladder and the instant, so whoever was told is not told again; a tier that was kept and
    ends later is told again in its time.
    """
    found, more = tiers.endings_to_tell(uow, after, _SLICE)
    queue(
        uow,
        "tier_ending",
        [
            Wanted(
                one.member_id,
                f"{one.member_id}:{one.ladder_id}:{one.ends_at.timestamp():.0f}",
                {"ladder_id": str(one.ladder_id), "tier_id": str(one.tier_id)},
            )
            for one in found
        ],
    )
    return more


def ending_news(
    uow: UnitOfWork, member_id: UUID, ladder_id: UUID, tier_id: UUID, locale: str, told: TierNews
) -> TierNews | None:
    """`told` with what ends when; None when the tier is kept meanwhile, or is another one."""
    tiers.review(uow, [member_id])
    found = next((one for one in tiers.standings(uow, member_id) if one.ladder_id == ladder_id), None)
    if found is None or found.tier is None or found.tier.id != tier_id or found.ends_at is None:
        return None
    if found.ends_at > uow.now + timedelta(days=found.notice_days or 0):
        return None
    last = found.ends_at - timedelta(seconds=1)
    return TierNews(
        told.shop,
        told.first_name,
        found.tier.localized(locale),
        last.astimezone(ZoneInfo(shops.get(uow).timezone)).date(),
        found.metric,
        None if found.metric == "spend" else found.keeps,
        _amount(uow, found.keeps, locale) if found.metric == "spend" and found.keeps else "",
    )


def _amount(uow: UnitOfWork, minor: int, locale: str) -> str:
    currency = shops.get(uow).currency
    return format_currency(money.to_decimal(minor, currency), currency, locale=locale)
