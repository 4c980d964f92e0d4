"""The lists of points entries and of adjustments: columns, filters, orders, and how rows are read."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from markupsafe import escape

from app.core.i18n import enumerated, mark, translate
from app.core.paging import Found
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.points import queries, service
from app.domains.points.schemas import AdjustmentsQuery, LedgerFilter, LotsQuery, RedatingsQuery
from app.domains.programs import service as programs
from app.web import current
from app.web.context import Context
from app.web.filters import points
from app.web.lists import (
    Between,
    Choice,
    Column,
    Given,
    ListSpec,
    Ready,
    Row,
    Search,
    Sort,
    declare_list,
)
from app.web.locale import sentence, sentences
from app.web.marks import amount, badge, code, drawer_links, links, moment, muted
from app.web.markup import markup
from app.web.rendering import page_urls
from app.web.weaving import Parts

KINDS = {
    "award": mark("Award"),
    "adjust": mark("Adjustment"),
    "reverse": mark("Reversal"),
    "hold": mark("Reserved"),
    "release": mark("Reservation ended"),
    "spend": mark("Redemption"),
    "restore": mark("Given back"),
    "activate": mark("Activation"),
    "expire": mark("Expiry"),
    "move_out": mark("Moved away"),
    "move_in": mark("Moved here"),
    "undo": mark("Undone"),
    "redate": mark("Other expiry date"),
}
ACTORS = {
    "system": mark("the program"),
    "staff": mark("staff"),
    "api_key": mark("an API key"),
    "member": mark("the member"),
    "operator": mark("support"),
}
# From and to which balance points went that a member had before and after; what has no kind here changed the sum.
_BETWEEN = {
    "hold": "available_held",
    "release": "held_available",
    "activate": "pending_available",
    "redate": "dates",
}
BALANCES = {
    "available_held": mark("Available to Reserved"),
    "held_available": mark("Reserved to Available"),
    "pending_available": mark("Pending to Available"),
    "dates": mark("Expiry date only"),
}
SOURCES = {
    "orders": mark("Orders"),
    "deeds": mark("What members did"),
    "redemptions": mark("Redemptions"),
    "hand": mark("Adjustments by hand"),
    "calendar": mark("Waiting time and expiry"),
    "accounts": mark("Merged accounts and transfers"),
}
_OTHER_REASONS = {
    "refund": mark("Refund"),
    "order_edited": mark("Order changed"),
    "order_cancelled": mark("Order canceled"),
    "order_deleted": mark("Order deleted"),
    "redemption": mark("Redemption"),
    "reward_failed": mark("Reward failed"),
    "reward_cancelled": mark("Reward canceled"),
    "expired": mark("Past their date"),
    "expiry_terms": mark("Terms of expiry changed"),
    "expiry_terms_undone": mark("Expiry dates restored"),
    "expiry_extended": mark("Kept for longer"),
    "expiry_extended_undone": mark("Kept for longer, undone"),
    "holding_period_over": mark("Waiting time over"),
    "merged": mark("Accounts merged"),
    "unmerged": mark("Accounts separated"),
    "duplicate_bonus": mark("Bonus given twice"),
    "not_first_order": mark("Not the first order"),
    "transfer": mark("Transfer"),
    "adjustment_undone": mark("Adjustment undone"),
    "referral_advocate": mark("Invited a friend"),
    "referral_friend": mark("Accepted an invitation"),
    "referral_reversed": mark("Friend's order no longer counts"),
}
REASONS = {
    **{value: words for value, words in programs.KINDS.items() if value != "referral"},
    **_OTHER_REASONS,
    **service.REASONS,
}
VERBS = {
    "award": mark("Added"),
    "deduct": mark("Deducted"),
    "set": mark("Set"),
    "expire": mark("Expired"),
    "transfer": mark("Transferred"),
}
STATES = {
    "done": mark("Done"),
    "waiting": mark("Waiting for approval"),
    "rejected": mark("Rejected"),
    "undone": mark("Undone"),
}


def name_of(people: dict[UUID, Any], member_id: UUID | None) -> str:
    """A member's name, else their e-mail, else nothing."""
    profile = people.get(member_id) if member_id else None
    return (profile.name or profile.email or "") if profile else ""


def _entries(ctx: Context, query: LedgerFilter) -> Found:
    found = service.listed(ctx.uow, query, ctx.locale)
    people = members.profiles(ctx.uow, {row["member_id"] for row in found.page.items})
    for row in found.page.items:
        row["name"] = name_of(people, row["member_id"])
        row["order"] = row["trace"].get("order_name") or "–"
    return Found(found.page, found.total, found.more, found.until)


def _all_entries(ctx: Context, query: LedgerFilter) -> Iterator[list[Row]]:
    return service.entry_slices(ctx.shop_id, query, ctx.locale)


def rule_options(ctx: Context) -> list[tuple[str, str]]:
    """The earning rules of the active program."""
    terms = programs.active_terms(ctx.uow)
    return [
        (rule.id, rule.name or translate(ctx.locale, programs.KINDS[rule.kind]))
        for rule in (terms.rules if terms else [])
    ]


_FORMER, _WHY = mark("Former member"), mark("Why: %(sentence)s")


def _members(rows: Sequence[Row]) -> Parts:
    former, urls = sentence(_FORMER), page_urls("members.member", id=[row["member_id"] for row in rows])
    return links([row["name"] or former for row in rows], urls)


def _shown_points(row: Row) -> int:
    """What a member has more or less, else how many points moved between their balances."""
    shown: int = row["points"] or row["moved"]
    return shown


def change(row: Row) -> str:
    """The points of an entry, muted where they only moved between balances."""
    return amount(row["points"]) if row["points"] else muted(points(_shown_points(row)))


def balances(row: Row) -> str | None:
    """From and to which balance (a key of BALANCES) the points of an entry moved that left their sum as it was."""
    return None if row["points"] else _BETWEEN.get(row["kind"])


def _balances(row: Row) -> str:
    way = balances(row)
    return escape(sentence(BALANCES[way])) if way else "–"


def _peeks(rows: Sequence[Row]) -> Parts:
    ids, whys = [str(row["id"]) for row in rows], [row["why"] for row in rows]
    return drawer_links(page_urls("points-ledger.entry", id=ids), ids, sentences(_WHY, sentence=whys))


ENTRIES = declare_list(
    ListSpec(
        key="points-entries",
        title=mark("Points entries"),
        place="points-ledger",
        permission=Permission.POINTS_READ,
        query=LedgerFilter,
        rows=_entries,
        slices=_all_entries,
        csv="/v1/api/points/entries.csv",
        columns=(
            Column("name", mark("Member"), cells=_members),
            Column(
                "member_id",
                mark("Member id"),
                shown=False,
                priority=2,
                cell=lambda row: code(row["member_id"]),
            ),
            Column("why", mark("Why"), phone="more", cell=lambda row: escape(row["why"])),
            Column("kind", mark("Kind"), kind="status", words=KINDS),
            Column("reason", mark("Reason"), shown=False, priority=2, words=REASONS),
            Column("points", mark("Points"), kind="number", phone="key", cell=change, value=_shown_points),
            Column(
                "balances",
                mark("From and to"),
                shown=False,
                priority=2,
                words=BALANCES,
                cell=_balances,
                value=balances,
            ),
            Column("available_after", mark("Available after"), kind="number", priority=2, phone="hide"),
            Column("pending_after", mark("Pending after"), kind="number", shown=False, priority=2),
            Column("held_after", mark("Reserved after"), kind="number", shown=False, priority=2),
            Column("debt_after", mark("Debt after"), kind="number", shown=False, priority=2),
            Column(
                "order",
                mark("Order"),
                shown=False,
                priority=2,
                value=lambda row: row["trace"].get("order_name", ""),
                field="order_name",
            ),
            Column("actor_kind", mark("Written by"), shown=False, priority=2, words=ACTORS),
            Column("key", mark("Key"), shown=False, priority=2),
            Column("id", mark("Entry id"), shown=False, priority=2, cell=lambda row: code(row["id"])),
            Column("created_at", mark("When"), kind="date"),
            Column("actions", mark("Actions"), kind="actions", cells=_peeks),
        ),
        search=Search("member", mark("Name, e-mail, order, code or id")),
        filters=(
            Choice("kind", mark("Kind"), tuple(KINDS.items())),
            Choice("reason", mark("Reason"), tuple(REASONS.items())),
            Choice("actor", mark("Written by"), tuple(ACTORS.items()), more=True),
            Choice("source", mark("Source"), tuple(SOURCES.items()), more=True),
            Choice("rule", mark("Rule"), more=True),
            Between("start", "end", mark("Days"), "date"),
            Between("points_from", "points_to", mark("Points")),
            Given("version", mark("Terms"), mark("one version")),
            Given("actor_id", mark("Written by"), mark("one person")),
        ),
        sorts=(
            Sort("newest", mark("Newest first"), "created_at"),
            Sort("oldest", mark("Oldest first"), "created_at", descending=False),
        ),
    )
)


def _adjustments(ctx: Context, query: AdjustmentsQuery) -> Found:
    page = queries.adjustments(ctx.uow, query.limit, query.cursor, query.status)
    sides = ("member_id", "to_member_id")
    people = members.profiles(ctx.uow, {row[side] for row in page.items for side in sides if row[side]})
    for row in page.items:
        row["name"], row["to_name"] = (name_of(people, row[side]) for side in sides)
        row["own"] = (row["actor_kind"], row["actor_id"]) == (ctx.uow.actor.kind, ctx.uow.actor.id)
    return Found(page)


ADJUSTMENTS = declare_list(
    ListSpec(
        key="adjustments",
        title=mark("Adjustments, newest first"),
        place="points-ledger.adjustments",
        permission=Permission.POINTS_READ,
        query=AdjustmentsQuery,
        rows=_adjustments,
        csv="/v1/api/points/adjustments.csv",
        columns=(
            Column("name", mark("Member")),
            Column("verb", mark("What"), words=VERBS),
            Column("to_name", mark("To member"), shown=False, priority=2),
            Column(
                "points",
                mark("Points"),
                kind="number",
                phone="key",
                value=lambda row: row["moved"] if row["status"] in ("done", "undone") else row["points"],
            ),
            Column("reason", mark("Reason"), priority=2, words=service.REASONS),
            Column("note", mark("Note"), shown=False, priority=2),
            Column("who", mark("By"), priority=2, value=lambda row: row["actor_label"]),
            Column("status", mark("Status"), kind="status", phone="mark", words=STATES),
            Column("decided_at", mark("Decided"), kind="date", shown=False, priority=2),
            Column("created_at", mark("When"), kind="date", priority=2),
            Column("actions", mark("Actions"), kind="actions"),
        ),
        ready=tuple(Ready(STATES[one], {"status": one}) for one in ("waiting", "done", "rejected", "undone")),
    )
)


LOT_STATES = {
    "available": mark("Available"),
    "pending": mark("Pending"),
    "held": mark("Reserved"),
    "used": mark("Used up"),
}
_GONE = {
    "held": mark("%(points)s reserved"),
    "spent": mark("%(points)s spent"),
    "expired": mark("%(points)s expired"),
    "reversed": mark("%(points)s taken back"),
}
_LOT_TONES = {"available": "success", "pending": "warning"}
_EXPIRES, _NEVER = mark("Expires"), mark("never")


def _gone(row: Row) -> str:
    parts = [sentence(words, points=points(row[key])) for key, words in _GONE.items() if row[key]]
    return escape(enumerated(current.locale(), parts)) if parts else ""


def _lot_state(row: Row) -> str:
    return badge(sentence(LOT_STATES[row["state"]]), _LOT_TONES.get(row["state"]))


def _expires(row: Row) -> str:
    said = moment(row["expires_at"]) if row["expires_at"] else escape(sentence(_NEVER))
    return markup(f'<span class="on-phone">{escape(sentence(_EXPIRES))}</span> {said}')


def _amount_of(key: str, label: str) -> Column:
    return Column(key, label, kind="number", shown=False, priority=2, phone="hide")


def _lots(ctx: Context, query: LotsQuery, id: UUID) -> Found:
    members.profile(ctx.uow, id)
    return queries.lots_page(ctx.uow, id, query)


LOTS = declare_list(
    ListSpec(
        key="member-lots",
        title=mark("Lots"),
        place="points-ledger.lots",
        permission=Permission.POINTS_READ,
        query=LotsQuery,
        rows=_lots,
        csv="/v1/api/members/{id}/lots.csv",
        columns=(
            Column("earned_at", mark("Earned"), kind="date", phone="main"),
            Column("points", mark("Points"), kind="number", phone="hide"),
            Column("remaining", mark("Left"), kind="number", phone="key"),
            Column("gone", mark("Used or expired"), priority=2, phone="more", exported=False, cell=_gone),
            _amount_of("held", mark("Reserved")),
            _amount_of("spent", mark("Spent")),
            _amount_of("expired", mark("Expired")),
            _amount_of("reversed", mark("Taken back")),
            Column("state", mark("State"), kind="status", phone="mark", words=LOT_STATES, cell=_lot_state),
            Column(
                "activates_at", mark("Available from"), kind="date", shown=False, priority=2, phone="hide"
            ),
            Column("expires_at", mark("Expires"), kind="date", phone="note", cell=_expires),
        ),
        sorts=(
            Sort("use", mark("As they are used")),
            Sort("newest", mark("Newest first"), "earned_at"),
            Sort("oldest", mark("Oldest first"), "earned_at", descending=False),
        ),
        ready=tuple(Ready(words, {"state": state}) for state, words in LOT_STATES.items()),
    )
)


REDATING_STATES = {
    "counting": mark("Being counted"),
    "counted": mark("Counted, not applied"),
    "applying": mark("Being applied"),
    "applied": mark("Applied"),
    "undoing": mark("Being undone"),
    "undone": mark("Undone"),
}
WAYS = {"later": mark("Only later"), "sooner": mark("Sooner too")}


def _redatings(ctx: Context, query: RedatingsQuery) -> Found:
    found = queries.redatings(ctx.uow, query)
    for row in found.page.items:
        row["way"] = "sooner" if row["shortens"] else "later"
    return found


REDATINGS = declare_list(
    ListSpec(
        key="redatings",
        title=mark("Changes of expiry dates"),
        place="points-ledger.expiry",
        permission=Permission.POINTS_READ,
        query=RedatingsQuery,
        rows=_redatings,
        csv="/api/loyalty-referral/points/redatings.csv",
        columns=(
            Column("created_at", mark("Counted"), kind="date"),
            Column("way", mark("How"), phone="note", words=WAYS),
            Column(
                "notice_days", mark("Days of notice"), kind="number", shown=False, priority=2, phone="hide"
            ),
            Column("members", mark("Members with points"), kind="number", priority=2, phone="hide"),
            Column("who", mark("By"), priority=2, phone="hide", value=lambda row: row["actor_label"]),
            Column("status", mark("Status"), kind="status", phone="mark", words=REDATING_STATES),
            Column("applied_at", mark("Applied"), kind="date", shown=False, priority=2),
            Column("undone_at", mark("Undone"), kind="date", shown=False, priority=2),
        ),
        ready=tuple(Ready(REDATING_STATES[one], {"status": one}) for one in ("counted", "applied", "undone")),
    )
)
