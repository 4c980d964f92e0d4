"""One-click tasks of notifications: inviting a tier or a segment, and finding an order with all that followed from it."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.core import i18n, ids, mail, outbox
from app.core.db import UnitOfWork
from app.core.errors import Invalid
from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.notifications import queries
from app.domains.notifications.schemas import InvitationForm
from app.domains.notifications.service import inviting
from app.domains.orders import service as orders
from app.domains.points import service as points
from app.domains.quick.schemas import Line, Outcome, Preview, Task
from app.domains.shops import service as shops

_MOST_ORDERS = 5


class OrderTask(BaseModel):
    """An order to find."""

    order: str = Field(min_length=1, max_length=40)
    read_again: bool = False


def _audiences(uow: UnitOfWork, locale: str) -> dict[str, Any]:
    shop = shops.get(uow)
    known = [(choice.key, choice.name) for choice in inviting.audiences(uow, locale)]
    first = {"audience": known[0][0]} if known else {}
    return {"audiences": known, "language": i18n.supported(shop.locale), "initial": first}


def _preview_invitation(uow: UnitOfWork, form: InvitationForm, locale: str) -> Preview:
    inviting.check(uow, form)
    found = inviting.reach(uow, form.audience)
    shop = shops.get(uow)
    letters = [
        (
            language,
            mail.render(
                "notifications/invitation",
                language,
                inviting.worded(
                    uow,
                    form.subjects.model_dump(exclude_none=True),
                    form.texts.model_dump(exclude_none=True),
                    language,
                    shop.name or shop.domain,
                    None,
                ),
            ),
        )
        for language in i18n.LOCALES
    ]
    lines = [
        Line(mark("Members"), found.members, "number"),
        Line(mark("Of whom agreed to marketing e-mails"), found.reached, "number"),
        Line(mark("Will be sent at"), uow.now + inviting.PATIENCE, "moment"),
    ]
    warnings: list[tuple[str, dict[str, Any]]] = []
    if not found.reached:
        told = mark("Nobody in this audience has agreed to marketing e-mails, so nobody would get this.")
        warnings.append((told, {}))
    if mail.mail_server() is None:
        warnings.append((mark("No mail server is set up, so no e-mail can be sent."), {}))
    return Preview(
        lines, warnings, "admin/notifications/_letters.html", {"letters": letters}, bool(found.reached)
    )


def _invite(uow: UnitOfWork, form: InvitationForm) -> Outcome:
    found = inviting.reach(uow, form.audience)
    invitation = inviting.invite(uow, form)
    return Outcome(
        mark("The message goes to {members} members in ten minutes."),
        {"members": found.reached},
        undo={"invitation": str(invitation)},
    )


def _undo_invitation(uow: UnitOfWork, kept: dict[str, Any]) -> None:
    inviting.withdraw(uow, UUID(kept["invitation"]))


def _find_order(uow: UnitOfWork, form: OrderTask, locale: str) -> Preview:
    """What is known of an order, and if wished a fresh look at it in Shopify."""
    text = form.order.strip()
    found = orders.ids_by_name(uow, text)[:_MOST_ORDERS]
    if not found:
        raise Invalid(fields={"order": mark("No order has this name or number.")})
    shown = [_order(uow, one, locale) for one in found]
    warnings: list[tuple[str, dict[str, Any]]] = []
    if form.read_again:
        for one in shown:
            key = f"{one['number']}:asked:{ids.new_id()}"
            outbox.put(uow, "orders.reread", {"order_id": one["number"]}, key=key)
        warnings.append(
            (mark("The order is being read from Shopify again. Search once more in a moment."), {})
        )
    return Preview(warnings=warnings, template="admin/notifications/_order.html", view={"orders": shown})


def _order(uow: UnitOfWork, row_id: UUID, locale: str) -> dict[str, Any]:
    entries = points.of_order(uow, row_id, locale)
    told = orders.told(uow, row_id)
    profile = members.profile(uow, told["member_id"]) if told["member_id"] else None
    return told | {
        "number": told["order_id"],
        "member": (profile.name or profile.email) if profile else None,
        "entries": entries,
        "earned": sum(entry["points"] for entry in entries),
        "messages": queries.about_order(uow, row_id, [entry["id"] for entry in entries]),
    }


TASKS = (
    Task(
        key="invite-vips",
        title=mark("Invite your best members"),
        text=mark("Write to a tier or a segment, each member in their language."),
        icon="crown",
        permission=Permission.MEMBERS_WRITE,
        form=InvitationForm,
        template="admin/notifications/_quick_invite.html",
        submit=mark("Send in ten minutes"),
        preview=_preview_invitation,
        run=_invite,
        undo=_undo_invitation,
        choices=_audiences,
        position=30,
    ),
    Task(
        key="find-order",
        title=mark("Find an order"),
        text=mark("What it earned and why, what the member was told, and a fresh look in Shopify."),
        icon="receipt",
        permission=Permission.POINTS_READ,
        form=OrderTask,
        template="admin/notifications/_quick_order.html",
        submit=mark("Look up"),
        preview=_find_order,
        position=50,
    ),
)
