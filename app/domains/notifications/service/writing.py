"""Writing to one member: a short text of staff, in the member's language, when they agreed to marketing by e-mail."""

from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import i18n, ids
from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.notifications import queries
from app.domains.notifications.errors import MemberUnwilling
from app.domains.notifications.schemas import Wanted, WriteForm
from app.domains.notifications.service.queueing import queue


def can_write_to(uow: UnitOfWork, member_id: UUID) -> bool:
    """Whether a member is active, has an address and agreed to marketing by e-mail."""
    return bool(queries.willing(uow, [member_id]))


def write_to(uow: UnitOfWork, member_id: UUID, form: WriteForm) -> UUID:
    """Queue a text for a member. Returns its id. Raises MemberNotFound, MemberUnwilling."""
    locale = i18n.supported(members.profile(uow, member_id).locale)
    if not can_write_to(uow, member_id):
        raise MemberUnwilling()
    written_id = ids.new_id()
    uow.execute(
        "INSERT INTO invitations (shop_id, id, audience, audience_id, subjects, texts, sends_at, created_at)"
        " VALUES (%(shop)s, %(id)s, 'member', %(member)s, %(subjects)s, %(texts)s, %(now)s, %(now)s)",
        {
            "shop": uow.shop,
            "id": written_id,
            "member": member_id,
            "subjects": Jsonb({locale: form.subject}),
            "texts": Jsonb({locale: form.text}),
            "now": uow.now,
        },
    )
    queue(
        uow,
        "invitation",
        [Wanted(member_id, f"{written_id}:{member_id}", {"invitation_id": str(written_id)})],
    )
    compliance.record(
        uow, "member.written_to", ("member", str(member_id)), None, {"message_id": str(written_id)}
    )
    return written_id
