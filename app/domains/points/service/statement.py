"""Entries as a person reads them: each can say in a sentence why it is there."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from babel.numbers import format_currency, format_decimal

from app.core.db import UnitOfWork
from app.core.i18n import isolated, mark, translate
from app.domains.points import queries

_PURCHASE = mark("{points} points for order {order}: {base} at {rate} points per unit.")
_PURCHASE_MULTIPLIED = mark(
    "{points} points for order {order}: {base} at {rate} points per unit, times {multiplier}."
)
_SENTENCES = {
    "refund": mark("{points} points went back because order {order} was refunded; it now earns {kept}."),
    "order_cancelled": mark("{points} points went back because order {order} was cancelled."),
    "order_deleted": mark("{points} points went back because order {order} was deleted."),
    "order_edited": mark("{points} points went back because order {order} was changed; it now earns {kept}."),
    "signup": mark("{points} points for joining."),
    "redemption": mark("{points} points for the reward {reward}."),
    "reward_failed": mark("{points} points came back because the reward could not be issued."),
    "reward_cancelled": mark("{points} points came back because the reward was cancelled."),
    "holding_period_over": mark("{points} points can be spent now that their waiting time is over."),
    "merged": mark("{points} points moved because two customer accounts became one."),
    "expired": mark("{points} points expired."),
    "referral_advocate": mark("{points} points for inviting a friend."),
    "referral_friend": mark("{points} points for accepting an invitation."),
}
_BY_HAND = mark("{points} points: {reason}")


def explain(entry: dict[str, Any], locale: str) -> str:
    """Why an entry (a row of queries) was written, as a sentence in the locale."""
    trace, reason = entry["trace"], entry["reason"]
    points = format_decimal(abs(entry["points"]) or entry["moved"], locale=locale)
    data: dict[str, Any] = {
        "points": points,
        "reason": reason,
        "order": isolated(trace.get("order_name", ""), locale),
    }
    if reason == "purchase":
        return _explain_purchase(trace, data, locale)
    data["kept"] = format_decimal(trace.get("order_points", 0), locale=locale)
    data["reward"] = trace.get("reward_names", {}).get(locale) or trace.get("reward_name", "")
    return translate(locale, _SENTENCES.get(reason, _BY_HAND), **data)


def _explain_purchase(trace: dict[str, Any], data: dict[str, Any], locale: str) -> str:
    base = Decimal(trace["base_minor"]).scaleb(-trace["exponent"])
    data["base"] = isolated(format_currency(base, trace["currency"], locale=locale), locale)
    data["rate"] = format_decimal(Decimal(trace["points_per_unit"]), locale=locale)
    if trace["multiplier_bp"] == 10_000:
        return translate(locale, _PURCHASE, **data)
    data["multiplier"] = format_decimal(Decimal(trace["multiplier_bp"]) / 10_000, locale=locale)
    return translate(locale, _PURCHASE_MULTIPLIED, **data)


def explained(rows: Sequence[dict[str, Any]], locale: str) -> list[dict[str, Any]]:
    """Entries with their `why`."""
    return [row | {"why": explain(row, locale)} for row in rows]


def recent(uow: UnitOfWork, member_id: UUID, locale: str, limit: int = 10) -> list[dict[str, Any]]:
    """A member's newest entries that changed what they have, with their sentences."""
    page = queries.history(uow, member_id, limit * 2, None)
    return explained([row for row in page.items if row["points"]][:limit], locale)
