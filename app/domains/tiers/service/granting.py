"""What tiers give: once on entering, and a reward in each month, quarter or year."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.db import UnitOfWork
from app.domains.points import service as points
from app.domains.points.schemas import Credit
from app.domains.programs import service as programs
from app.domains.shops import service as shops
from app.domains.tiers import rules
from app.domains.tiers.events import TierGave
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import Gift, Ladder, Level

ENTRY = ""
Rewards = Callable[[UnitOfWork, str, Collection[UUID] | None], Sequence[tuple[UUID, str]]]
_REWARDS: list[Rewards] = []


def register_rewards(rewards: Rewards) -> None:
    """Let the domain of rewards say (id, name in a language) of what tiers can give for nothing, of all or among some."""
    _REWARDS.append(rewards)


def givable(
    uow: UnitOfWork, locale: str = "en", among: Collection[UUID] | None = None
) -> list[tuple[UUID, str]]:
    """The rewards that tiers can give, the first ones to choose from or those of these: (id, name)."""
    return [one for provider in _REWARDS for one in provider(uow, locale, among)]


Given = Callable[[UnitOfWork, Collection[str], str], dict[str, Gift]]
_GIVEN: list[Given] = []


def register_given(given: Given) -> None:
    """Let the domain of rewards say what became of what tiers gave: (uow, keys, locale) to gifts by key."""
    _GIVEN.append(given)


def given(uow: UnitOfWork, keys: Collection[str], locale: str) -> dict[str, Gift]:
    """The rewards that tiers gave under these keys, in the reader's language."""
    return (
        {key: gift for provider in _GIVEN for key, gift in provider(uow, keys, locale).items()}
        if keys
        else {}
    )


_GRANT = """
INSERT INTO tier_grants (shop_id, tier_id, member_id, period, granted_at)
SELECT %(shop)s, v.tier, v.member, v.period, %(now)s
FROM unnest(%(tiers)s::uuid[], %(members)s::uuid[], %(periods)s::text[]) AS v (tier, member, period)
WHERE NOT EXISTS (SELECT 1 FROM members m JOIN tier_grants g ON g.shop_id = m.shop_id AND g.member_id = m.id
  WHERE m.shop_id = %(shop)s AND m.merged_into = v.member AND g.tier_id = v.tier AND g.period = v.period)
ON CONFLICT DO NOTHING RETURNING tier_id, member_id, period
"""


def entered(uow: UnitOfWork, who: Sequence[tuple[UUID, Level]]) -> None:
    """Give what tiers have for entering them, once per member however often they come back, and the period's gift."""
    levels = {level.id: level for _, level in who}
    zone = ZoneInfo(shops.get(uow).timezone)
    wanted = [
        (member, level.id, ENTRY) for member, level in who if level.entry_points or level.entry_reward_id
    ]
    tops = dict(who)
    wanted += [
        (member, level.id, rules.gift_period(level.gift_every, uow.now, zone))
        for member, level in tops.items()
        if level.gift_reward_id
    ]
    _give(uow, _fresh(uow, wanted), levels)


def gifts(uow: UnitOfWork, ladders: Sequence[Ladder], after: UUID | None, limit: int) -> UUID | None:
    """Give the next members the gift of the present period; returns where to go on, None at the end."""
    levels = {level.id: level for one in ladders for level in one.levels if level.gift_reward_id}
    if not levels:
        return None
    zone = ZoneInfo(shops.get(uow).timezone)
    periods = {one.id: rules.gift_period(one.gift_every, uow.now, zone) for one in levels.values()}
    due = lists.gifts_due(uow, periods, after, limit)
    _give(uow, _fresh(uow, [(member, tier, periods[tier]) for member, tier in due]), levels)
    return due[-1][0] if len(due) == limit else None


def _fresh(uow: UnitOfWork, wanted: Sequence[tuple[UUID, UUID, str]]) -> list[tuple[UUID, UUID, str]]:
    """Those of (member, tier, period) that were given neither to the member nor to an account merged into them."""
    if not wanted:
        return []
    rows = uow.all(
        _GRANT,
        {
            "shop": uow.shop,
            "now": uow.now,
            "members": [member for member, _, _ in wanted],
            "tiers": [tier for _, tier, _ in wanted],
            "periods": [period for _, _, period in wanted],
        },
    )
    return [(row["member_id"], row["tier_id"], row["period"]) for row in rows]


def _give(uow: UnitOfWork, fresh: Sequence[tuple[UUID, UUID, str]], levels: dict[UUID, Level]) -> None:
    if not fresh:
        return
    terms = programs.active_terms(uow)
    zone = ZoneInfo((terms.zone if terms else "") or shops.get(uow).timezone)
    bonuses: list[Credit] = []
    gave: list[TierGave] = []
    for member, tier, period in fresh:
        level = levels[tier]
        if period == ENTRY and level.entry_points:
            bonuses.append(
                Credit(
                    member,
                    level.entry_points,
                    f"tier:{tier}:{member}",
                    "tier_entry",
                    program_version_id=terms.version_id if terms else None,
                    trace={"tier": level.name, "tier_names": level.names},
                    expires_at=points.lasts_until(uow.now, terms.expiry, terms.expiry_months, zone, None)
                    if terms
                    else None,
                    qualifies=False,
                )
            )
        reward = level.entry_reward_id if period == ENTRY else level.gift_reward_id
        if reward:
            gave.append(TierGave(member, tier, reward, f"tier:{tier}:{member}:{period or 'entry'}"))
    if bonuses:
        points.credit(uow, bonuses)
    if gave:
        uow.publish(gave)


def forget(uow: UnitOfWork, member_id: UUID) -> None:
    """Drop what was said and scored about a member who is erased; places and gifts lead to nobody then."""
    values = {"shop": uow.shop, "member": member_id}
    for sql in (
        "DELETE FROM tier_scores WHERE shop_id = %(shop)s AND member_id = %(member)s",
        "DELETE FROM tier_simulated_moves WHERE shop_id = %(shop)s AND member_id = %(member)s",
        "UPDATE tier_changes SET note = '' WHERE shop_id = %(shop)s AND member_id = %(member)s AND note <> ''",
        "UPDATE member_tiers SET lock_reason = '' WHERE shop_id = %(shop)s AND member_id = %(member)s",
    ):
        uow.execute(sql, values)
