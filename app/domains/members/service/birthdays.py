"""Birthdays: sealed, and found by the day through a keyed hash of month and day."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import queries
from app.domains.members.errors import MemberErased, MemberNotFound

_PURPOSE = "members.birthday"
_DAY = "members.birthday_day"


def set_birthday(uow: UnitOfWork, member_id: UUID, birthday: date | None) -> None:
    """Keep a member's birthday, or forget it. Raises MemberNotFound, MemberErased."""
    member = queries.get(uow, member_id)
    if member is None:
        raise MemberNotFound()
    if member.status not in ("active", "blocked", "guest"):
        raise MemberErased()
    uow.execute(
        "UPDATE members SET birthday_sealed = %(sealed)s, birthday_index = %(day)s, updated_at = %(now)s"
        " WHERE shop_id = %(shop)s AND id = %(id)s",
        {
            "shop": uow.shop,
            "id": member_id,
            "now": uow.now,
            "sealed": sealed(uow, birthday),
            "day": index_of(uow, birthday),
        },
    )
    compliance.record(
        uow, "member.birthday", ("member", str(member_id)), None, {"known": birthday is not None}
    )


def birthday(uow: UnitOfWork, member_id: UUID) -> date | None:
    """A member's birthday, None when it is unknown."""
    text = uow.unseal(queries.sealed_birthday(uow, member_id), _PURPOSE)
    return date.fromisoformat(text) if text else None


def sealed(uow: UnitOfWork, birthday: date | None) -> bytes | None:
    """A birthday as it is kept."""
    return uow.seal(birthday.isoformat() if birthday else None, _PURPOSE)


def index_of(uow: UnitOfWork, birthday: date | None) -> bytes | None:
    """The keyed hash of a birthday's month and day."""
    return _index(uow, birthday.month, birthday.day) if birthday else None


def born_on(
    uow: UnitOfWork, days: Iterable[tuple[int, int]], after: UUID | None, limit: int
) -> list[tuple[UUID, int, int]]:
    """Active members whose birthday is on one of these (month, day): (id, month, day), by id after the last one seen."""
    by_index = {_index(uow, month, day): (month, day) for month, day in days}
    return [
        (row["id"], *by_index[bytes(row["birthday_index"])])
        for row in queries.with_birthday(uow, list(by_index), after, limit)
    ]


def _index(uow: UnitOfWork, month: int, day: int) -> bytes:
    return uow.blind_index(f"{month:02}-{day:02}", _DAY)


def birthday_indexes(uow: UnitOfWork, month: int) -> list[bytes]:
    """The keyed hashes of a month's days, as members born in it have one of them."""
    return [_index(uow, month, day) for day in range(1, monthrange(2000, month)[1] + 1)]
