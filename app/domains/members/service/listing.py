"""The list of members, for the members tab and for whoever shows a part of it."""

from app.core.db import UnitOfWork
from app.core.paging import Found
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
    listed = queries.listed(uow, query, found, shops.get(uow).timezone)
    for row in listed.page.items:
        profile = row["profile"]
        row["name"] = profile.name or profile.email or ""
        row["email"] = profile.email
    return listed
