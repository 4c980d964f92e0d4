"""Letters to many members whom another domain chose: the words are kept once, each member's message names them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from app.core import i18n
from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.domains.notifications import queries
from app.domains.notifications.schemas import Wanted
from app.domains.notifications.service.queueing import queue
from app.domains.shops import service as shops

_NEEDED = mark("Write this in your store's own language.")
_HALF = mark("Write this too, or leave both empty in this language.")
_KEEP = """
INSERT INTO invitations (shop_id, id, audience, audience_id, subjects, texts, sends_at, created_at)
VALUES (%(shop)s, %(id)s, 'bulk', %(id)s, %(subjects)s, %(texts)s, %(now)s, %(now)s) ON CONFLICT DO NOTHING
"""


def willing(uow: UnitOfWork, member_ids: Collection[UUID]) -> set[UUID]:
    """Of these members the active ones who agreed to marketing by e-mail and have an address."""
    return set(queries.willing(uow, list(member_ids)))


def missing_words(uow: UnitOfWork, subjects: Mapping[str, str], texts: Mapping[str, str]) -> dict[str, str]:
    """What a letter lacks, by field: the shop's own language, or half of another one."""
    own = i18n.supported(shops.get(uow).locale)
    lacking: dict[str, str] = {}
    for name, words, others in (("subjects", subjects, texts), ("texts", texts, subjects)):
        if own not in words:
            lacking[f"{name}.{own}"] = _NEEDED
        lacking |= {f"{name}.{one}": _HALF for one in sorted(others.keys() - words.keys() - {own})}
    return lacking


def keep_letter(
    uow: UnitOfWork, letter_id: UUID, subjects: Mapping[str, str], texts: Mapping[str, str]
) -> None:
    """Keep the words of a letter by language, once for its id."""
    uow.execute(
        _KEEP,
        {
            "shop": uow.shop,
            "id": letter_id,
            "subjects": Jsonb(dict(subjects)),
            "texts": Jsonb(dict(texts)),
            "now": uow.now,
        },
    )


def send_letter(uow: UnitOfWork, letter_id: UUID, member_ids: Sequence[UUID]) -> int:
    """Queue a letter that is kept for members, once for each. Returns how many are new."""
    payload = {"invitation_id": str(letter_id)}
    news = [Wanted(member, f"{letter_id}:{member}", payload) for member in dict.fromkeys(member_ids)]
    return queue(uow, "invitation", news)
