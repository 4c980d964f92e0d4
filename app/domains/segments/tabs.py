"""Segments in the admin: the list below Members, a segment's page, its editor with a preview, and the member page."""

from typing import Any
from uuid import UUID

from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.segments import queries, rules, service
from app.domains.segments.errors import SegmentNotManual
from app.domains.segments.lists import MEMBERS, SEGMENTS, STATUSES, tier_names
from app.domains.segments.schemas import (
    AddQuery,
    EmailsForm,
    ManualForm,
    MemberForm,
    MembersQuery,
    NewQuery,
    PersonForm,
    Rules,
    Segment,
    SegmentForm,
    SegmentIn,
    SegmentsFilter,
    SegmentUpdate,
    ShapeForm,
    TypedForm,
)
from app.domains.segments.service import editor
from app.domains.shops import service as shops
from app.web.context import Context
from app.web.date_range import today
from app.web.form_input import Upload
from app.web.lists import query_of, show_list
from app.web.pages import asked_values
from app.web.tabs import Done, Fragment, action, tab_page

_KEY = "members"
_PLACE = "/app/members/segments"
_SIZE_DAYS = 90
_FOUND = 8
_HISTORY = 10
_FILE_BYTES = 8 * 1024 * 1024


@tab_page(
    _KEY,
    "/segments",
    "segments.html",
    title=mark("Segments"),
    permission=Permission.MEMBERS_READ,
    query=SegmentsFilter,
)
def segments(ctx: Context, query: SegmentsFilter) -> dict[str, Any]:
    """Every segment with its size, and what a new one can start from."""
    ready = service.ready(ctx.uow)
    found = show_list(ctx, SEGMENTS, query)
    return {
        "list": found,
        "counting": not ready or any(row["counted_at"] is None for row in found.found.page.items),
        "templates": rules.TEMPLATES,
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
    }


@tab_page(
    _KEY,
    "/segments/new",
    "edit.html",
    title=mark("New segment"),
    permission=Permission.MEMBERS_WRITE,
    query=NewQuery,
)
def new_segment(ctx: Context, query: NewQuery) -> dict[str, Any]:
    """The empty editor, or one filled from a template or another segment."""
    template = rules.template(query.template or "")
    given = service.get(ctx.uow, query.copy_of) if query.copy_of else None
    asked = given.rules if given else template.rules if template else rules.FIRST
    view = _editor(ctx, None, asked) | {
        "preview": _preview(ctx, asked),
        "kind": given.kind if given else query.kind,
        "copy_of": None,
    }
    if template:
        view["initial"] |= {
            "name": translate(ctx.locale, template.name),
            "description": translate(ctx.locale, template.description),
        }
    if given:
        view["initial"] |= {"description": given.description}
        view["copy_of"] = given if given.kind == "manual" else None
    return view


def _refused_new(ctx: Context) -> dict[str, Any]:
    """What the refused editor of a new segment needs besides what was typed."""
    return _editor(ctx, None, rules.FIRST) | {"copy_of": None}


@tab_page(
    _KEY,
    "/segments/<uuid:id>",
    "segment.html",
    title=mark("Segment"),
    permission=Permission.MEMBERS_READ,
    query=MembersQuery,
)
def segment(ctx: Context, id: UUID, query: MembersQuery) -> dict[str, Any]:
    """One segment: its conditions in words, its size over time, who is in it, where it is used."""
    service.ready(ctx.uow)
    return _segment(ctx, id, query)


def _segment(ctx: Context, id: UUID, query: MembersQuery) -> dict[str, Any]:
    found = service.get(ctx.uow, id)
    return {
        "title": found.name,
        "segment": found,
        "told": editor.told(found.rules, tier_names(ctx), ctx.locale, shops.get(ctx.uow).currency),
        "list": show_list(
            ctx, MEMBERS, query, place={"id": id}, options={"tier": list(tier_names(ctx).items())}
        ),
        "today": today(),
        "sizes": queries.sizes(ctx.uow, id, _SIZE_DAYS),
        "uses": queries.uses(ctx.uow, id),
        "history": compliance.list_entries(ctx.uow, ("segment", str(id)), limit=_HISTORY).items,
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
    }


def _as_shown(ctx: Context, id: UUID) -> dict[str, Any]:
    return _segment(ctx, id, query_of(MEMBERS, asked_values()))


@tab_page(
    _KEY,
    "/segments/<uuid:id>/add",
    "add.html",
    title=mark("Add members"),
    permission=Permission.MEMBERS_WRITE,
    query=AddQuery,
)
def add_people(ctx: Context, id: UUID, query: AddQuery) -> dict[str, Any]:
    """Where members are looked for and put into a segment by hand."""
    segment = service.get(ctx.uow, id)
    if segment.kind != "manual":
        raise SegmentNotManual()
    found = members.search(ctx.uow, query.search) if query.search else []
    standing = [one.id for one in found if one.status in STATUSES][:_FOUND]
    return {
        "segment": segment,
        "found": standing,
        "people": members.profiles(ctx.uow, standing),
        "inside": queries.since(ctx.uow, id, standing),
    }


@tab_page(
    _KEY,
    "/segments/<uuid:id>/edit",
    "edit.html",
    title=mark("Edit segment"),
    permission=Permission.MEMBERS_WRITE,
)
def edit_segment(ctx: Context, id: UUID) -> dict[str, Any]:
    """The editor of one segment."""
    return _refused_edit(ctx, id) | {"preview": _preview(ctx, service.get(ctx.uow, id).rules)}


def _refused_edit(ctx: Context, id: UUID) -> dict[str, Any]:
    """What the editor of a segment needs besides its preview."""
    found = service.get(ctx.uow, id)
    return _editor(ctx, found, found.rules) | {"kind": found.kind}


def _editor(ctx: Context, found: Segment | None, asked: Rules) -> dict[str, Any]:
    currency = shops.get(ctx.uow).currency
    settings = {
        "name": found.name if found else "",
        "description": found.description if found else "",
        "version": found.version if found else 0,
    }
    initial = settings | editor.typed(asked, currency)
    return {
        "title": found.name if found else None,
        "segment": found,
        "initial": initial,
        "shape": editor.shape(initial),
        "shape_of_posted": editor.shape_of_posted,
        "tiers": sorted(tier_names(ctx).items(), key=lambda pair: pair[1]),
        "told": editor.told(asked, tier_names(ctx), ctx.locale, currency),
    }


def _preview(ctx: Context, asked: Rules) -> dict[str, Any] | None:
    """How many and the first few; None while conditions are incomplete, `counting` while facts are being summed."""
    if rules.problems(asked):
        return None
    if not service.ready(ctx.uow):
        return {"counting": True}
    found = service.preview(ctx.uow, asked)
    people = members.profiles(ctx.uow, found.sample) if ctx.can(Permission.MEMBERS_READ) else {}
    return {
        "counting": False,
        "count": found.count,
        "of": found.of,
        "people": [(one, people[one]) for one in found.sample if one in people],
    }


def _unclear(ctx: Context) -> dict[str, Any]:
    return {"preview": None}


@action(
    _KEY,
    "segment-preview",
    path="/segments/preview",
    template="_segment_preview.html",
    permission=Permission.MEMBERS_READ,
    form=TypedForm,
    prepare=_unclear,
    live=True,
)
def segment_preview(ctx: Context, form: TypedForm) -> Done:
    """Whom the conditions lead to as they are typed."""
    asked = editor.read(form, shops.get(ctx.uow).currency)
    return Done(refresh=Fragment("admin/segments/_segment_preview.html", {"preview": _preview(ctx, asked)}))


@action(
    _KEY,
    "segment-shape",
    path="/segments/shape",
    permission=Permission.MEMBERS_READ,
    form=ShapeForm,
    idempotent=False,
)
def segment_shape(ctx: Context, form: ShapeForm) -> Done:
    """The conditions with one more, one less, or with the fields of another choice."""
    initial = editor.changed(form)
    here = ctx.form_values.get("_segment", "")
    view = {
        "initial": initial,
        "shape": editor.shape(initial),
        "segment": service.get(ctx.uow, UUID(here)) if here else None,
        "tiers": sorted(tier_names(ctx).items(), key=lambda pair: pair[1]),
    }
    return Done(refresh=Fragment("admin/segments/_conditions.html", view), events={"segment:changed": {}})


def _review(ctx: Context, form: SegmentForm) -> None:
    editor.read(form, shops.get(ctx.uow).currency)


@action(
    _KEY,
    "create-segment",
    path="/segments/create",
    template="_create.html",
    permission=Permission.MEMBERS_WRITE,
    form=SegmentForm,
    prepare=_refused_new,
    review=_review,
)
def create_segment(ctx: Context, form: SegmentForm) -> Done:
    """Save a new segment with conditions."""
    asked = editor.read(form, shops.get(ctx.uow).currency)
    made = service.create(ctx.uow, SegmentIn(name=form.name, description=form.description, rules=asked))
    return Done(mark("{name} was created."), {"name": made.name}, location=f"{_PLACE}/{made.id}")


@action(
    _KEY,
    "save-segment",
    path="/save",
    page="edit_segment",
    template="_save.html",
    permission=Permission.MEMBERS_WRITE,
    form=SegmentForm,
    prepare=_refused_edit,
    review=_review,
)
def save_segment(ctx: Context, id: UUID, form: SegmentForm) -> Done:
    """Save the editor of a segment with conditions."""
    asked = editor.read(form, shops.get(ctx.uow).currency)
    changes = SegmentUpdate(version=form.version, name=form.name, description=form.description, rules=asked)
    service.update(ctx.uow, id, changes)
    return Done(mark("The segment was saved."), location=f"{_PLACE}/{id}")


@action(
    _KEY,
    "create-list",
    path="/segments/create-list",
    template="_create_list.html",
    permission=Permission.MEMBERS_WRITE,
    form=ManualForm,
    prepare=_refused_new,
)
def create_list(ctx: Context, form: ManualForm) -> Done:
    """Save a new segment by hand, with the members of another one when it is a copy."""
    made = service.create(
        ctx.uow, SegmentIn(name=form.name, description=form.description, kind="manual"), form.copy_of
    )
    return Done(mark("{name} was created."), {"name": made.name}, location=f"{_PLACE}/{made.id}")


@action(
    _KEY,
    "save-list",
    path="/save-list",
    page="edit_segment",
    template="_save_list.html",
    permission=Permission.MEMBERS_WRITE,
    form=ManualForm,
    prepare=_refused_edit,
)
def save_list(ctx: Context, id: UUID, form: ManualForm) -> Done:
    """Save the name of a segment by hand."""
    changes = SegmentUpdate(version=form.version, name=form.name, description=form.description)
    service.update(ctx.uow, id, changes)
    return Done(mark("The segment was saved."), location=f"{_PLACE}/{id}")


@action(_KEY, "delete-segment", path="/delete", page="segment", permission=Permission.MEMBERS_WRITE)
def delete_segment(ctx: Context, id: UUID) -> Done:
    """Delete a segment that nothing names."""
    name = service.get(ctx.uow, id).name
    service.remove(ctx.uow, id)
    return Done(mark("{name} was deleted."), {"name": name}, location=_PLACE)


@action(
    _KEY,
    "add-person",
    page="add_people",
    permission=Permission.MEMBERS_WRITE,
    form=PersonForm,
)
def add_person(ctx: Context, id: UUID, form: PersonForm) -> Done:
    """Put a member into a segment by hand."""
    service.add_members(ctx.uow, id, [form.member])
    return Done(mark("The member was added."))


@action(
    _KEY,
    "remove-person",
    path="/remove",
    page="segment",
    permission=Permission.MEMBERS_WRITE,
    form=PersonForm,
)
def remove_person(ctx: Context, id: UUID, form: PersonForm) -> Done:
    """Take a member out of a segment by hand."""
    service.remove_members(ctx.uow, id, [form.member])
    return Done(mark("The member was taken out."))


@action(
    _KEY,
    "import-emails",
    path="/emails",
    page="segment",
    template="_import_emails.html",
    permission=Permission.MEMBERS_WRITE,
    form=EmailsForm,
    prepare=_as_shown,
    files=("file",),
    max_body_bytes=_FILE_BYTES,
)
def import_emails(ctx: Context, id: UUID, form: EmailsForm, files: dict[str, Upload]) -> Done:
    """Put the members of a file's e-mail addresses into a segment by hand."""
    done = service.add_emails(ctx.uow, id, files["file"].content)
    view = _as_shown(ctx, id) | {"imported": done}
    return Done(
        mark("Members added: {added}. Already in it: {known}. Not found: {missing}."),
        {"added": done.added, "known": done.known, "missing": done.missing},
        refresh=Fragment("admin/segments/_filled.html", view, target="#segment-filled", swap="outerHTML"),
    )


@action(
    _KEY,
    "join-segment",
    path="/join-segment",
    page="member",
    permission=Permission.MEMBERS_WRITE,
    form=MemberForm,
)
def join_segment(ctx: Context, id: UUID, form: MemberForm) -> Done:
    """Put the member of a page into a segment by hand."""
    service.add_members(ctx.uow, form.segment, [id])
    return Done(mark("The member was added."))


@action(
    _KEY,
    "leave-segment",
    path="/leave-segment",
    page="member",
    permission=Permission.MEMBERS_WRITE,
    form=MemberForm,
)
def leave_segment(ctx: Context, id: UUID, form: MemberForm) -> Done:
    """Take the member of a page out of a segment by hand."""
    service.remove_members(ctx.uow, form.segment, [id])
    return Done(mark("The member was taken out."))


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    inside = queries.of_member(ctx.uow, member_id)
    known = {one["id"] for one in inside}
    return {
        "member_id": member_id,
        "segments": inside,
        "lists": [one for one in queries.every(ctx.uow, kind="manual") if one.id not in known],
        "can_write": ctx.can(Permission.MEMBERS_WRITE),
    }


members.register_panel("segments", 30, "admin/segments/_panel.html", _panel)
