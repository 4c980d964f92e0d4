"""Messages in the admin: writing to one member from their page, and the warnings of points that end."""

from typing import Any
from uuid import UUID

from app.core import i18n
from app.core.i18n import mark, translate
from app.core.permissions import Permission
from app.domains.members import service as members
from app.domains.members.schemas import Act
from app.domains.notifications import service
from app.domains.notifications.lists import UPCOMING
from app.domains.notifications.schemas import (
    Kind,
    Notices,
    NoticesForm,
    TestNoticeForm,
    UpcomingQuery,
    WriteForm,
    WriteQuery,
)
from app.web.context import Context
from app.web.lists import show_list
from app.web.tabs import Done, action, tab_page

_KEY = "members"
# What staff often write, in every language: a marked subject and a marked text.
STARTS = {
    "thanks": (mark("Thank you"), mark("Thank you for being with us. We are glad to have you.")),
    "missed": (
        mark("We miss you"),
        mark("We have not seen you for a while. Your points are waiting for you."),
    ),
    "points": (mark("Your points"), mark("You have points that you can spend. Have a look at your rewards.")),
}


def _view(ctx: Context, id: UUID, start: str | None) -> dict[str, Any]:
    profile = members.profile(ctx.uow, id)
    locale = i18n.supported(profile.locale)
    subject, text = STARTS.get(start or "", ("", ""))
    return {
        "member_id": id,
        "profile": profile,
        "locale": locale,
        "starts": [(key, one[0]) for key, one in STARTS.items()],
        "initial": {
            "start": start,
            "subject": translate(locale, subject) if subject else "",
            "text": translate(locale, text) if text else "",
        },
        "willing": service.can_write_to(ctx.uow, id),
    }


@tab_page(
    _KEY,
    "/<uuid:id>/write",
    "write.html",
    title=mark("Write to a member"),
    permission=Permission.MEMBERS_WRITE,
    query=WriteQuery,
)
def write(ctx: Context, id: UUID, query: WriteQuery) -> dict[str, Any]:
    """A short text for one member, empty or begun with what staff often write."""
    return _view(ctx, id, query.start)


def _refused(ctx: Context, id: UUID) -> dict[str, Any]:
    return _view(ctx, id, None)


@action(
    _KEY,
    "write-to-member",
    path="/send",
    page="write",
    template="_write_to_member.html",
    permission=Permission.MEMBERS_WRITE,
    form=WriteForm,
    prepare=_refused,
)
def write_to_member(ctx: Context, id: UUID, form: WriteForm) -> Done:
    """Send a text to one member."""
    service.write_to(ctx.uow, id, form)
    return Done(mark("The message is on its way."), location=f"/app/{_KEY}/{id}")


def _act(ctx: Context, member_id: UUID) -> Act | None:
    if not ctx.can(Permission.MEMBERS_WRITE):
        return None
    refused = (
        None
        if service.can_write_to(ctx.uow, member_id)
        else mark("This member did not agree to marketing e-mails.")
    )
    return Act(mark("Write message"), f"/app/{_KEY}/{member_id}/write", refused)


members.register_act(20, _act)


_LEDGER = "points-ledger"
_NOTICES: tuple[Kind, ...] = ("expiry_warning", "last_chance")


@tab_page(
    _LEDGER,
    "/expiry-warnings",
    "expiry-warnings.html",
    title=mark("Expiry warnings"),
    permission=Permission.POINTS_READ,
    query=UpcomingQuery,
)
def expiry_warnings(ctx: Context, query: UpcomingQuery) -> dict[str, Any]:
    """When members are told that points end, whom that concerns, and the words in every language."""
    return {
        "notices": service.notices(ctx.uow),
        "list": show_list(ctx, UPCOMING, query),
        "samples": {
            kind: [(locale, service.sample(ctx.uow, kind, locale)) for locale in i18n.LOCALES]
            for kind in _NOTICES
        },
        "can_write": ctx.can(Permission.SETTINGS_WRITE),
        "may_see": ctx.can(Permission.MEMBERS_READ),
        "test": {"kind": "expiry_warning", "locale": i18n.supported(ctx.locale)},
    }


@tab_page(
    _LEDGER,
    "/expiry-forecast",
    "_expiry_forecast.html",
    title=mark("Warnings ahead"),
    permission=Permission.POINTS_READ,
)
def expiry_forecast(ctx: Context) -> dict[str, Any]:
    """How many members are told on each of the next days."""
    days = service.forecast(ctx.uow)
    return {
        "days": [day for day, _, _ in days],
        "first": [count for _, count, _ in days],
        "last": [count for _, _, count in days],
    }


@action(
    _LEDGER,
    "save_notices",
    "/save",
    page="expiry_warnings",
    permission=Permission.SETTINGS_WRITE,
    form=NoticesForm,
)
def save_notices(ctx: Context, form: NoticesForm) -> Done:
    """Change when members are told that points end."""
    wanted = Notices(form.enabled, form.warn_days, form.last_days)
    service.save_notices(ctx.uow, wanted, version=form.version)
    return Done(mark("The expiry warnings were saved."))


@action(
    _LEDGER,
    "test_notice",
    "/test",
    page="expiry_warnings",
    permission=Permission.SETTINGS_WRITE,
    form=TestNoticeForm,
)
def test_notice(ctx: Context, form: TestNoticeForm) -> Done:
    """Send a notice to the store's own address."""
    service.send_test(ctx.uow, form.kind, form.locale)
    return Done(mark("A test is on its way to your store's e-mail address."))
