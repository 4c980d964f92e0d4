"""The list of members, for the members tab and for whoever shows a part of it."""

from app.core.db import UnitOfWork
from app.core.paging import COUNT_CAP, Found
from app.domains.members import queries
from app.domains.members.schemas import MembersFilter
from app.domains.members.service import finding, people
from app.domains.shops import service as shops


def listed(uow: UnitOfWork, query: MembersFilter) -> Found:
    """A page of members with their points, `tier_id`, `name` and `email`, and how many match where that is bounded."""
    found = None
    if query.search:
        found = [
            one.id if query.status else one.merged_into or one.id for one in finding.search(uow, query.search)
        ]
    if query.by_points:
        people.refresh_standings(uow)
    zone = shops.get(uow).timezone
    page = queries.page(uow, query, found, zone)
    for row in page.items:
        profile = row["profile"]
        row["name"] = profile.name or profile.email or ""
        row["email"] = profile.email
    total = queries.listing.count(uow, query, found, zone)
    return Found(page, None if total is None else min(total, COUNT_CAP), (total or 0) > COUNT_CAP)
