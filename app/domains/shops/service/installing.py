"""First contact: a verified visit becomes a staff member of an installed shop with a token.

Shopify is asked with no transaction open, and nothing is stored before everything was answered, so that a lost answer
leaves no half-made shop: the next visit starts afresh.
"""

import logging
import threading
from collections import defaultdict
from uuid import UUID

from app.core import ids
from app.core.db import UnitOfWork, unit_of_work
from app.core.errors import LoyalNestError
from app.domains.shops import queries
from app.domains.shops.errors import InstallationUnfinished
from app.domains.shops.events import ShopInstalled
from app.domains.shops.schemas import ShopContext, Visitor
from app.domains.shops.service import directory, staff
from app.domains.shops.service import tokens as token_rows
from app.shopify import tokens
from app.shopify.admin import AdminClient
from app.shopify.errors import InvalidIdToken
from app.shopify.id_tokens import IdToken
from app.shopify.sessions import Credentials, StoredToken
from app.shopify.tokens import OfflineToken

log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 10.0
_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def visit(token: IdToken) -> Visitor:
    """The staff member behind a verified ID token; a shop that has no usable token yet is installed first.

    Raises InvalidIdToken (a fresh one is needed), InstallationUnfinished, and Shopify's final refusals.
    """
    found = _welcome(token)
    if found is not None:
        return found
    with _turns[token.shop_domain]:
        found = _welcome(token)
        if found is not None:
            return found
        try:
            connect(token.shop_domain, tokens.exchange(token))
        except InvalidIdToken:
            raise
        except LoyalNestError as error:
            return _without_token(token, error)
    found = _welcome(token)
    if found is None:
        raise InstallationUnfinished()
    return found


def connect(domain: str, token: OfflineToken) -> UUID:
    """Install a shop with a token just received: ask Shopify who it is, then store everything at once."""
    return install(domain, token, _ask_context(domain, token))


def _welcome(token: IdToken, *, without_token: bool = False) -> Visitor | None:
    """The visitor when the shop is installed and its token is usable (or need not be)."""
    entry = directory.look_up(token.shop_domain)
    if entry is None or entry.status == "erased":
        return None
    with unit_of_work(entry.shop_id) as uow:
        row = queries.visitor(uow, token.user_id)
        if row is None or row["status"] != "installed":
            return None
        if not without_token and (row["needs_reopening"] or not row["has_token"]):
            return None
        member = queries.staff_of(row)
        if member is None:
            member = staff.join(uow, token.user_id)
        else:
            staff.saw(uow, member, row["last_seen_at"])
        return Visitor(queries.shop_of(row), member)


def _without_token(token: IdToken, error: LoyalNestError) -> Visitor:
    """A shop that is installed lets its staff in although Shopify gives no token; a new one waits."""
    found = _welcome(token, without_token=True)
    if found is not None:
        log.warning("no new token for shop %s: %s", found.shop.id, error.code)
        return found
    log.warning("installation of %s unfinished: %s", token.shop_domain, error.code)
    if error.retryable:
        raise InstallationUnfinished() from error
    raise error


def _ask_context(domain: str, token: OfflineToken) -> ShopContext:
    client = AdminClient(
        credentials=Credentials(domain, token.access_token), patience_seconds=_PATIENCE_SECONDS
    )
    shop = client.run("ShopContext", allow_denied=True)["shop"]
    return ShopContext(
        name=shop["name"] or domain,
        email=shop.get("contactEmail") or shop.get("email"),
        currency=shop["currencyCode"],
        timezone=shop["ianaTimezone"],
    )


def install(domain: str, token: OfflineToken, context: ShopContext) -> UUID:
    """Store a shop and its token, new or back again. Returns the shop's id. Repeating it changes nothing but the token.

    A shop that was erased comes back under a new id: its old keys are gone, and nothing may be read with them.
    """
    for _ in range(3):
        entry = directory.find(domain)
        shop_id = entry.shop_id if entry and entry.status != "erased" else ids.new_id()
        with unit_of_work(shop_id) as uow:
            if directory.claim(uow, domain):
                _store(uow, domain, token, context)
                return shop_id
    raise InstallationUnfinished()


def _store(uow: UnitOfWork, domain: str, token: OfflineToken, context: ShopContext) -> None:
    before = uow.one(
        "SELECT status, access_expires_at, needs_reopening FROM shops WHERE shop_id = %(shop)s FOR UPDATE",
        {"shop": uow.shop},
    )
    uow.forget("shop")
    uow.execute(
        "INSERT INTO shops AS s (shop_id, domain, name, email_sealed, currency, timezone, locale, installed_at)"
        " VALUES (%(shop)s, %(domain)s, %(name)s, %(email)s, %(currency)s, %(zone)s,"
        " coalesce(%(locale)s, 'en'), %(now)s)"
        " ON CONFLICT (shop_id) DO UPDATE SET name = excluded.name, email_sealed = excluded.email_sealed,"
        " currency = excluded.currency, timezone = excluded.timezone, locale = coalesce(%(locale)s, s.locale),"
        " status = 'installed', installed_at = excluded.installed_at, uninstalled_at = NULL, updated_at = %(now)s",
        {
            "shop": uow.shop,
            "domain": domain,
            "name": context.name,
            "email": uow.seal(context.email, "shops.email"),
            "currency": context.currency,
            "zone": context.timezone,
            "locale": context.locale,
            "now": uow.now,
        },
    )
    if not _holds_later_token(before, token):
        token_rows.write(uow, StoredToken(domain, token))
    if before is None or before["status"] != "installed":
        uow.publish([ShopInstalled(uow.shop, domain, context.currency, again=before is not None)])


def _holds_later_token(before: dict[str, object] | None, token: OfflineToken) -> bool:
    """Two first visits each exchanged a token; Shopify keeps the later one, whichever is stored first."""
    if before is None or before["status"] != "installed" or before["needs_reopening"]:
        return False
    stored, ours = before["access_expires_at"], token.expires_at
    return stored is not None and ours is not None and stored > ours  # type: ignore[operator]
