"""Going through everybody once a local day: what lapsed is taken, what is due is given; resumable slice by slice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.tiers import queries
from app.domains.tiers.queries import lists
from app.domains.tiers.schemas import Ending
from app.domains.tiers.service import granting, reading, simulating
from app.domains.tiers.service.placing import ladders, review, zone

SLICE = 1_000
After = tuple[datetime, UUID, UUID]


def begin(uow: UnitOfWork) -> bool:
    """Whether the shop's local day still has to be reviewed, or its review was cut short. Begins it."""
    if not ladders(uow):
        return False
    today = uow.now.astimezone(zone(uow)).date()
    row = uow.one(
        "INSERT INTO tier_reviews (shop_id, day) VALUES (%(shop)s, %(day)s) ON CONFLICT (shop_id) DO UPDATE"
        " SET after = CASE WHEN tier_reviews.day = excluded.day THEN tier_reviews.after END,"
        " ended_at = CASE WHEN tier_reviews.day = excluded.day THEN tier_reviews.ended_at END, day = excluded.day"
        " RETURNING after, ended_at",
        {"shop": uow.shop, "day": today},
    )
    assert row is not None
    if row["ended_at"] is None and row["after"] is None:
        simulating.drop_old(uow)
        _score(uow)
    return row["ended_at"] is None


def _score(uow: UnitOfWork) -> None:
    reading.score(uow, {one.months for one in ladders(uow) if one.metric == "rfm"})


def review_slice(uow: UnitOfWork) -> bool:
    """Review the next members of a review that began; False when everybody was seen."""
    row = uow.one(
        "SELECT after, ended_at FROM tier_reviews WHERE shop_id = %(shop)s FOR UPDATE", {"shop": uow.shop}
    )
    if row is None or row["ended_at"] is not None:
        return False
    member_ids = queries.slice_of_members(uow, row["after"], SLICE)
    review(uow, member_ids)
    done = len(member_ids) < SLICE
    uow.execute(
        "UPDATE tier_reviews SET after = coalesce(%(after)s, after),"
        " ended_at = CASE WHEN %(done)s THEN %(now)s::timestamptz END WHERE shop_id = %(shop)s",
        {
            "shop": uow.shop,
            "after": member_ids[-1] if member_ids else None,
            "done": done,
            "now": uow.now,
        },
    )
    return not done


def place_slice(uow: UnitOfWork, after: UUID | None) -> UUID | None:
    """Place the next members anew after a ladder changed; returns where to go on, None at the end."""
    if after is None:
        _score(uow)
    member_ids = queries.slice_of_members(uow, after, SLICE)
    review(uow, member_ids, reason="ladder")
    return member_ids[-1] if len(member_ids) == SLICE else None


def give_gifts(uow: UnitOfWork, after: UUID | None) -> UUID | None:
    """Give the next members their tier's gift of the present period; returns where to go on, None at the end."""
    return granting.gifts(uow, ladders(uow), after, 200)


def endings_to_tell(
    uow: UnitOfWork, after: After | None, limit: int
) -> tuple[Sequence[Ending], After | None]:
    """Members who lose a tier within their ladder's notice, and where to go on."""
    rows = lists.endings_to_tell(uow, after, uow.now + timedelta(days=90), limit)
    found = [Ending(row["member_id"], row["ladder_id"], row["tier_id"], row["ends_at"]) for row in rows]
    last = found[-1] if len(found) == limit else None
    return found, (last.ends_at, last.member_id, last.ladder_id) if last else None
