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
from app.domains.shops.events import GuideHidden, WidgetSwitched
from app.domains.shops.schemas import (
    APP_EMBED,
    PUT_AWAY,
    Brand,
    HomeFact,
    HomeFacts,
    HomeFigure,
    HomeNotice,
    HomeStep,
    HomeView,
    Shop,
)
from app.domains.shops.service.lifecycle import admin_page, get

EMBED_BLOCK = "loyalnest-embed"  # the file in extensions/loyalnest-theme/blocks
WAITING_TOO_LONG = timedelta(minutes=2)
_providers: dict[str, HomeFacts] = {}


def register_home_facts(domain: str, facts: HomeFacts) -> None:
    """Let a domain add to the home tab: `facts(uow, since)` gets the start of the shop's day; indexed reads only."""
    _providers[domain] = facts


def home(uow: UnitOfWork) -> HomeView:
    """Everything the home tab shows, each list in its order."""
    shop = get(uow)
    facts = _facts(uow, shop)
    oldest, finished = queries.oldest_waiting(uow), queries.finished_steps(uow)
    return HomeView(
        steps=_guide(facts, finished),
        figures=sorted(
            (fact for fact in facts if isinstance(fact, HomeFigure)), key=lambda fact: fact.position
        ),
        notices=[fact for fact in facts if isinstance(fact, HomeNotice)],
        oldest_waiting=uow.now - oldest if oldest else None,
        put_away=PUT_AWAY in finished,
    )


def see_widget(uow: UnitOfWork, on: bool) -> bool:
    """Note what App Bridge says about our app embed in the live theme. Returns whether that is news."""
    news = _note(uow, APP_EMBED, on)
    if news:
        uow.publish([WidgetSwitched(uow.shop, on)])
    return news


def put_guide_away(uow: UnitOfWork, hidden: bool) -> bool:
    """Leave the finished set-up guide out of Home, or show it again. Returns whether that is news."""
    news = _note(uow, PUT_AWAY, hidden)
    if news:
        uow.publish([GuideHidden(uow.shop, hidden)])
    return news


def _note(uow: UnitOfWork, step: str, on: bool) -> bool:
    seen = uow.one(
        "UPDATE shops SET updated_at = %(now)s, setup_steps = CASE WHEN %(on)s"
        " THEN setup_steps || jsonb_build_object(%(step)s::text, %(now)s::timestamptz)"
        " ELSE setup_steps - %(step)s::text END"
        " WHERE shop_id = %(shop)s AND (setup_steps ? %(step)s) <> %(on)s RETURNING shop_id",
        {"shop": uow.shop, "step": step, "on": on, "now": uow.now},
    )
    return seen is not None


def _facts(uow: UnitOfWork, shop: Shop) -> list[HomeFact]:
    since = day_start(uow.now, shop.timezone)
    facts: list[HomeFact] = list(_own_facts(uow, shop))
    for provider in _providers.values():
        facts.extend(provider(uow, since))
    return facts


def _guide(facts: list[HomeFact], finished: set[str]) -> list[HomeStep]:
    """The steps in order; the first that is not done is the current one."""
    steps = [
        replace(fact, done=fact.key in finished) if fact.done is None else fact
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


def _theme_editor(uow: UnitOfWork) -> str:
    """The theme editor with our app embed switched on, ready to be saved."""
    app = f"{get_settings().shopify_api_key}/{EMBED_BLOCK}"
    return admin_page(uow, f"themes/current/editor?context=apps&template=index&activateAppId={app}")


def _own_facts(uow: UnitOfWork, shop: Shop) -> list[HomeFact]:
    facts: list[HomeFact] = [
        HomeStep(
            key="connect",
            title=mark("Connect your store"),
            text=mark("Shopify lets LoyalNest read orders and customers and create discount codes."),
            done=shop.status == "installed" and not shop.needs_reopening,
            url="/app",
            position=4,
        ),
        HomeStep(
            key="brand",
            title=mark("Give your program its name and color"),
            text=mark("Members read the name in the store and in mails, which carry your color and logo."),
            done=Brand.model_validate(queries.brand(uow)).chosen,
            url="/app/home/brand",
            position=6,
        ),
        HomeStep(
            key=APP_EMBED,
            title=mark("Switch on the storefront widget"),
            text=mark(
                "The theme editor opens with LoyalNest switched on under App embeds. Save there and come back."
            ),
            done=None,
            url=_theme_editor(uow),
            position=40,
        ),
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
