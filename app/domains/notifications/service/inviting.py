"""Inviting members: a message that staff write to a tier or a segment. It goes to those who agreed to marketing, a little
later than it was asked for, so that it can be withdrawn."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import i18n, ids, outbox
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.outbox import OutboxMessage
from app.domains.compliance import service as compliance
from app.domains.notifications import queries
from app.domains.notifications.errors import AudienceEmpty, InvitationNotFound, InvitationSent
from app.domains.notifications.schemas import Choice, InvitationForm, InvitationNews, Reach, Wanted
from app.domains.notifications.service.lettering import missing_words
from app.domains.notifications.service.queueing import queue
from app.domains.shops import service as shops

INVITE = "notifications.invite"
PATIENCE = timedelta(minutes=10)
_SLICE = 1_000
_UNKNOWN = mark("Choose who gets the message.")


@dataclass(frozen=True)
class Audience:
    """A kind of audience: its choices with (id, name), and a page of active member ids after one of them."""

    choices: Callable[[UnitOfWork, str], list[tuple[UUID, str]]]
    members: Callable[[UnitOfWork, UUID, UUID | None, int], list[UUID]]


_AUDIENCES: dict[str, Audience] = {}


def register_audience(kind: str, audience: Audience) -> None:
    """Let messages go to another kind of audience: "tier" or "segment"."""
    _AUDIENCES[kind] = audience


def audiences(uow: UnitOfWork, locale: str) -> list[Choice]:
    """Everybody who can be written to, the best tier first."""
    return [
        Choice(f"{kind}:{one}", name)
        for kind, audience in _AUDIENCES.items()
        for one, name in audience.choices(uow, locale)
    ]


def reach(uow: UnitOfWork, key: str) -> Reach:
    """How many members an audience has, and how many of them get messages. Raises Invalid."""
    kind, audience_id = _read(uow, key)
    members = reached = 0
    after: UUID | None = None
    while page := _AUDIENCES[kind].members(uow, audience_id, after, _SLICE):
        members += len(page)
        reached += len(queries.willing(uow, page))
        after = page[-1]
    return Reach(members, reached)


def _read(uow: UnitOfWork, key: str) -> tuple[str, UUID]:
    known = {choice.key for choice in audiences(uow, "en")}
    if key not in known:
        raise Invalid(fields={"audience": _UNKNOWN})
    kind, _, audience_id = key.partition(":")
    return kind, UUID(audience_id)


def check(uow: UnitOfWork, form: InvitationForm) -> None:
    """Refuse a message without words in the shop's own language, or with half of another one. Raises Invalid."""
    _read(uow, form.audience)
    missing = missing_words(uow, form.subjects.given, form.texts.given)
    if missing:
        raise Invalid(fields=missing)


def invite(uow: UnitOfWork, form: InvitationForm) -> UUID:
    """Have the message sent in ten minutes. Raises Invalid, AudienceEmpty."""
    check(uow, form)
    if not reach(uow, form.audience).reached:
        raise AudienceEmpty()
    kind, audience_id = _read(uow, form.audience)
    invitation_id = ids.new_id()
    values = {
        "shop": uow.shop,
        "id": invitation_id,
        "kind": kind,
        "audience": audience_id,
        "subjects": Jsonb(form.subjects.given),
        "texts": Jsonb(form.texts.given),
        "sends_at": uow.now + PATIENCE,
        "now": uow.now,
    }
    uow.execute(
        "INSERT INTO invitations (shop_id, id, audience, audience_id, subjects, texts, sends_at, created_at)"
        " VALUES (%(shop)s, %(id)s, %(kind)s, %(audience)s, %(subjects)s, %(texts)s, %(sends_at)s, %(now)s)",
        values,
    )
    _go_on(uow, invitation_id, None, uow.now + PATIENCE)
    subject = ("invitation", str(invitation_id))
    compliance.record(uow, "invitation.asked", subject, None, {"audience": form.audience})
    return invitation_id


def _go_on(uow: UnitOfWork, invitation_id: UUID, after: UUID | None, at: datetime | None = None) -> None:
    payload = {"invitation_id": str(invitation_id), "after": str(after) if after else None}
    outbox.put(uow, INVITE, payload, key=f"{invitation_id}:{after or ''}", not_before=at)


def withdraw(uow: UnitOfWork, invitation_id: UUID) -> None:
    """Take a message back before it goes out. Raises InvitationNotFound, InvitationSent."""
    found = queries.invitation(uow, invitation_id, lock=True)
    if found is None:
        raise InvitationNotFound()
    if found["queued"] or found["withdrawn_at"]:
        raise InvitationSent()
    uow.execute(
        "UPDATE invitations SET withdrawn_at = %(now)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": invitation_id, "now": uow.now},
    )
    compliance.record(uow, "invitation.withdrawn", ("invitation", str(invitation_id)), None, None)


def invite_slice(uow: UnitOfWork, asked: OutboxMessage) -> None:
    """Queue the messages of the next members, and the slice after them; nothing once it was withdrawn."""
    found = queries.invitation(uow, UUID(asked.payload["invitation_id"]), lock=True)
    if found is None or found["withdrawn_at"] is not None:
        return
    audience = _AUDIENCES.get(found["audience"])
    after = UUID(asked.payload["after"]) if asked.payload["after"] else None
    page = audience.members(uow, found["audience_id"], after, _SLICE) if audience else []
    news = [
        Wanted(member, f"{found['id']}:{member}", {"invitation_id": str(found["id"])})
        for member in queries.willing(uow, page)
    ]
    fresh = queue(uow, "invitation", news)
    uow.execute(
        "UPDATE invitations SET queued = queued + %(fresh)s WHERE shop_id = %(shop)s AND id = %(id)s",
        {"shop": uow.shop, "id": found["id"], "fresh": fresh},
    )
    if len(page) == _SLICE:
        _go_on(uow, found["id"], page[-1])


def invitation_news(
    uow: UnitOfWork, payload: dict[str, Any], locale: str, shop: str, first_name: str | None
) -> InvitationNews | None:
    """The words in the member's language, or in the shop's own; None when the message was withdrawn."""
    found = queries.invitation(uow, UUID(payload["invitation_id"]))
    if found is None or found["withdrawn_at"] is not None:
        return None
    return worded(uow, found["subjects"], found["texts"], locale, shop, first_name)


def worded(
    uow: UnitOfWork,
    subjects: dict[str, str],
    texts: dict[str, str],
    locale: str,
    shop: str,
    first_name: str | None,
) -> InvitationNews:
    """What a message says in a language; the shop's own where it has no words in that one."""
    own = i18n.supported(shops.get(uow).locale)
    chosen = locale if subjects.get(locale) and texts.get(locale) else own
    paragraphs = [part.strip() for part in texts.get(chosen, "").split("\n\n")]
    return InvitationNews(
        shop, first_name, subjects.get(chosen, ""), tuple(part for part in paragraphs if part)
    )
