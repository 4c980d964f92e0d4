"""What members will be told about points that end: how many on which day, whom, and in which words."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core import i18n, ids, mail, outbox
from app.core.db import UnitOfWork
from app.core.outbox import OutboxMessage
from app.core.paging import Page
from app.domains.compliance import service as compliance
from app.domains.notifications import queries, rules
from app.domains.notifications.errors import MailOff, NoContactEmail
from app.domains.notifications.schemas import ExpiryNews, Kind
from app.domains.points import service as points
from app.domains.points.schemas import Ending
from app.domains.shops import service as shops

TEST = "notifications.test"
DAYS = 60
_SAMPLE_POINTS = 120
_SAMPLE_AVAILABLE = 480


def forecast(uow: UnitOfWork) -> list[tuple[date, int, int]]:
    """For each of the next days, from tomorrow on in the shop's zone: first notices and last ones that go out.

    Nothing is earned or spent meanwhile in this. All zero while notices are off.
    """
    asked = queries.notices(uow)
    today = uow.now.astimezone(ZoneInfo(shops.get(uow).timezone)).date()
    days = [today + timedelta(days=count) for count in range(1, DAYS + 1)]
    if not asked.enabled:
        return [(day, 0, 0) for day in days]
    first, last = (_by_day(uow, ahead) for ahead in (asked.warn_days, asked.last_days))
    return [(day, first[day], last[day]) for day in days]


def _by_day(uow: UnitOfWork, ahead: int) -> Counter[date]:
    """Endings by the day that lies so many days before them."""
    found = points.endings_by_day(uow, timedelta(days=ahead), timedelta(days=ahead + DAYS + 1))
    return Counter({day - timedelta(days=ahead): members for day, members, _ in found})


def upcoming(uow: UnitOfWork, limit: int, cursor: str | None) -> Page[tuple[Ending, datetime]]:
    """Points that end, soonest first, each with the instant of its next notice. Raises StaleCursor."""
    asked = queries.notices(uow)
    page = points.endings_soonest(uow, timedelta(days=asked.warn_days + DAYS), limit, cursor)
    shown = [(one, _notice_at(uow, one, asked.warn_days, asked.last_days)) for one in page.items]
    return Page(shown, page.next_cursor, page.previous_cursor)


def _notice_at(uow: UnitOfWork, one: Ending, warn_days: int, last_days: int) -> datetime:
    """The first notice while it is to come, else the last one; what is overdue goes out with the next run."""
    times = (one.ends_at - timedelta(days=days) for days in (warn_days, last_days))
    return next((at for at in times if at > uow.now), uow.now)


def sample(uow: UnitOfWork, kind: Kind, locale: str) -> mail.Rendered:
    """How a notice reads in a language, with made-up points."""
    asked, shop = queries.notices(uow), shops.get(uow)
    ahead = asked.warn_days if kind == "expiry_warning" else asked.last_days
    last_day = uow.now.astimezone(ZoneInfo(shop.timezone)).date() + timedelta(days=ahead - 1)
    told = ExpiryNews(shop.name or shop.domain, None, _SAMPLE_POINTS, last_day, _SAMPLE_AVAILABLE, idle=False)
    return mail.render(f"notifications/{kind}", locale, told)


def send_test(uow: UnitOfWork, kind: Kind, locale: str) -> None:
    """Have a notice sent to the store's own address. Raises MailOff, NoContactEmail."""
    if mail.mail_server() is None:
        raise MailOff()
    if not shops.contact_email(uow):
        raise NoContactEmail()
    outbox.put(uow, TEST, {"kind": kind, "locale": i18n.supported(locale)}, key=str(ids.new_id()))
    compliance.record(uow, "notices.tested", ("shop", str(uow.shop)), None, {"kind": kind, "locale": locale})


def test_letter(uow: UnitOfWork, asked: OutboxMessage) -> mail.Letter | None:
    """The letter of a test; None when the store has no address any more."""
    to, shop = shops.contact_email(uow), shops.get(uow)
    if not to:
        return None
    kind, locale = asked.payload["kind"], asked.payload["locale"]
    return mail.Letter(
        locale=locale,
        to=to,
        from_name=shop.name or shop.domain,
        reply_to=to,
        message_id=rules.message_id(asked.id, shop.domain),
        content=sample(uow, kind, locale),
    )
