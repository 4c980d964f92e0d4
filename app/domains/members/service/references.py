"""Many members at once: whom references and filters mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members import queries
from app.domains.members.queries import references as reading
from app.domains.members.schemas import Member, MembersFilter
from app.domains.members.service import finding
from app.domains.shops import service as shops

_CUSTOMER = re.compile(r"(?:gid://shopify/Customer/)?(\d{1,18})")


def resolve_many(uow: UnitOfWork, references: Sequence[str]) -> dict[str, list[Member]]:
    """Members by e-mail, Shopify customer id, its gid or member id; whoever was merged away leads to the one who was kept.

    References that mean nobody are left out. An e-mail of several members leads to the one who is active when there is
    one such, else to all of them.
    """
    texts = {text: text.strip() for text in references}
    emails = [text for text in set(texts.values()) if "@" in text]
    customers = {text: int(match[1]) for text in set(texts.values()) if (match := _CUSTOMER.fullmatch(text))}
    ids = {text: one for text in set(texts.values()) if (one := _uuid(text))}
    found: dict[str, list[Member]] = {}
    if emails:
        found |= {email: _preferred(them) for email, them in reading.by_emails(uow, emails).items()}
    if customers:
        known = queries.by_customers(uow, customers.values())
        found |= {text: [known[one]] for text, one in customers.items() if one in known}
    if ids:
        by_id = following(uow, ids.values())
        found |= {text: [by_id[one]] for text, one in ids.items() if one in by_id}
    return {reference: found[text] for reference, text in texts.items() if text in found}


def inactive(uow: UnitOfWork, member_ids: Iterable[UUID]) -> list[UUID]:
    """Of these members those who are not active: guests, and who was blocked, erased or merged away."""
    return reading.inactive(uow, list(member_ids))


def following(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Member]:
    """Members by id; whoever was merged away leads to the one who was kept."""
    found = queries.by_ids(uow, member_ids)
    merged = {one.merged_into for one in found.values() if one.merged_into}
    kept = queries.by_ids(uow, merged) if merged else {}
    return {one: kept[member.merged_into] if member.merged_into else member for one, member in found.items()}


def matching(uow: UnitOfWork, wanted: Mapping[str, Any], after: UUID | None, limit: int) -> list[UUID]:
    """At most `limit` members after an id, by id, that a filter of the members list (its parameters) leaves.

    Fewer than `limit` when these are the last. Raises ValidationError for what no filter of the list is.
    """
    narrowed = MembersFilter.model_validate(wanted, extra="forbid")
    found = None
    if narrowed.search:
        found = [one.merged_into or one.id for one in finding.search(uow, narrowed.search)]
    return reading.matching(uow, narrowed, found, shops.get(uow).timezone, after, limit)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None


def _preferred(them: list[Member]) -> list[Member]:
    active = [one for one in them if one.active]
    return active if len(active) == 1 else them
