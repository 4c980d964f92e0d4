"""What the home tab shows: facts that the other domains register, because shops lies below them and cannot ask.

See docs/decisions/0030-home-facts.md.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.settings import get_settings
from app.domains.shops import queries
from app.domains.shops.errors import UnknownStep
from app.domains.shops.events import SetupStepFinished
from app.domains.shops.schemas import HomeFact, HomeFacts, HomeFigure, HomeNotice, HomeStep, HomeView, Shop
from app.domains.shops.service.lifecycle import get
from app.shopify.shop_domain import handle

WAITING_TOO_LONG = timedelta(minutes=2)
_providers: dict[str, HomeFacts] = {}


def register_home_facts(domain: str, facts: HomeFacts) -> None:
    """Let a domain add to the home tab: `facts(uow, since)` gets the start of the shop's day; indexed reads only."""
    _providers[domain] = facts


def home(uow: UnitOfWork) -> HomeView:
    """Everything the home tab shows, each list in its order."""
    shop = get(uow)
    facts = _facts(uow, shop)
    oldest = queries.oldest_waiting(uow)
    return HomeView(
        steps=_guide(uow, facts),
        figures=sorted(
            (fact for fact in facts if isinstance(fact, HomeFigure)), key=lambda fact: fact.position
        ),
        notices=[fact for fact in facts if isinstance(fact, HomeNotice)],
        oldest_waiting=uow.now - oldest if oldest else None,
    )


def finish_step(uow: UnitOfWork, step: str) -> None:
    """Note that a step is done which the server cannot see; repeating it changes nothing. Raises UnknownStep."""
    finished = queries.finished_steps(uow)
    asked = [one.key for one in _guide(uow, _facts(uow, get(uow))) if one.ask or one.key in finished]
    if step not in asked:
        raise UnknownStep()
    fresh = uow.one(
        "UPDATE shops SET setup_steps = setup_steps || jsonb_build_object(%(step)s::text, %(now)s::timestamptz),"
        " updated_at = %(now)s WHERE shop_id = %(shop)s AND NOT setup_steps ? %(step)s RETURNING shop_id",
        {"shop": uow.shop, "step": step, "now": uow.now},
    )
    if fresh is not None:
        uow.publish([SetupStepFinished(uow.shop, step)])


def _facts(uow: UnitOfWork, shop: Shop) -> list[HomeFact]:
    since = day_start(uow.now, shop.timezone)
    facts: list[HomeFact] = list(_own_facts(uow, shop))
    for provider in _providers.values():
        facts.extend(provider(uow, since))
    return facts


def _guide(uow: UnitOfWork, facts: list[HomeFact]) -> list[HomeStep]:
    """The steps in order; the first that is not done is the current one."""
    finished = queries.finished_steps(uow)
    steps = [
        replace(fact, done=True)
        if fact.done is None and fact.key in finished
        else replace(fact, ask=fact.done is None)
        for fact in facts
        if isinstance(fact, HomeStep)
    ]
    steps.sort(key=lambda step: step.position)
    following = next((step.key for step in steps if not step.done), None)
    return [replace(step, current=step.key == following) for step in steps]


def day_start(now: datetime, timezone: str) -> datetime:
    """When the present day began in a zone; an unknown zone counts as UTC."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _own_facts(uow: UnitOfWork, shop: Shop) -> list[HomeFact]:
    facts: list[HomeFact] = [
        HomeStep(
            key="app-embed",
            title=mark("Switch on the storefront widget"),
            text=mark("Turn on LoyalNest under App embeds in the theme editor and save."),
            done=None,
            url=f"{get_settings().shopify_admin_origin}/store/{handle(shop.domain)}/themes/current/editor?context=apps",
            position=40,
        )
    ]
    if shop.needs_reopening:
        sentence = mark(
            "Shopify no longer accepts our access to this shop. Reload this page; rewards wait until then."
        )
        facts.append(HomeNotice("needs-reopening", sentence, "critical", {}))
    parked = queries.count_parked(uow)
    if parked:
        sentence = mark("{count} messages from Shopify could not be handled and wait for support.")
        facts.append(HomeNotice("parked", sentence, "warning", {"count": parked}))
    oldest = queries.oldest_waiting(uow)
    if oldest is not None and uow.now - oldest > WAITING_TOO_LONG:
        sentence = mark("Messages from Shopify wait longer than usual. Points arrive late but are not lost.")
        facts.append(HomeNotice("waiting", sentence, "warning", {}))
    return facts
