"""Members in the admin: the list, and a page about one person to which other domains add their sections."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from app.core.errors import Invalid
from app.core.i18n import mark, translate
from app.core.paging import COUNT_CAP
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import queries, service
from app.domains.members.errors import MemberNotFound
from app.domains.members.lists import (
    DUPLICATES,
    MEMBERS,
    TIMELINE,
    kind_options,
    segment_options,
    tier_options,
    told,
)
from app.domains.members.schemas import (
    BlockForm,
    DuplicatesQuery,
    EditForm,
    FoundQuery,
    Member,
    MembersFilter,
    MergeForm,
    MergeQuery,
    NoteForm,
    OtherForm,
    PairForm,
    RemoveNoteForm,
    StatusForm,
    TimelineQuery,
    UnmergeForm,
)
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.date_range import today
from app.web.lists import show_list
from app.web.tabs import Done, action, tab, tab_page

_KEY = "members"
MOST_FOUND = 8
LEAST_TYPED = 2
_SHOWN = 12
_STANDING = ("active", "blocked", "guest")


@tab(
    _KEY,
    title=mark("Members"),
    group="manage",
    icon="users",
    permission=Permission.MEMBERS_READ,
    query=MembersFilter,
)
def members(ctx: Context, query: MembersFilter) -> dict[str, Any]:
    """Search and page through the shop's members."""
    total = queries.listing.count_capped(ctx.uow)
    options = {"tier": tier_options(ctx), "segment": segment_options(ctx)}
    return {
        "list": show_list(ctx, MEMBERS, query, options=options),
        "total": min(total, COUNT_CAP),
        "more": total > COUNT_CAP,
        "today": today(),
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
    }


@tab_page(
    _KEY, "/found", "_found.html", title=mark("Members"), permission=Permission.MEMBERS_READ, query=FoundQuery
)
def found(ctx: Context, query: FoundQuery) -> dict[str, Any]:
    """The first members that the command search or a field finds by name, e-mail, order or code, or those with these ids."""
    asked = len(query.q.strip()) >= LEAST_TYPED
    named = service.by_ids(ctx.uow, query.members).values() if query.members else []
    found = service.search(ctx.uow, query.q) if asked else named
    members = [one.id for one in found if one.status in _STANDING][:MOST_FOUND]
    profiles = service.profiles(ctx.uow, members)
    return {"people": [(one, profiles[one]) for one in members], "asked": asked}


def _in_shopify(ctx: Context, member: Member) -> str | None:
    return shops.admin_page(ctx.uow, f"customers/{member.customer_id}") if member.customer_id else None


def _member(ctx: Context, id: UUID) -> dict[str, Any]:
    found = queries.get(ctx.uow, id)
    if found is None:
        raise MemberNotFound()
    profile = service.profile(ctx.uow, id)
    merges = service.merges_of(ctx.uow, id)
    people = service.profiles(ctx.uow, [merge.removed_id for merge in merges])
    return {
        "member": found,
        "profile": profile,
        "merges": [(merge, people[merge.removed_id]) for merge in merges],
        "notes": service.notes(ctx.uow, id),
        "birthday": service.birthday(ctx.uow, id),
        "tags": service.tags_of(ctx.uow, [id]).get(id, []),
        "agreed": service.consents(ctx.uow, [id]).get(id, False),
        "panels": [
            {"key": panel.key, "template": panel.template, "view": panel.provider(ctx, id)}
            for panel in service.panels()
        ],
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
        "can_erase": ctx.can(Permission.MEMBERS_ERASE),
    }


@tab_page(
    _KEY,
    "/<uuid:id>",
    "member.html",
    title=mark("Member"),
    permission=Permission.MEMBERS_READ,
)
def member(ctx: Context, id: UUID) -> dict[str, Any]:
    """Everything about one member, with what happened lately."""
    kinds = service.timeline_kinds(ctx.can)
    page = service.timeline(ctx.uow, id, kinds, ctx.locale, TimelineQuery(limit=_SHOWN))
    found = _member(ctx, id)
    return found | {
        "facts": queries.header(ctx.uow, id, ctx.locale),
        "in_shopify": _in_shopify(ctx, found["member"]),
        "acts": service.acts(ctx, id),
        "timeline": [(kind.icon, one, told(one)) for kind, one in page.items],
    }


@tab_page(
    _KEY,
    "/<uuid:id>/timeline",
    "timeline.html",
    title=mark("Timeline"),
    permission=Permission.MEMBERS_READ,
    query=TimelineQuery,
)
def timeline(ctx: Context, id: UUID, query: TimelineQuery) -> dict[str, Any]:
    """Everything that happened to a member and whoever was merged into them."""
    found = show_list(ctx, TIMELINE, query, place={"id": id}, options={"kind": kind_options(ctx)})
    profile = service.profile(ctx.uow, id)
    return {"list": found, "id": id, "name": profile.name or profile.email or "", "today": today()}


@tab_page(_KEY, "/<uuid:id>/peek", "peek.html", title=mark("Member"), permission=Permission.MEMBERS_READ)
def peek(ctx: Context, id: UUID) -> dict[str, Any]:
    """The quick view beside the list."""
    return _member(ctx, id)


@tab_page(
    _KEY,
    "/<uuid:id>/merge",
    "merge.html",
    title=mark("Merge members"),
    permission=Permission.MEMBERS_WRITE,
    query=MergeQuery,
)
def merge(ctx: Context, id: UUID, query: MergeQuery) -> dict[str, Any]:
    """Look for the other account of a member, see what a merge would do, confirm it."""
    kept = queries.get(ctx.uow, id)
    if kept is None:
        raise MemberNotFound()
    found = service.search(ctx.uow, query.search)[:MOST_FOUND] if query.search else []
    others = [one.id for one in found if one.id != id and one.status in ("active", "blocked", "guest")]
    other = query.other if query.other and query.other != id else None
    return {
        "member": kept,
        "profile": service.profile(ctx.uow, id),
        "found": [(one, service.profile(ctx.uow, one)) for one in others],
        "other": (other, service.profile(ctx.uow, other)) if other else None,
        "facts": service.merge_preview(ctx.uow, id, other) if other else [],
    }


@action(
    _KEY,
    "find-other",
    path="/find",
    page="merge",
    permission=Permission.MEMBERS_WRITE,
    form=OtherForm,
    idempotent=False,
)
def find_other(ctx: Context, id: UUID, form: OtherForm) -> Done:
    """Go on to the preview with whom staff mean, or to those who match what they typed."""
    found = [
        one.id for one in service.search(ctx.uow, form.member) if one.status in _STANDING and one.id != id
    ]
    if not found:
        raise Invalid(fields={"member": mark("No other member matches.")})
    asked = {"other": found[0]} if len(found) == 1 else {"search": form.member.strip()}
    return Done(location=f"/app/{_KEY}/{id}/merge?{urlencode(asked)}")


@action(_KEY, "merge", path="/confirm", page="merge", permission=Permission.MEMBERS_WRITE, form=MergeForm)
def merge_now(ctx: Context, id: UUID, form: MergeForm) -> Done:
    """Give everything of the other member to this one."""
    service.merge(ctx.uow, id, form.other)
    return Done(mark("The two members are one now."), location=f"/app/members/{id}")


@action(_KEY, "unmerge", page="member", permission=Permission.MEMBERS_WRITE, form=UnmergeForm)
def unmerge(ctx: Context, id: UUID, form: UnmergeForm) -> Done:
    """Separate two members again."""
    service.unmerge(ctx.uow, form.merge)
    return Done(mark("The members are separated; what was not spent went back."))


@action(_KEY, "note", page="member", permission=Permission.MEMBERS_WRITE, form=NoteForm)
def note(ctx: Context, id: UUID, form: NoteForm) -> Done:
    """Remember something about a member."""
    service.add_note(ctx.uow, id, form.text)
    return Done(mark("The note was added."))


@action(_KEY, "remove-note", page="member", permission=Permission.MEMBERS_WRITE, form=RemoveNoteForm)
def remove_note(ctx: Context, id: UUID, form: RemoveNoteForm) -> Done:
    """Drop a note about a member."""
    service.remove_note(ctx.uow, id, form.note)
    return Done(mark("The note was removed."))


@action(_KEY, "edit", page="member", permission=Permission.MEMBERS_WRITE, form=EditForm)
def edit(ctx: Context, id: UUID, form: EditForm) -> Done:
    """Keep the birthday and the tags of a member."""
    if form.birthday and form.birthday > today():
        raise Invalid(fields={"birthday": mark("Choose a day that has been.")})
    if form.birthday != service.birthday(ctx.uow, id):
        service.set_birthday(ctx.uow, id, form.birthday)
    service.set_tags(ctx.uow, id, form.tags)
    return Done(mark("The member was saved."))


@tab_page(
    _KEY,
    "/duplicates",
    "duplicates.html",
    title=mark("Possible duplicates"),
    permission=Permission.MEMBERS_READ,
    query=DuplicatesQuery,
)
def duplicates(ctx: Context, query: DuplicatesQuery) -> dict[str, Any]:
    """Pairs of members who may be one person."""
    return {
        "list": show_list(ctx, DUPLICATES, query),
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
    }


@action(_KEY, "tell-apart", page="duplicates", permission=Permission.MEMBERS_WRITE, form=PairForm)
def tell_apart(ctx: Context, form: PairForm) -> Done:
    """Remember that two members are not the same person."""
    service.tell_apart(ctx.uow, form.one, form.other)
    return Done(mark("They are not listed as a pair any more."))


@action(_KEY, "set-status", page="member", permission=Permission.MEMBERS_WRITE, form=StatusForm)
def set_status(ctx: Context, id: UUID, form: StatusForm) -> Done:
    """Let a blocked member take part again."""
    service.set_status(ctx.uow, id, form.status)
    return Done(mark("The member can take part again."))


@action(_KEY, "block", page="member", permission=Permission.MEMBERS_WRITE, form=BlockForm)
def block(ctx: Context, id: UUID, form: BlockForm) -> Done:
    """Block a member; the reason is kept among the notes, sealed as these are."""
    service.set_status(ctx.uow, id, "blocked")
    service.add_note(ctx.uow, id, translate(ctx.locale, _BLOCKED, reason=form.reason))
    return Done(mark("The member is blocked."))


_BLOCKED = mark("Blocked: {reason}")


@tab_page(
    _KEY, "/enroll", "_enrolling.html", title=mark("Enroll customer"), permission=Permission.MEMBERS_WRITE
)
def enrolling() -> dict[str, Any]:
    """The dialog in which a customer of the shop is named."""
    return {}


@action(_KEY, "erase", page="member", permission=Permission.MEMBERS_ERASE)
def erase(ctx: Context, id: UUID) -> Done:
    """Erase a person everywhere, as a request of theirs would."""
    found = queries.get(ctx.uow, id)
    if found is None:
        raise MemberNotFound()
    compliance.request_erasure(
        ctx.uow,
        external_id=f"staff:{id}",
        customer_id=found.customer_id,
        member_id=id,
        requested_at=ctx.uow.now,
    )
    return Done(mark("The person was erased. The ledger keeps its numbers."))
