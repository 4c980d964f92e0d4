"""The points ledger in the admin: entries, the reasons behind them, and adjusting by hand."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import ids
from app.core.errors import Invalid, NotFound
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import Member
from app.domains.orders import service as orders
from app.domains.points import queries, service
from app.domains.points.lists import (
    ADJUSTMENTS,
    BALANCES,
    ENTRIES,
    LOTS,
    REDATINGS,
    balances,
    change,
    name_of,
    rule_options,
)
from app.domains.points.schemas import (
    AdjustForm,
    AdjustmentsQuery,
    AdjustPreview,
    AdjustPreviewForm,
    DecideForm,
    LedgerFilter,
    LotsQuery,
    PastQuery,
    RedatingForm,
    RedatingsQuery,
    SettingsForm,
    Wish,
)
from app.domains.programs import service as programs
from app.web import current
from app.web.context import Context
from app.web.date_range import today
from app.web.filters import points
from app.web.lists import headings, show_list
from app.web.locale import sentence, translated
from app.web.rendering import action_url
from app.web.tabs import Done, Fragment, action, tab, tab_page

_KEY = "points-ledger"


@tab(
    _KEY,
    title=mark("Points ledger"),
    group="manage",
    icon="list",
    permission=Permission.POINTS_READ,
    query=LedgerFilter,
)
def points_ledger(ctx: Context, query: LedgerFilter) -> dict[str, Any]:
    """The shop's entries as filtered, what all members have together, and when the ledger was proved."""
    return {
        "list": show_list(ctx, ENTRIES, query, options={"rule": rule_options(ctx)}),
        "today": today(),
        "totals": service.totals(ctx.uow),
        "delay": orders.award_delay(ctx.uow),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
        "waiting": queries.waiting_adjustments(ctx.uow),
        "alerted": service.alerted_since(ctx.uow, ctx.uow.now - timedelta(hours=24)),
        **_proof(ctx),
    }


def _proof(ctx: Context) -> dict[str, Any]:
    """When the ledger was last proved, what was found first, and a proof under way."""
    run, proof = queries.proof_run(ctx.uow), queries.proof(ctx.uow)
    running = run if run and run["ended_at"] is None and ctx.uow.now - run["started_at"] < _PROOF else None
    first = proof["findings"][0] if proof and proof["findings"] else None
    bad = queries.entry(ctx.uow, first) if first else None
    return {"proof": proof, "running": running, "first": first, "bad": bad}


_PROOF = timedelta(hours=1)


@tab_page(_KEY, "/proof", "_proof.html", title=mark("Proof of the ledger"), permission=Permission.POINTS_READ)
def proof(ctx: Context) -> dict[str, Any]:
    """The part of the ledger's page that changes while the ledger is proved."""
    return _proof(ctx)


@action(_KEY, "prove", permission=Permission.POINTS_READ)
def prove(ctx: Context) -> Done:
    """Prove the whole ledger now."""
    if service.start_proof(ctx.uow):
        return Done(mark("The ledger is being proved, entry by entry."))
    return Done(mark("The ledger is being proved already."))


@tab_page(_KEY, "/<uuid:id>", "entry.html", title=mark("Points entry"), permission=Permission.POINTS_READ)
def entry(ctx: Context, id: UUID) -> dict[str, Any]:
    """One entry: why it was written and how it was worked out, what it did, and its place in the member's chain."""
    row = queries.entry(ctx.uow, id)
    if row is None:
        raise NotFound()
    chain = queries.in_chain(ctx.uow, id)
    version, made = row["program_version_id"], row["trace"].get("adjustment")
    without = service.as_of(ctx.uow, row["member_id"], ctx.uow.now, without=[id]).balance
    now, between = service.balance(ctx.uow, row["member_id"]), balances(row)
    return {
        "entry": row,
        "change": change(row),
        "balances": sentence(BALANCES[between]) if between else None,
        "why": service.explain(row, ctx.locale),
        "told": service.told(row, ctx.locale),
        "name": name_of(members.profiles(ctx.uow, [row["member_id"]]), row["member_id"]),
        "order": orders.names(ctx.uow, [row["order_id"]]).get(row["order_id"]) if row["order_id"] else None,
        "version": programs.version_of(ctx.uow, version) if version else None,
        "adjustment": queries.adjustment(ctx.uow, UUID(made)) if made else None,
        "moves": queries.moves(ctx.uow, id, row["member_id"]),
        "redated": queries.redated_lots(ctx.uow, id)[:_LOTS_SHOWN] if row["kind"] == "redate" else [],
        "chain": chain,
        "without": without,
        "now": now,
        "possible": _possible(ctx, without.available),
        "possible_now": _possible(ctx, now.available),
        "tier": service.tier_by_points(ctx.uow, without.qualifying),
        "tier_now": service.tier_by_points(ctx.uow, now.qualifying),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
    }


def _possible(ctx: Context, available: int) -> list[str]:
    return [name for name, _ in service.possible_then(ctx.uow, ctx.uow.now, available, ctx.locale)]


@tab_page(
    _KEY,
    "/lots/<uuid:id>",
    "lots.html",
    title=mark("Lots"),
    permission=Permission.POINTS_READ,
    query=LotsQuery,
)
def lots(ctx: Context, query: LotsQuery, id: UUID) -> dict[str, Any]:
    """Every lot of a member: those with points left first, in the order in which they are used."""
    profile = members.profile(ctx.uow, id)
    found = show_list(ctx, LOTS, query, place={"id": id})
    return {"list": found, "member_id": id, "name": profile.name or profile.email or ""}


@tab_page(
    _KEY,
    "/past/<uuid:id>",
    "_past.html",
    title=mark("Points at a point in time"),
    permission=Permission.POINTS_READ,
    query=PastQuery,
)
def past(ctx: Context, query: PastQuery, id: UUID) -> dict[str, Any]:
    """What a member had at an instant, what it was enough for, and which lots it lay in."""
    members.profile(ctx.uow, id)
    zone = ZoneInfo(current.timezone())
    began = queries.first_entry_of(ctx.uow, id)
    first, last = (began or ctx.uow.now).astimezone(zone).date(), today()
    day = query.day
    if query.step is not None:
        day = min(first + timedelta(days=query.step), last)
    found = service.as_of(ctx.uow, id, service.when(ctx.uow, day, query.clock))
    local: datetime = found.at.astimezone(zone)
    open_lots = [lot for lot in found.lots if lot["bucket"] in _OPEN]
    return {
        "member_id": id,
        "began": began,
        "first": first,
        "last": last,
        "day": local.date(),
        "clock": query.clock,
        "past": found,
        "lots": open_lots[:_LOTS_SHOWN],
        "hidden": len(open_lots[_LOTS_SHOWN:]),
        "possible": service.possible_then(ctx.uow, found.at, found.balance.available, ctx.locale),
    }


_OPEN = ("available", "pending", "held")
_LOTS_SHOWN = 20


@tab_page(
    _KEY, "/adjust", "_adjusting.html", title=mark("Adjust points"), permission=Permission.POINTS_ADJUST
)
def adjusting() -> dict[str, Any]:
    """The dialog that adjusts the points of a member who is found in it."""
    return {"preview": None}


@action(_KEY, "adjust", permission=Permission.POINTS_ADJUST, form=AdjustForm, prepare=adjusting)
def adjust(ctx: Context, form: AdjustForm) -> Done:
    """Give, take, set, expire or transfer points by hand."""
    member = _one(ctx, form.member, "member")
    other = _one(ctx, form.to_member or "", "to_member") if form.verb == "transfer" else None
    wish = Wish(
        member.id,
        form.verb,
        form.points,
        f"staff:{ids.new_id()}",
        form.reason,
        note=form.note,
        to_member_id=other.id if other else None,
    )
    done = service.adjust_by_hand(ctx.uow, [wish])[0]
    place = f"/app/members/{member.id}" if form.back == "member" else None
    if done.status == "waiting":
        return Done(mark("This waits until somebody else approves it."), location=place)
    told = mark("Points added: {points}.") if done.moved > 0 else mark("Points deducted: {points}.")
    toast = {
        "text": translated(told, {"points": abs(done.moved)}),
        "error": False,
        "undo": {
            "label": translated(mark("Undo")),
            "url": action_url(f"{_KEY}.undo"),
            "values": {"adjustment": str(done.id)} | ({"member": str(member.id)} if place else {}),
        },
    }
    return Done(location=place, events={"toast": toast})


def _one(ctx: Context, text: str, name: str) -> Member:
    found = [one for one in members.search(ctx.uow, text.strip()) if one.status != "merged"]
    if len(found) != 1:
        raise Invalid(fields={name: mark("No member, or more than one, matches. Enter the member id.")})
    return found[0]


@tab_page(
    _KEY, "/adjust/<uuid:id>", "adjust.html", title=mark("Adjust points"), permission=Permission.POINTS_ADJUST
)
def adjust_member(ctx: Context, id: UUID) -> dict[str, Any]:
    """The drawer that adjusts one member's points."""
    profile = members.profile(ctx.uow, id)
    return {
        "name": profile.name or profile.email or "",
        "adjust": {"member": str(id), "verb": "award", "reason": "goodwill", "back": "member"},
        "preview": None,
    }


@action(_KEY, "adjust-preview", permission=Permission.POINTS_ADJUST, form=AdjustPreviewForm, live=True)
def adjust_preview(ctx: Context, form: AdjustPreviewForm) -> Done:
    """What an adjustment would lead to, while it is filled in."""
    found = [one for one in members.search(ctx.uow, form.member.strip()) if one.status != "merged"]
    shown = (
        service.adjust_preview(ctx.uow, found[0].id, form.verb, form.points)
        if len(found) == 1 and (form.points is not None or form.verb == "expire")
        else None
    )
    seen = {"preview": shown, "submit": _consequence(form, shown)}
    return Done(refresh=Fragment("admin/points/_adjust_preview.html", seen))


_CONSEQUENCES = {
    "award": mark("Award {points}"),
    "deduct": mark("Deduct {points}"),
    "set": mark("Set to {points}"),
    "expire": mark("Expire {points}"),
    "transfer": mark("Transfer {points}"),
}


def _consequence(form: AdjustPreviewForm, shown: AdjustPreview | None) -> str:
    """What the button says: the amount it moves, where that is known and can be done."""
    if shown is None or shown.available_after < 0:
        return translated(mark("Adjust points"))
    size = shown.available - shown.available_after if form.points is None else form.points
    return translated(_CONSEQUENCES[form.verb], {"points": points(size, unit=True)})


@tab_page(
    _KEY,
    "/adjustments",
    "adjustments.html",
    title=mark("Adjustments"),
    permission=Permission.POINTS_READ,
    query=AdjustmentsQuery,
)
def adjustments(ctx: Context, query: AdjustmentsQuery) -> dict[str, Any]:
    """What was adjusted by hand, what waits for somebody, and the shop's rules for it."""
    return {
        "list": show_list(ctx, ADJUSTMENTS, query),
        "reasons": service.REASONS,
        "rules": service.adjust_settings(ctx.uow),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
        "can_approve": ctx.can(Permission.POINTS_APPROVE),
        "can_set": ctx.can(Permission.SETTINGS_WRITE),
    }


@action(_KEY, "approve", page="adjustments", permission=Permission.POINTS_APPROVE, form=DecideForm)
def approve(ctx: Context, form: DecideForm) -> Done:
    """Let an adjustment that waits be posted."""
    service.decide(ctx.uow, form.adjustment, approve=True)
    return Done(mark("The adjustment was approved and posted."))


@action(_KEY, "reject", page="adjustments", permission=Permission.POINTS_APPROVE, form=DecideForm)
def reject(ctx: Context, form: DecideForm) -> Done:
    """Refuse an adjustment that waits."""
    service.decide(ctx.uow, form.adjustment, approve=False)
    return Done(mark("The adjustment was rejected."))


@action(_KEY, "undo", page="adjustments", permission=Permission.POINTS_ADJUST, form=DecideForm)
def undo(ctx: Context, form: DecideForm) -> Done:
    """Take an adjustment back with entries of its own."""
    service.undo(ctx.uow, form.adjustment)
    place = f"/app/members/{form.member}" if form.member else None
    return Done(mark("The adjustment was undone."), location=place)


@action(_KEY, "adjust-settings", page="adjustments", permission=Permission.SETTINGS_WRITE, form=SettingsForm)
def adjust_settings(ctx: Context, form: SettingsForm) -> Done:
    """Change the shop's rules for adjusting by hand."""
    service.save_adjust_settings(ctx.uow, form)
    return Done(mark("The rules for adjustments were saved."))


@tab_page(
    _KEY,
    "/expiry",
    "expiry.html",
    title=mark("Expiry of points already earned"),
    permission=Permission.POINTS_READ,
    query=RedatingsQuery,
)
def expiry(ctx: Context, query: RedatingsQuery) -> dict[str, Any]:
    """The program's terms of expiry, and how they were given to points that were earned before."""
    program = programs.active(ctx.uow)
    return {
        "program": program,
        "terms": programs.active_terms(ctx.uow),
        "list": show_list(ctx, REDATINGS, query),
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


@action(_KEY, "redate", page="expiry", permission=Permission.PROGRAMS_WRITE, form=RedatingForm)
def redate(ctx: Context, form: RedatingForm) -> Done:
    """Count what the present terms would do to points that were earned before."""
    redating_id = service.start_redating(ctx.uow, form)
    return Done(
        mark("Nothing is changed yet: this is being counted."),
        location=f"/app/points-ledger/expiry/{redating_id}",
    )


@tab_page(
    _KEY,
    "/expiry/<uuid:redating>",
    "redating.html",
    title=mark("Other expiry dates"),
    permission=Permission.POINTS_READ,
)
def redating(ctx: Context, redating: UUID) -> dict[str, Any]:
    """What a redating does, and how far it is."""
    return _redating(ctx, redating)


def _redating(ctx: Context, redating_id: UUID) -> dict[str, Any]:
    found = service.redating(ctx.uow, redating_id)
    terms = programs.active_terms(ctx.uow)
    return {
        "redating": found,
        "months": [
            {"month": date.fromisoformat(f"{month}-01") if month else None, "before": before, "after": after}
            for month, (before, after) in sorted(found["result"].get("months", {}).items(), key=_never_last)
        ],
        "running": found["status"] in ("counting", "applying", "undoing"),
        "outdated": terms is None or terms.version_id != found["version_id"],
        "can_write": ctx.can(Permission.PROGRAMS_WRITE),
    }


def _never_last(row: tuple[str, Any]) -> tuple[bool, str]:
    return not row[0], row[0]


@tab_page(
    _KEY,
    "/expiry/<uuid:redating>/state",
    "_redating.html",
    title=mark("Other expiry dates"),
    permission=Permission.POINTS_READ,
)
def redating_state(ctx: Context, redating: UUID) -> dict[str, Any]:
    """The part of a redating's page that changes while it runs."""
    return _redating(ctx, redating)


@action(_KEY, "apply-redating", page="redating", permission=Permission.PROGRAMS_WRITE)
def apply_redating(ctx: Context, redating: UUID) -> Done:
    """Give points the dates that were counted."""
    service.apply_redating(ctx.uow, redating)
    return Done(mark("The new expiry dates are being written."))


@action(_KEY, "undo-redating", page="redating", permission=Permission.PROGRAMS_WRITE)
def undo_redating(ctx: Context, redating: UUID) -> Done:
    """Give points back the dates that they had."""
    service.undo_redating(ctx.uow, redating)
    return Done(mark("The earlier expiry dates are being written."))


def _panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    balance = service.balance(ctx.uow, member_id)
    return {
        "wide": True,
        "member_id": member_id,
        "balance": balance,
        "cards": service.cards(ctx.uow, member_id, ctx.locale),
        "possible": service.possible_then(ctx.uow, ctx.uow.now, balance.available, ctx.locale),
        "can_adjust": ctx.can(Permission.POINTS_ADJUST),
    }


def _lots_panel(ctx: Context, member_id: UUID) -> dict[str, Any]:
    history = queries.history(ctx.uow, member_id, 1, None)
    lots = queries.lots_page(ctx.uow, member_id, LotsQuery(limit=_LOTS_ON_PANEL)).page
    return {
        "wide": True,
        "late": True,
        "member_id": member_id,
        "any": bool(history.items),
        "lots": lots.items,
        "lot_columns": headings([one for one in LOTS.columns if one.shown]),
    }


_LOTS_ON_PANEL = 5
members.register_panel("points", 10, "admin/points/_panel.html", _panel)
members.register_panel("lots", 90, "admin/points/_lots_panel.html", _lots_panel)
