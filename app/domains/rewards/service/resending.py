"""Sending a working code to its member again; the message itself is written by notifications."""

from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.compliance import service as compliance
from app.domains.members import service as members
from app.domains.rewards.errors import CodeNotUsable, MemberWithoutEmail
from app.domains.rewards.events import CodeRequested
from app.domains.rewards.schemas import CANCELLING, Redemption
from app.domains.rewards.service.redeeming import get_redemption


def sendable(uow: UnitOfWork, redemption: Redemption) -> bool:
    """Whether the code works and is still to be used."""
    over = redemption.expires_at is not None and redemption.expires_at < uow.now
    works = redemption.status == "issued" and redemption.usable_code is not None
    return works and not over and not redemption.cancelling


def resend(uow: UnitOfWork, redemption_id: UUID) -> Redemption:
    """Have a working code sent to its member again, by e-mail, at most once in five minutes.

    Raises RedemptionNotFound, CodeNotUsable, MemberWithoutEmail.
    """
    redemption = get_redemption(uow, redemption_id)
    if not sendable(uow, redemption):
        raise CodeNotUsable(status=CANCELLING if redemption.cancelling else redemption.status)
    profile = members.profiles(uow, [redemption.member_id]).get(redemption.member_id)
    if profile is None or not profile.email:
        raise MemberWithoutEmail()
    compliance.record(uow, "reward.code_resent", ("redemption", str(redemption_id)), None, None)
    uow.publish([CodeRequested(redemption_id, redemption.member_id)])
    return redemption
