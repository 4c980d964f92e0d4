"""The storefront's verbs. The customer's id comes from Shopify's signature and from nowhere else."""

import hashlib
from typing import Any, cast
from uuid import UUID

import orjson

from app.core.db import UnitOfWork
from app.core.i18n import direction, mark, supported, translate
from app.domains.members import service as members
from app.domains.points import service as points
from app.domains.rewards import service as rewards
from app.domains.storefront import queries, rules
from app.domains.storefront.errors import MemberBeingPrepared, RedemptionUnknown
from app.domains.storefront.schemas import (
    Locale,
    State,
    SummaryOut,
    View,
    WidgetConfig,
    WidgetEarning,
    WidgetEntry,
    WidgetRedemption,
    WidgetRewardText,
    WidgetTranslations,
)

_POINTS = mark("Points")
_REWARDS = mark("Rewards")


def summary(uow: UnitOfWork, customer_id: int | None, locale: str) -> SummaryOut:
    """All that the panel shows to a customer, or to a guest (None), in the language that serves `locale`."""
    language = cast(Locale, supported(locale))
    view = queries.view(uow, customer_id)
    state = _state(view, customer_id)
    found = SummaryOut(version="", state=state, language=language, **_parts(view, state, language))
    seq = view.holder.seq if view.holder else 0
    digest = hashlib.blake2b(orjson.dumps(found.model_dump(mode="json")), digest_size=8).hexdigest()
    return found.model_copy(update={"version": f"{seq}-{digest}"})


def _state(view: View, customer_id: int | None) -> State:
    if view.offer is None:
        return "closed"
    if customer_id is None:
        return "guest"
    if view.holder is None:
        return "preparing"
    return "member" if view.holder.status == "active" else "blocked"


def _parts(view: View, state: State, language: str) -> dict[str, Any]:
    offer, holder = view.offer, view.holder
    shown = offer is not None and state != "blocked"
    active = holder if shown else None
    zone = offer.timezone if offer else "UTC"
    return {
        "program": offer.program_name if offer else None,
        "balance": rules.balance(active, zone, language) if state in ("member", "preparing") else None,
        "tier": rules.tier(offer, active, language) if offer and active else None,
        "rewards": [rules.reward(one, offer, active, language) for one in view.rewards] if offer else [],
        "codes": [rules.code(one, zone, language) for one in view.owned],
        "earning": [WidgetEarning(text=way) for way in rules.ways_to_earn(offer, language)]
        if offer and shown
        else [],
        "activity": [_entry(row, zone, language) for row in view.entries],
    }


def _entry(row: dict[str, Any], zone: str, language: str) -> WidgetEntry:
    return WidgetEntry(
        id=row["id"],
        points=row["points"],
        points_text=rules.signed(row["points"], language),
        reason=points.explain(row, language),
        created_at=row["created_at"],
        date_text=rules.day(row["created_at"], zone, language),
    )


def redeem(uow: UnitOfWork, customer_id: int, reward_id: UUID, key: str, locale: str) -> WidgetRedemption:
    """Use a customer's points for a reward; the same key returns the first redemption.

    Raises MemberBeingPrepared and whatever rewards refuse.
    """
    member = members.by_customer(uow, customer_id)
    if member is None:
        raise MemberBeingPrepared()
    made = rewards.redeem(uow, member.id, reward_id, key=f"widget:{customer_id}:{key}", channel="widget")
    return redemption(uow, customer_id, made.id, locale)


def redemption(uow: UnitOfWork, customer_id: int, redemption_id: UUID, locale: str) -> WidgetRedemption:
    """What became of one of the customer's redemptions. Raises RedemptionUnknown."""
    owned = queries.redemption(uow, customer_id, redemption_id)
    if owned is None:
        raise RedemptionUnknown()
    language = supported(locale)
    return WidgetRedemption.model_validate(
        {
            "id": owned.id,
            "status": owned.status,
            "name": rules.localized(owned.name, owned.names, language),
            "code": owned.code,
            "message": rules.outcome(owned.status, language),
        }
    )


def widget_config(uow: UnitOfWork, locale: str) -> WidgetConfig:
    """The program's texts for a widget of one's own, in the language that serves `locale`."""
    language = supported(locale)
    offer, offered = queries.catalog(uow)
    texts = {
        str(one.id): WidgetRewardText(
            name=rules.localized(one.name, one.names, language),
            description=one.description,
            price=rules.points(one.points_cost, language),
        )
        for one in offered
    }
    return WidgetConfig.model_validate(
        {
            "language": language,
            "rtl": direction(language) == "rtl",
            "translations": WidgetTranslations(
                points_label=translate(language, _POINTS),
                rewards_label=translate(language, _REWARDS),
                program=offer.program_name if offer else None,
                rewards=texts,
            ),
        }
    )
