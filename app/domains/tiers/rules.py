"""Where on a ladder a number of points leads."""

from collections.abc import Sequence

from app.domains.points.schemas import Band
from app.domains.tiers.schemas import Level, Standing

_UNREACHED = 2**62


def place(ladder: Sequence[Level], qualifying: int) -> Level | None:
    """The highest tier whose threshold the points reach; `ladder` is sorted by threshold."""
    reached = None
    for level in ladder:
        if qualifying >= level.threshold_points:
            reached = level
    return reached


def standing(ladder: Sequence[Level], qualifying: int) -> Standing:
    """The tier, the next one, and how many points are missing."""
    tier = place(ladder, qualifying)
    above = [level for level in ladder if level.threshold_points > max(qualifying, 0)]
    following = above[0] if above else None
    return Standing(
        tier, following, qualifying, following.threshold_points - qualifying if following else None
    )


def band(ladder: Sequence[Level], qualifying: int) -> Band:
    """The points within which the same tier holds, and its multiplier."""
    found = standing(ladder, qualifying)
    end = found.next_tier.threshold_points if found.next_tier else _UNREACHED
    if found.tier is None:
        return Band(-_UNREACHED, end, 10_000)
    return Band(found.tier.threshold_points, end, found.tier.multiplier_bp)
