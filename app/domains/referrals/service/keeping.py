"""What becomes of a link when its member is forgotten."""

from uuid import UUID

from app.core.db import UnitOfWork


def forget_link(uow: UnitOfWork, member_id: UUID) -> None:
    """Delete the link that leads to a person; referrals keep their numbers under a member id that leads to nobody."""
    uow.execute(
        "DELETE FROM referral_links WHERE shop_id = %(shop)s AND member_id = %(member)s",
        {"shop": uow.shop, "member": member_id},
    )
