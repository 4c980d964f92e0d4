"""Pure decisions of compliance: deadlines, and whether a document speaks of a person."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from app.core.i18n import enumerated, mark

_CHANGES = {
    "member.status:blocked": mark("Blocked by your team"),
    "member.status:active": mark("Let take part again"),
    "member.merged": mark("Merged with another member"),
    "member.unmerged": mark("Separated again from another member"),
    "member.told_apart": mark("Kept apart from a similar member"),
    "member.enrolled": mark("Enrolled by the shop"),
    "member.unenrolled": mark("Enrolling taken back"),
    "member.tagged": mark("Tags added: {tags}"),
    "member.untagged": mark("Tags removed: {tags}"),
    "member.noted": mark("Note added"),
    "member.note_removed": mark("Note removed"),
    "member.birthday": mark("Birthday changed"),
    "member.written_to": mark("Message written"),
    "tier.assigned": mark("Moved to a tier by hand"),
    "tier.released": mark("Lock of the tier ended"),
    "points.adjusted": mark("Points adjusted by {points}"),
    "points.extended": mark("Points kept for longer: {points}"),
    "points.extension_undone": mark("Points kept for longer: taken back"),
    "points.adjustment_requested": mark("Adjustment by {points} points asked for"),
    "points.adjustment_decided": mark("Adjustment decided"),
}
_OTHER_CHANGE = mark("Changed: {action}")
ANSWER_WITHIN = timedelta(days=30)
KEEP_EXPORTS = timedelta(days=30)


def change_sentence(action: str, after: Mapping[str, Any] | None, locale: str) -> tuple[str, dict[str, Any]]:
    """What an audit entry about a person says: a marked sentence and the data that fills it."""
    known = after or {}
    told = f"{action}:{known['status']}" if "status" in known else action
    sentence = _CHANGES.get(told) or _CHANGES.get(action, _OTHER_CHANGE)
    return sentence, {
        "action": action,
        "points": known.get("points", 0),
        "tags": enumerated(locale, known.get("tags") or ()),
    }


def names_of(customer_id: int | None, email: str | None, order_ids: tuple[int, ...] = ()) -> frozenset[str]:
    """What a person can be recognized by in Shopify's documents."""
    found = {str(order_id) for order_id in order_ids}
    if customer_id is not None:
        found |= {str(customer_id), f"gid://shopify/customer/{customer_id}"}
    if email:
        found.add(email.strip().casefold())
    return frozenset(found)


def speaks_of(document: Any, names: frozenset[str]) -> bool:
    """Whether any value of a JSON document, or any part of a text in it, is one of the names."""
    return any(
        leaf in names or any("@" in name and name in leaf for name in names) for leaf in _leaves(document)
    )


def holds_anything(document: Any) -> bool:
    """Whether a JSON document has any value besides empty containers and null."""
    if isinstance(document, dict):
        return any(map(holds_anything, document.values()))
    if isinstance(document, list):
        return any(map(holds_anything, document))
    return document is not None


def _leaves(document: Any) -> Iterator[str]:
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            yield value.casefold()
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
