"""The lists of members and of possible duplicates: columns, filters, orders, and how rows are read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup, escape

from app.core.i18n import mark, mark_plural, translate
from app.core.paging import Found, Page
from app.core.permissions import Permission
from app.domains.members import queries, service
from app.domains.members.errors import MemberNotFound
from app.domains.members.schemas import (
    SOURCES,
    DuplicatesQuery,
    Happening,
    MembersFilter,
    TimelineKind,
    TimelineQuery,
)
from app.domains.members.service.timeline import TIMELINE_KINDS
from app.web.context import Context
from app.web.lists import Between, BulkAction, Choice, Column, ListSpec, Row, Search, Sort, declare_list
from app.web.locale import sentence, sentences, translated
from app.web.marks import amount, code, drawer_links, icon, link, people, tier
from app.web.markup import markup
from app.web.rendering import page_urls
from app.web.weaving import Parts
from app.web.words import actor_name

STATUSES = {
    "active": mark("Active"),
    "blocked": mark("Blocked"),
    "guest": mark("Guest"),
    "merged": mark("Merged"),
    "erased": mark("Erased"),
}
REASONS = {
    "email": mark("Same mailbox"),
    "phone": mark("Same phone"),
    "person": mark("Same name and birthday"),
}


def _members(ctx: Context, query: MembersFilter) -> Found:
    found = service.listed(ctx.uow, query)
    tiers = {key: (name, rank) for rank, (key, name) in enumerate(tier_options(ctx), 1)}
    for row in found.page.items:
        row["tier"], row["tier_rank"] = tiers.get(str(row["tier_id"]), (None, 1))
        row["id"] = str(row["id"])  # asked for as text five times a row
    return found


def tier_options(ctx: Context) -> list[tuple[str, str]]:
    """The tiers of the main ladder in the reader's language, lowest first."""

    def read() -> list[tuple[str, str]]:
        names = queries.listing.tier_names(ctx.uow)
        return [(str(one["id"]), one["names"].get(ctx.locale) or one["name"]) for one in names]

    return ctx.uow.once(f"members.tiers.{ctx.locale}", read)


def segment_options(ctx: Context) -> list[tuple[str, str]]:
    """The shop's segments by name."""
    return [(str(one), name) for one, name in queries.listing.segment_names(ctx.uow)]


_FORMER, _PEEK = mark("Former member"), mark("Quick view: %(name)s")


def _names(rows: Sequence[Row]) -> list[str]:
    former = sentence(_FORMER)
    return [row["name"] or former for row in rows]


def _people(rows: Sequence[Row]) -> Parts:
    urls = page_urls("members.member", id=[row["id"] for row in rows])
    lines = [row["email"] or "" if row["email"] != row["name"] else "" for row in rows]
    return people(_names(rows), lines, urls)


def _tiers(rows: Sequence[Row]) -> Parts:
    held = [(row["tier"], row["tier_rank"]) for row in rows]
    drawn = {one: tier(*one) if one[0] else "–" for one in set(held)}
    return [[drawn[one] for one in held]]


def _peeks(rows: Sequence[Row]) -> Parts:
    ids = [row["id"] for row in rows]
    return drawer_links(page_urls("members.peek", id=ids), ids, sentences(_PEEK, name=_names(rows)))


MEMBERS = declare_list(
    ListSpec(
        key="members",
        title=mark("Members"),
        place="members",
        permission=Permission.MEMBERS_READ,
        query=MembersFilter,
        rows=_members,
        csv="/v1/api/members.csv",
        columns=(
            Column("name", mark("Member"), cells=_people),
            Column("email", mark("E-mail"), shown=False, priority=2),
            Column("status", mark("Status"), kind="status", phone="mark", words=STATUSES),
            Column("tier", mark("Tier"), priority=2, cells=_tiers),
            Column("available", mark("Available"), kind="number", unit=mark_plural("point", "points")),
            Column("pending", mark("Pending"), kind="number", shown=False, priority=2),
            Column("debt", mark("Debt"), kind="number", shown=False, priority=2),
            Column("qualifying", mark("For tiers"), kind="number", priority=2),
            Column("source", mark("Joined through"), shown=False, priority=2, words=SOURCES),
            Column("locale", mark("Language"), shown=False, priority=2),
            Column("customer_id", mark("Shopify customer id"), shown=False, priority=2),
            Column("enrolled_at", mark("Member since"), kind="date", priority=2),
            Column("actions", mark("Actions"), kind="actions", priority=2, cells=_peeks),
        ),
        search=Search("search", mark("Name, e-mail, order, code or customer id")),
        filters=(
            Choice("status", mark("Status"), tuple(STATUSES.items())),
            Choice("tier", mark("Tier")),
            Choice("segment", mark("Segment")),
            Choice("source", mark("Joined through"), tuple(SOURCES.items()), more=True),
            Between("points_from", "points_to", mark("Available points")),
            Between("enrolled_from", "enrolled_to", mark("Member since"), "date"),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "enrolled_at"),
            Sort("available", mark("Most points available"), "available"),
            Sort("qualifying", mark("Most points for tiers"), "qualifying"),
        ),
        bulk=(BulkAction("bulk", mark("Start a bulk action"), "bulk-actions.new", Permission.BULK_WRITE),),
        matching=lambda filters, place: dict(filters),
    )
)


def _duplicates(ctx: Context, query: DuplicatesQuery) -> Found:
    pairs = [one for one in service.duplicates(ctx.uow) if query.why in (None, one.why)]
    people = service.profiles(ctx.uow, {one for pair in pairs for one in (pair.one, pair.other)})
    rows: list[dict[str, Any]] = [
        {"id": pair.one, "why": pair.why, "one": people[pair.one], "other": people[pair.other]}
        for pair in pairs
    ]
    return Found(Page(rows), len(rows))


def _called(side: str) -> Any:
    return lambda row: row[side].name or row[side].email or row[side].phone or str(row[side].member_id)


DUPLICATES = declare_list(
    ListSpec(
        key="duplicates",
        title=mark("Possible duplicates"),
        place="members.duplicates",
        permission=Permission.MEMBERS_READ,
        query=DuplicatesQuery,
        rows=_duplicates,
        csv="/v1/api/members/duplicates.csv",
        columns=(
            Column("one", mark("Member"), value=_called("one")),
            Column("other", mark("Other member"), value=_called("other")),
            Column("why", mark("Why"), kind="status", phone="mark", words=REASONS),
            Column("actions", mark("Actions"), kind="actions"),
        ),
        filters=(Choice("why", mark("Why"), tuple(REASONS.items())),),
    )
)


def _line(ctx: Context, kind: TimelineKind, one: Happening) -> Row:
    return {
        "said": one,
        "id": f"{kind.key}-{one.id}-{one.at.timestamp():.0f}",
        "what": f"{one.sentence if one.told else translate(ctx.locale, one.sentence, **one.data)} {one.code}".rstrip(),
        "kind": kind.key,
        "icon": kind.icon,
        "points": one.points or None,
        "actor": one.actor,
        "at": one.at,
    }


def _timeline(ctx: Context, query: TimelineQuery, id: UUID) -> Found:
    if queries.get(ctx.uow, id) is None:
        raise MemberNotFound()
    kinds = [kind for kind in service.timeline_kinds(ctx.can) if query.kind in (None, kind.key)]
    page = service.timeline(ctx.uow, id, kinds, ctx.locale, query)
    rows = [_line(ctx, kind, one) for kind, one in page.items]
    return Found(Page(rows, page.next_cursor, page.previous_cursor))


def kind_options(ctx: Context) -> list[tuple[str, str]]:
    """What the timeline can be narrowed to by who reads it."""
    return [(kind.key, translate(ctx.locale, kind.label)) for kind in service.timeline_kinds(ctx.can)]


def told(one: Happening) -> Markup:
    """What happened, in the reader's words, leading to where more is known of it."""
    words = one.sentence if one.told else translated(one.sentence, one.data)
    said = link(words, one.url) if one.url else escape(words)
    return Markup("{} {}").format(said, code(one.code)) if one.code else said


def _what(row: Row) -> str:
    return markup(
        f'<span class="row">{icon(row["icon"], small=True)}<span class="strong">{told(row["said"])}</span></span>'
    )


TIMELINE = declare_list(
    ListSpec(
        key="member-timeline",
        title=mark("Timeline"),
        place="members.timeline",
        permission=Permission.MEMBERS_READ,
        query=TimelineQuery,
        rows=_timeline,
        csv="/v1/api/members/{id}/timeline.csv",
        columns=(
            Column("what", mark("What happened"), cell=_what),
            Column("kind", mark("Kind"), priority=2, phone="hide", words=TIMELINE_KINDS),
            Column(
                "points",
                mark("Points"),
                kind="number",
                phone="key",
                cell=lambda row: amount(row["points"]) if row["points"] else "",
            ),
            Column(
                "actor",
                mark("By"),
                priority=2,
                phone="hide",
                cell=lambda row: escape(actor_name(row["actor"])),
            ),
            Column("at", mark("When"), kind="date"),
        ),
        filters=(
            Choice("kind", mark("Kind")),
            Between("start", "end", mark("Days"), "date"),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "at"),
            Sort("oldest", mark("Oldest first"), "at", descending=False),
        ),
    )
)
