"""Points by hand: given, taken, set, expired and transferred, once, within the shop's rules, and taken back exactly."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core import ids
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.members.errors import MemberNotFound
from app.domains.points import queries
from app.domains.points.errors import (
    AdjustmentClosed,
    AdjustmentNotFound,
    ApproverNeeded,
    DailyLimitReached,
    InsufficientPoints,
    KeyReused,
    MemberCannotEarn,
    NothingToAdjust,
    SameMember,
    StaleSettings,
    UndoRefused,
)
from app.domains.points.schemas import (
    HOW_MANY,
    Adjustment,
    AdjustPreview,
    Balance,
    Entry,
    PointsSettings,
    SettingsForm,
    Verb,
    Wish,
)
from app.domains.points.service import by_hand, posting
from app.domains.points.service.by_hand import Posting, Undo
from app.domains.points.service.shifting import Change, Copy, Shift, shift, spendable, take, total
from app.domains.shops import service as shops

ALERT = "points.adjustment_alert"
_ALERTS = ("points", "adjustments")
# A person is limited by the day and needs a second one for much; a program that holds a key has scopes instead.
_PERSON = "staff"

Moved = Callable[[UnitOfWork, str, str, datetime], int]
Made = Callable[[UnitOfWork, datetime], int]
_ELSEWHERE: dict[str, tuple[Moved, Made]] = {}

_INSERT = """
INSERT INTO points_adjustments (shop_id, id, key, member_id, to_member_id, verb, points, moved, reason, note, status, entries,
  actor_kind, actor_id, actor_label, created_at)
SELECT %(shop)s, v.id, v.key, v.member, v.other, v.verb, v.points, 0, v.reason, v.note, v.status, '{}', %(actor_kind)s,
  %(actor_id)s, %(actor_label)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(keys)s::text[], %(members)s::uuid[], %(others)s::uuid[], %(verbs)s::text[],
  %(points)s::bigint[], %(reasons)s::text[], %(notes)s::text[], %(statuses)s::text[])
  AS v (id, key, member, other, verb, points, reason, note, status)
ON CONFLICT (shop_id, key) DO NOTHING RETURNING id
"""
_POSTED = """
UPDATE points_adjustments a SET moved = v.moved, entries = string_to_array(v.entries, ',')::uuid[]
FROM unnest(%(ids)s::uuid[], %(moved)s::bigint[], %(entries)s::text[]) AS v (id, moved, entries)
WHERE a.shop_id = %(shop)s AND a.id = v.id
"""


def adjust_by_hand(uow: UnitOfWork, wishes: Sequence[Wish]) -> list[Adjustment]:
    """Do what is asked for, all or nothing, or let it wait for a second person. Returns an adjustment per wish.

    A key that was used before returns its first adjustment; for another wish it raises KeyReused. Raises
    MemberNotFound, MemberCannotEarn, InsufficientPoints, NothingToAdjust, SameMember, DailyLimitReached, Invalid.
    """
    known = queries.adjustments_by_key(uow, [wish.key for wish in wishes])
    for wish in wishes:
        if wish.key in known and not _same(known[wish.key], wish):
            raise KeyReused()
    fresh = {ids.new_id(): wish for wish in wishes if wish.key not in known}
    if fresh:
        _check_members(uow, list(fresh.values()))
        rules = queries.adjust_settings(uow)
        sizes = _sizes(uow, fresh)
        _check_day(uow, rules, sum(sizes.values()))
        waiting = {one for one, size in sizes.items() if _needs_approval(uow, rules, size)}
        _store(uow, fresh, sizes, waiting)
        _post(uow, {one: wish for one, wish in fresh.items() if one not in waiting})
        _watch(uow, rules)
    found = queries.adjustments_by_key(uow, [wish.key for wish in wishes])
    return [found[wish.key] for wish in wishes]


def register_by_hand(name: str, moved: Moved, made: Made) -> None:
    """Let a domain above that adjusts for many at once take part in the shop's rules for adjusting.

    `moved(uow, actor_kind, actor_id, since)` gives the points that somebody moved there, `made(uow, since)` how many
    members anybody adjusted there.
    """
    _ELSEWHERE[name] = (moved, made)


def may_adjust(uow: UnitOfWork, points: int) -> bool:
    """Whether the actor may move so many points without a second person. Raises DailyLimitReached."""
    rules = queries.adjust_settings(uow)
    _check_day(uow, rules, points)
    return not _needs_approval(uow, rules, points)


def watch_by_hand(uow: UnitOfWork) -> None:
    """See whether more was adjusted in an hour than usual; then the merchant is told."""
    _watch(uow, queries.adjust_settings(uow))


def _same(known: Adjustment, wish: Wish) -> bool:
    return (known.member_id, known.verb, known.to_member_id) == (
        wish.member_id,
        wish.verb,
        wish.to_member_id,
    ) and (wish.points is None or known.points == wish.points)


def _check_members(uow: UnitOfWork, wishes: Sequence[Wish]) -> None:
    for wish in wishes:
        if wish.points is None and wish.verb != "expire":
            raise Invalid(fields={"points": HOW_MANY})
        if wish.verb not in ("set", "expire") and wish.points == 0:
            raise NothingToAdjust()
        if wish.verb == "transfer" and wish.to_member_id in (None, wish.member_id):
            raise SameMember()
    wanted = {wish.member_id for wish in wishes} | {wish.to_member_id for wish in wishes if wish.to_member_id}
    found = members.by_ids(uow, wanted)
    if len(found) < len(wanted):
        raise MemberNotFound()
    if not all(member.active for member in found.values()):
        raise MemberCannotEarn()


def _sizes(uow: UnitOfWork, fresh: dict[UUID, Wish]) -> dict[UUID, int]:
    """How many points each wish moves as things stand, so that limits can be checked before anything is posted."""
    balances: dict[UUID, Balance] = {}
    sizes = {}
    for one, wish in fresh.items():
        if wish.verb in ("set", "expire") and wish.member_id not in balances:
            queries.lock_accounts(uow, [wish.member_id])
            balances[wish.member_id] = queries.balance(uow, wish.member_id)
        sizes[one] = _size(wish, balances.get(wish.member_id))
    return sizes


def _size(wish: Wish, balance: Balance | None) -> int:
    if balance is None:
        return wish.points or 0
    if wish.verb == "set":
        return abs(balance.change_to(wish.points or 0))
    return balance.available if wish.points is None else wish.points


def _check_day(uow: UnitOfWork, rules: PointsSettings, size: int) -> None:
    if rules.daily_limit is None or uow.actor.kind != _PERSON:
        return
    uow.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%(who)s, 7))", {"who": f"{uow.shop}:{uow.actor.id}"}
    )
    day = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    start = datetime.combine(day, time.min, ZoneInfo(shops.get(uow).timezone))
    who = (uow.actor.kind, uow.actor.id)
    elsewhere = sum(moved(uow, *who, start) for moved, _ in _ELSEWHERE.values())
    left = rules.daily_limit - queries.adjusted_since(uow, *who, start) - elsewhere
    if size > left:
        raise DailyLimitReached(limit=rules.daily_limit, left=max(left, 0))


def _needs_approval(uow: UnitOfWork, rules: PointsSettings, size: int) -> bool:
    return rules.approval_above is not None and size > rules.approval_above and uow.actor.kind == _PERSON


def _store(uow: UnitOfWork, fresh: dict[UUID, Wish], sizes: dict[UUID, int], waiting: set[UUID]) -> None:
    wishes = list(fresh.values())
    stored = uow.all(
        _INSERT,
        {
            "shop": uow.shop,
            "now": uow.now,
            "actor_kind": uow.actor.kind,
            "actor_id": uow.actor.id,
            "actor_label": uow.actor.label,
            "ids": list(fresh),
            "keys": [wish.key for wish in wishes],
            "members": [wish.member_id for wish in wishes],
            "others": [wish.to_member_id for wish in wishes],
            "verbs": [wish.verb for wish in wishes],
            "points": [sizes[one] if wish.points is None else wish.points for one, wish in fresh.items()],
            "reasons": [wish.reason for wish in wishes],
            "notes": [wish.note for wish in wishes],
            "statuses": ["waiting" if one in waiting else "done" for one in fresh],
        },
    )
    if len(stored) < len(fresh):
        raise KeyReused()
    compliance.record_many(
        uow,
        "points.adjustment_requested",
        [
            compliance.Change("member", str(fresh[one].member_id), None, _told(one, fresh[one], sizes[one]))
            for one in sorted(waiting)
        ],
    )


def _told(adjustment_id: UUID, wish: Wish, points: int) -> dict[str, object]:
    return {
        "adjustment_id": str(adjustment_id),
        "verb": wish.verb,
        "points": points,
        "reason": wish.reason,
        "to": str(wish.to_member_id) if wish.to_member_id else None,
    }


def _post(uow: UnitOfWork, wishes: dict[UUID, Wish]) -> None:
    """Post what may be posted: all awards together, the rest one after the other."""
    entries: dict[UUID, list[Entry]] = defaultdict(list)
    awards = {one: wish for one, wish in wishes.items() if wish.verb == "award"}
    given = [by_hand.as_credit(_posting(one, wish), wish.points or 0) for one, wish in awards.items()]
    for one, entry in zip(awards, posting.credit(uow, given) if given else [], strict=True):
        entries[one].append(entry)
    for one, wish in wishes.items():
        if wish.verb != "award":
            entries[one] += (
                _transfer(uow, one, wish)
                if wish.verb == "transfer"
                else by_hand.post(uow, _posting(one, wish))
            )
    uow.execute(
        _POSTED,
        {
            "shop": uow.shop,
            "ids": list(wishes),
            "moved": [entries[one][0].points for one in wishes],
            "entries": [",".join(str(entry.id) for entry in entries[one]) for one in wishes],
        },
    )
    compliance.record_many(
        uow,
        "points.adjusted",
        [
            compliance.Change(
                "member",
                str(wish.member_id),
                None,
                {
                    "points": entries[one][0].points,
                    "reason": wish.reason,
                    "entry_id": str(entries[one][0].id),
                    "verb": wish.verb,
                },
            )
            for one, wish in wishes.items()
        ],
    )


def _trace(one: UUID, wish: Wish) -> dict[str, object]:
    return {"adjustment": one} | ({"note": wish.note} if wish.note else {})


def _posting(one: UUID, wish: Wish) -> Posting:
    return Posting(wish, f"adjustment:{one}", _trace(one, wish))


def _transfer(uow: UnitOfWork, one: UUID, wish: Wish) -> list[Entry]:
    """Move available points to another member; they keep the day on which they expire."""
    assert wish.to_member_id is not None
    queries.lock_accounts(uow, [wish.member_id, wish.to_member_id])
    lots, points = spendable(uow, wish.member_id), wish.points or 0
    if points > total(lots):
        raise InsufficientPoints(needed=points, available=total(lots))
    taken = take(lots, points)
    debt = queries.balance(uow, wish.to_member_id).debt
    copies = []
    for part in taken:
        repaid = min(debt, part.points)
        debt -= repaid
        copies.append(Copy(ids.new_id(), part.lot, part.points, repaid=repaid))
    sides = {"from": wish.member_id, "to": wish.to_member_id}
    out = Shift(
        wish.member_id,
        "move_out",
        f"adjustment:{one}",
        wish.reason,
        changes=[Change(part.lot, remaining=-part.points, reversed=part.points) for part in taken],
        trace=_trace(one, wish) | sides,
    )
    into = Shift(
        wish.to_member_id,
        "move_in",
        f"adjustment:{one}:in",
        wish.reason,
        copies=copies,
        debt=-sum(copy.repaid for copy in copies),
        trace=_trace(one, wish)
        | sides
        | {"lots": [[copy.origin, copy.lot, copy.points, copy.repaid] for copy in copies]},
    )
    return [shift(uow, out), shift(uow, into)]


def _watch(uow: UnitOfWork, rules: PointsSettings) -> None:
    """More adjustments in an hour than usual: once an hour the merchant is told."""
    since = uow.now - timedelta(hours=1)
    elsewhere = sum(made(uow, since) for _, made in _ELSEWHERE.values())
    if queries.adjustments_since(uow, since, rules.alert_per_hour + 1) + elsewhere <= rules.alert_per_hour:
        return
    alerts = compliance.list_entries(uow, _ALERTS, limit=1).items
    if alerts and alerts[0].created_at > since:
        return
    compliance.record(uow, "points.adjustment_alert", _ALERTS, None, {"more_than": rules.alert_per_hour})
    uow.outbox(ALERT, {"more_than": rules.alert_per_hour}, key=str(ids.new_id()))


def alerted_since(uow: UnitOfWork, since: datetime) -> bool:
    """Whether there were unusually many adjustments since an instant."""
    alerts = compliance.list_entries(uow, _ALERTS, limit=1).items
    return bool(alerts) and alerts[0].created_at >= since


def decide(uow: UnitOfWork, adjustment_id: UUID, *, approve: bool) -> Adjustment:
    """Approve or reject what waits; somebody else than who asked for it.

    Raises AdjustmentNotFound, AdjustmentClosed, ApproverNeeded, and what posting raises.
    """
    found = _locked(uow, adjustment_id, "waiting")
    if (found.actor_kind, found.actor_id) == (uow.actor.kind, uow.actor.id):
        raise ApproverNeeded()
    _close(uow, found, "done" if approve else "rejected")
    if approve:
        wish = Wish(
            found.member_id,
            found.verb,
            found.points,
            "",
            found.reason,
            note=found.note,
            to_member_id=found.to_member_id,
        )
        _check_members(uow, [wish])
        _post(uow, {found.id: wish})
    again = _again(uow, found)
    _note_decision(uow, found, again.status, again.entries[0] if approve else None)
    return again


def undo(uow: UnitOfWork, adjustment_id: UUID) -> Adjustment:
    """Take an adjustment back, once and exactly. Raises AdjustmentNotFound, AdjustmentClosed, UndoRefused."""
    found = _locked(uow, adjustment_id, "done")
    sides = [found.member_id, *([found.to_member_id] if found.to_member_id else [])]
    if any(member.status not in ("active", "blocked") for member in members.by_ids(uow, sides).values()):
        raise UndoRefused()
    queries.lock_accounts(uow, sides)
    if found.verb == "transfer":
        _undo_transfer(uow, found)
    else:
        by_hand.take_back(uow, found.entries[0], *_undone(found, found.member_id))
    _close(uow, found, "undone")
    key, _ = _undone(found, found.member_id)
    _note_decision(uow, found, "undone", by_hand.entries_of_keys(uow, [key])[key].id)
    return _again(uow, found)


def _undo_transfer(uow: UnitOfWork, found: Adjustment) -> None:
    """Move the same lots back, when the other member still has all of them."""
    assert found.to_member_id is not None
    lots = queries.lots_of_entries(uow, found.entries)
    entry = queries.entry(uow, found.entries[1])
    assert entry is not None
    repaid = {UUID(lot): part for _, lot, _, part in entry["trace"]["lots"]}
    if any(lot["remaining"] != lot["points"] - repaid[lot["id"]] for lot in lots):
        raise UndoRefused()
    emptied = [Change(lot["id"], remaining=-lot["remaining"], reversed=lot["remaining"]) for lot in lots]
    _undoing(uow, found, found.to_member_id, emptied, debt=sum(repaid.values()))
    back = [
        Change(lot, remaining=points, reversed=-points)
        for lot, points in queries.takings(uow, found.entries[0])
    ]
    _undoing(uow, found, found.member_id, back)


def _undoing(
    uow: UnitOfWork, found: Adjustment, member_id: UUID, changes: Sequence[Change], debt: int = 0
) -> None:
    key, trace = _undone(found, member_id)
    by_hand.undo(uow, Undo(member_id, found.entries[0], key, trace), changes, debt)


def _undone(found: Adjustment, member_id: UUID) -> tuple[str, dict[str, object]]:
    return f"undo:{found.id}:{member_id}", {"adjustment": found.id, "undone": found.reason}


def _locked(uow: UnitOfWork, adjustment_id: UUID, status: str) -> Adjustment:
    found = queries.adjustment(uow, adjustment_id, for_update=True)
    if found is None:
        raise AdjustmentNotFound()
    if found.status != status:
        raise AdjustmentClosed()
    return found


def _close(uow: UnitOfWork, found: Adjustment, status: str) -> None:
    uow.execute(
        "UPDATE points_adjustments SET status = %(status)s, decided_by = %(who)s, decided_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": found.id, "status": status, "who": uow.actor.id, "now": uow.now},
    )


def _note_decision(uow: UnitOfWork, found: Adjustment, status: str, entry_id: UUID | None) -> None:
    told = {"status": status, "verb": found.verb, "points": found.points}
    compliance.record(
        uow,
        "points.adjustment_decided",
        ("member", str(found.member_id)),
        {"adjustment_id": str(found.id), "status": found.status},
        told | ({"entry_id": str(entry_id)} if entry_id else {}),
    )


def _again(uow: UnitOfWork, found: Adjustment) -> Adjustment:
    again = queries.adjustment(uow, found.id)
    assert again is not None
    return again


def adjust_settings(uow: UnitOfWork) -> PointsSettings:
    """The shop's rules for adjusting by hand."""
    return queries.adjust_settings(uow)


def save_adjust_settings(uow: UnitOfWork, form: SettingsForm) -> PointsSettings:
    """Change the shop's rules for adjusting by hand. Raises StaleSettings."""
    before = queries.adjust_settings(uow)
    if before.version != form.version:
        raise StaleSettings()
    values = form.model_dump(exclude={"version"})
    uow.execute(
        "INSERT INTO points_settings (shop_id, approval_above, daily_limit, alert_per_hour, updated_at)"
        " VALUES (%(shop)s, %(approval_above)s, %(daily_limit)s, %(alert_per_hour)s, %(now)s)"
        " ON CONFLICT (shop_id) DO UPDATE SET approval_above = excluded.approval_above,"
        " daily_limit = excluded.daily_limit, alert_per_hour = excluded.alert_per_hour,"
        " version = points_settings.version + 1, updated_at = excluded.updated_at",
        values | {"shop": uow.shop, "now": uow.now},
    )
    was = {name: getattr(before, name) for name in values}
    compliance.record(uow, "points.settings_changed", ("shop", str(uow.shop)), was, values)
    return queries.adjust_settings(uow)


def adjust_preview(uow: UnitOfWork, member_id: UUID, verb: Verb, points: int | None) -> AdjustPreview:
    """What an adjustment would lead to for the member, as things stand."""
    balance, rules = queries.balance(uow, member_id), queries.adjust_settings(uow)
    wish = Wish(member_id, verb, points, "", "")
    size = _size(wish, balance if verb in ("set", "expire") else None)
    if verb == "award":
        after, debt = max(balance.available + size - balance.debt, 0), max(balance.debt - size, 0)
    elif verb == "set":
        after, debt = points or 0, 0
    else:
        after, debt = balance.available - size, balance.debt
    return AdjustPreview(balance.available, after, balance.debt, debt, _needs_approval(uow, rules, size))


def forget_notes(uow: UnitOfWork, member_id: UUID) -> None:
    """Blank what staff wrote beside adjustments of a member who is erased."""
    uow.execute(
        "UPDATE points_adjustments SET note = '' WHERE shop_id = %(shop)s"
        " AND (member_id = %(member)s OR to_member_id = %(member)s)",
        {"shop": uow.shop, "member": member_id},
    )
