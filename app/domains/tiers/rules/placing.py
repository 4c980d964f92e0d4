"""Where a member belongs on a ladder. Windows, values and the present place come in; a verdict comes out."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domains.points.schemas import Band
from app.domains.tiers.rules.windows import step
from app.domains.tiers.schemas import (
    BASIS_POINTS,
    Held,
    Ladder,
    Level,
    Standing,
    Value,
    Verdict,
    Window,
)

_UNREACHED = 2**62


def place(levels: Sequence[Level], value: int) -> int | None:
    """The rank of the highest tier that a value reaches; `levels` are sorted by threshold."""
    reached = None
    for rank, level in enumerate(levels):
        if value >= level.threshold:
            reached = rank
    return reached


def decide(
    ladder: Ladder,
    window: Window,
    value: Value,
    held: Held | None,
    now: datetime,
    zone: ZoneInfo,
    *,
    refunded: bool = False,
) -> Verdict:
    """Where a member belongs. Rising is immediate; falling follows lock, refund, policy and grace, in this order.

    `refunded` says that a refund, not time, took away what the tier stood on. Deciding twice at one instant gives the
    same: a member who lost one tier keeps the next until the following period.
    """
    earned = place(ladder.levels, value.counted)
    have = ladder.rank(held.tier_id) if held else None
    if held is None or have is None or (earned is not None and earned >= have):
        return Verdict(earned)
    if held.locked_until is not None and held.locked_until > now:
        return Verdict(have)
    if refunded and ladder.take_back:
        return Verdict(earned)
    if ladder.downgrade == "none":
        return Verdict(have)
    due = held.grace_until or now + timedelta(days=ladder.grace_days)
    if due > now:
        return Verdict(have, due)
    if ladder.downgrade == "one_level" and have - 1 > (-1 if earned is None else earned):
        return Verdict(have - 1, step(window, ladder.months, now, zone), lapsed=True)
    return Verdict(earned, lapsed=True)


def ends_at(
    ladder: Ladder,
    window: Window,
    value: Value,
    verdict: Verdict,
    locked_until: datetime | None,
    lapses_at: datetime | None,
    now: datetime,
) -> datetime | None:
    """When the tier is lost unless more is earned; None when nothing takes it away.

    `lapses_at` is when what it stands on leaves a sliding window.
    """
    if not verdict.rank or ladder.downgrade == "none":
        return None
    locked = locked_until if locked_until is not None and locked_until > now else None
    threshold = ladder.levels[verdict.rank].threshold
    grace = timedelta(days=ladder.grace_days)
    natural = None
    if verdict.grace_until is not None:
        natural = verdict.grace_until
    elif value.counted < threshold:
        natural = locked + grace if locked else None
    elif window.ends is not None:
        end = window.follows if value.now >= threshold else window.ends
        natural = end + grace if end else None
    elif lapses_at is not None:
        natural = lapses_at + grace
    if natural is None:
        return None
    return max(natural, locked) if locked else natural


def standing(
    ladder: Ladder, held: Held | None, value: int, window: Window | None = None, lock_reason: str = ""
) -> Standing:
    """The tier, the next one, how much is missing, and what keeps the tier how long.

    `value` is what counts now; a member who was never placed stands where it leads.
    """
    rank = ladder.rank(held.tier_id) if held else place(ladder.levels, value)
    tier = ladder.levels[rank] if rank is not None else None
    above = [
        level for level in ladder.levels[(rank + 1 if rank is not None else 0) :] if level.threshold > value
    ]
    following = above[0] if above else None
    keeps = None
    if tier is not None and rank and held is not None and held.ends_at is not None and window is not None:
        short = tier.threshold - value
        keeps = short if short > 0 and window.ends is not None else None
    return Standing(
        tier,
        following,
        value,
        following.threshold - value if following else None,
        ladder.metric,
        ladder.name,
        ladder.main,
        held.since if held else None,
        held.ends_at if held else None,
        keeps,
        held.locked_until if held else None,
        lock_reason,
        ladder.id,
        ladder.notice_days,
    )


def band(places: Iterable[tuple[Ladder, int | None, int, int]], multiplier_bp: int = BASIS_POINTS) -> Band:
    """The qualifying points within which nothing changes on any ladder by points.

    A place is (ladder, rank, value in the window, points before the window).
    """
    low, high = -_UNREACHED, _UNREACHED
    for ladder, rank, value, base in places:
        if ladder.metric != "points":
            continue
        levels = ladder.levels
        own = levels[rank].threshold if rank is not None else -_UNREACHED
        if value < own:
            # The tier stands on something earlier, which a refund may take away.
            low, high = max(low, base + value), min(high, base + own)
        else:
            low = max(low, base + own)
        above = [level.threshold for level in levels if level.threshold > max(value, own)]
        if above:
            high = min(high, base + above[0])
    return Band(low, high, multiplier_bp)
