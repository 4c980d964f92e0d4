"""Points that move by the calendar, the nightly proof, and telling the merchant of unusually many adjustments."""

import contextlib
import logging
from collections import deque
from collections.abc import Iterable
from time import monotonic
from urllib.parse import quote
from uuid import UUID

from app.core import i18n, mail
from app.core.db import unit_of_work
from app.core.jobs import job
from app.core.outbox import OutboxMessage, Settle, delivers
from app.core.settings import get_settings
from app.domains.points import queries, service
from app.domains.points.schemas import AlertNews, Finding
from app.domains.shops import service as shops
from app.shopify.shop_domain import handle

log = logging.getLogger(__name__)

_SLICE = 200
_EXPIRY_SECONDS = 540


@job("points.activate_due", queue="slow", timeout_seconds=600)
def activate_due() -> None:
    """Make pending points available whose day has come, shop by shop, a slice of members per transaction."""
    for shop_id in shops.installed():
        _activate(shop_id)


def _activate(shop: UUID) -> None:
    while True:
        with unit_of_work(shop) as uow:
            members = queries.members_due(uow, "activate", uow.now, _SLICE)
            for member_id in members:
                service.activate(uow, member_id)
        if not members:
            return


@job("points.expire_due", queue="slow", timeout_seconds=600)
def expire_due() -> None:
    """End points past their date: the shops take turns, a slice of lots per transaction.

    What was ended stays so when the job is killed; the next run goes on with what is left.
    """
    waiting = deque(shops.installed())
    until = monotonic() + _EXPIRY_SECONDS
    while waiting and monotonic() < until:
        shop_id = waiting.popleft()
        with unit_of_work(shop_id) as uow:
            more = service.expire_slice(uow)
        if more:
            waiting.append(shop_id)


@job("points.expire_idle", queue="slow", timeout_seconds=600)
def expire_idle() -> None:
    """End points of members who neither earned nor spent for as long as their terms say; the shops take turns."""
    waiting: deque[tuple[UUID, UUID | None]] = deque((shop_id, None) for shop_id in shops.installed())
    until = monotonic() + _EXPIRY_SECONDS
    while waiting and monotonic() < until:
        shop_id, after = waiting.popleft()
        with unit_of_work(shop_id) as uow:
            more = service.expire_idle_slice(uow, after)
        if more is not None:
            waiting.append((shop_id, more))


@job("points.redate", queue="slow", timeout_seconds=600)
def redate(shop_id: str, redating: str) -> None:
    """Give points that were earned before the dates of present terms; what a run leaves is done by the next one."""
    until = monotonic() + _EXPIRY_SECONDS
    service.run_redating(UUID(shop_id), UUID(redating), lambda: monotonic() < until)


@job("points.redate_unfinished", queue="slow", timeout_seconds=600)
def redate_unfinished() -> None:
    """Go on with redatings that were cut short."""
    until = monotonic() + _EXPIRY_SECONDS
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            waiting = queries.redatings_open(uow)
        for redating_id in waiting:
            service.run_redating(shop_id, redating_id, lambda: monotonic() < until)


@delivers(service.ALERT)
def tell_of_adjustments(message: OutboxMessage) -> Settle | None:
    """Write to the shop's contact that more points were adjusted by hand than usual."""
    with unit_of_work(message.shop_id) as uow:
        shop = shops.get(uow)
        to = shops.contact_email(uow)
    if to is None:
        return None
    settings = get_settings()
    news = AlertNews(
        shop=shop.name,
        more_than=message.payload["more_than"],
        link=f"{settings.shopify_admin_origin}/store/{handle(shop.domain)}/apps/{quote(settings.shopify_api_key)}"
        "/app/points-ledger/adjustments",
    )
    locale = i18n.supported(shop.locale)
    content = mail.render("points/adjustment_alert", locale, news)
    with contextlib.suppress(ValueError):  # an address that is none; Home says the same
        mail.send(mail.Letter(locale, to, "LoyalNest", None, f"<{message.id}@{shop.domain}>", content))
    return None


@job("points.follow_merges", queue="slow", timeout_seconds=600)
def follow_merges() -> None:
    """Points that reached a merged member beside the merge (an order settled in that moment) go on to the kept one."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            service.follow(uow, queries.merged_with_points(uow), str(uow.now.timestamp()))


@job("points.refresh_standings", queue="slow", timeout_seconds=600)
def refresh_standings() -> None:
    """Keep lists sorted by points close to the ledger, so that nobody who opens one waits for it."""
    for shop_id in shops.installed():
        with unit_of_work(shop_id) as uow:
            service.refresh_standings(uow)


@job("points.celebrate_birthdays", queue="slow", timeout_seconds=600)
def celebrate_birthdays() -> None:
    """Give birthday points, shop by shop, a slice of members per transaction; safe to stop and start again."""
    for shop_id in shops.installed():
        after: UUID | None = None
        while True:
            with unit_of_work(shop_id) as uow:
                after = service.celebrate(uow, after, _SLICE)
            if after is None:
                break


@job("points.rehearse", queue="slow", timeout_seconds=3600)
def rehearse(shop_id: str, rehearsal: str) -> None:
    """Replay the last months under other terms, a page of orders per transaction; safe to run again."""
    service.run_rehearsal(UUID(shop_id), UUID(rehearsal))


@job("points.prove", queue="slow", timeout_seconds=3600)
def prove(shop_id: str) -> None:
    """Prove one shop's ledger because somebody asked for it."""
    _tell(UUID(shop_id), service.prove(UUID(shop_id)).findings)


@job("points.verify", queue="slow", timeout_seconds=3600)
def verify() -> None:
    """Prove every shop's ledger, entry by entry. A shop whose proof breaks off does not keep the others from theirs."""
    for shop_id in shops.installed():
        try:
            _prove(shop_id)
        except Exception:
            log.exception("the ledger of shop %s could not be proved", shop_id)


def _prove(shop_id: UUID) -> None:
    result = service.verify(shop_id)
    with unit_of_work(shop_id) as uow:
        service.note_proof(uow, result)
    _tell(shop_id, result.findings)


def _tell(shop_id: UUID, findings: Iterable[Finding]) -> None:
    for found in findings:
        log.error(
            "ledger of shop %s: %s broken for member %s at entry %s (number %s)",
            shop_id, found.law, found.member_id, found.entry_id, found.seq,
        )  # fmt: skip
