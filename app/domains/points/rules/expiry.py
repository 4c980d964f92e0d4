"""When points end, by the program's calendar."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from uuid import UUID

from app.domains.programs.schemas import Expiry, ProgramTerms


def lasts_until(
    at: datetime, policy: Expiry, months: int | None, zone: tzinfo, own_months: int | None = None
) -> datetime | None:
    """The first instant at which points given at `at` are over; None for never, or as long as the member is active.

    `months` are the program's, `own_months` those of the earning rule, which go before every policy.
    """
    day = at.astimezone(zone).date()
    if own_months is None and policy.mode == "yearly":
        return end_of(_yearly(day, policy), zone)
    wanted = own_months or (months if policy.mode == "earned" else None)
    if wanted is None:
        return None
    last = _shifted(day, wanted)
    return end_of(last.replace(day=_length(last.year, last.month)) if policy.end_of_month else last, zone)


def idle_until(since: datetime, months: int, zone: tzinfo) -> datetime:
    """When points end of a member who last earned or spent at `since`."""
    return end_of(_shifted(since.astimezone(zone).date(), months), zone)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lot ends: at `expires_at`; without it, by inactivity under `terms_id`, but not before `kept_until`; or never."""

    expires_at: datetime | None
    terms_id: UUID | None
    kept_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Earned:
    """What decides when a lot ends: when it was earned and by which rules, the date it was born with, and activity."""

    at: datetime
    first_expires_at: datetime | None
    rules: Sequence[str]
    active_at: datetime
    standing: Standing


def ends(
    standing: Standing, terms: ProgramTerms | None, active_at: datetime, zone: tzinfo
) -> datetime | None:
    """When a lot ends as it stands, if its member does nothing from now on; None for never.

    `terms` are those of `standing.terms_id`, `zone` is theirs.
    """
    if standing.expires_at is not None:
        return standing.expires_at
    if terms is None or not _idles(terms):
        return None
    end = idle_until(active_at, terms.expiry_months or 0, zone)
    return max(end, standing.kept_until) if standing.kept_until else end


def redated(
    lot: Earned,
    born: ProgramTerms,
    now: ProgramTerms | None,
    new: ProgramTerms,
    zones: tuple[tzinfo, tzinfo, tzinfo],
    not_before: datetime | None,
) -> Standing:
    """How a lot stands once `new` terms hold for it too; what it is now when they change nothing.

    In: the terms it was earned under, those it follows now, the new ones, and the zone of each. No lot ends before the
    earlier of its present end and `not_before`; with None no lot ends before its present end.
    """
    months = _own_months(lot, born, new, zones[0])
    if months == _UNKNOWN:
        return lot.standing
    present = ends(lot.standing, now, lot.active_at, zones[1])
    floor = present if not_before is None or (present and present < not_before) else not_before
    wanted = lasts_until(lot.at, new.expiry, new.expiry_months, zones[2], months)
    if wanted is not None:
        if floor is None:
            return lot.standing
        date = max(wanted, floor)
        return lot.standing if date == lot.standing.expires_at else Standing(date, new.version_id)
    if not _idles(new):
        return lot.standing if present is None else Standing(None, new.version_id)
    if floor is None or _idles_alike(lot.standing, now, new, zones):
        return lot.standing
    return Standing(None, new.version_id, floor)


def restored(
    was: Standing,
    present: datetime | None,
    terms: ProgramTerms | None,
    active_at: datetime,
    zone: tzinfo,
    not_before: datetime,
) -> Standing:
    """How a lot stands when another date for it is taken back: as it was, but it ends no sooner than it may.

    In: how it stood, its present end, the terms that it followed and their zone. It does not end before the earlier of
    its present end and `not_before`.
    """
    end = ends(was, terms, active_at, zone)
    if end is None or (present is not None and end >= present):
        return was
    floor = not_before if present is None else min(present, not_before)
    if was.expires_at is not None:
        return Standing(max(was.expires_at, floor), was.terms_id, was.kept_until)
    return Standing(None, was.terms_id, max(was.kept_until or floor, floor))


_UNKNOWN = -1


def _own_months(lot: Earned, born: ProgramTerms, new: ProgramTerms, zone: tzinfo) -> int | None:
    """The months that the lot's rules have in the new terms (None: the program's), by the date the lot was born with."""
    by_months: dict[int | None, list[str]] = {}
    for rule_id in lot.rules:
        rule = born.rule(rule_id)
        by_months.setdefault(rule.expiry_months if rule else None, []).append(rule_id)
    alone = next(iter(by_months), None) if len(by_months) < 2 else _UNKNOWN
    for months in [*by_months, None]:
        if lasts_until(lot.at, born.expiry, born.expiry_months, zone, months) == lot.first_expires_at:
            break
    else:
        months = alone
    if months == _UNKNOWN:
        return _UNKNOWN
    found = {rule.expiry_months for one in by_months.get(months, []) if (rule := new.rule(one))}
    return found.pop() if len(found) == 1 else months


def _idles(terms: ProgramTerms) -> bool:
    return terms.expiry.mode == "idle" and terms.expiry_months is not None


def _idles_alike(
    standing: Standing, now: ProgramTerms | None, new: ProgramTerms, zones: tuple[tzinfo, tzinfo, tzinfo]
) -> bool:
    return (
        standing.expires_at is None
        and now is not None
        and _idles(now)
        and (now.expiry_months, zones[1]) == (new.expiry_months, zones[2])
    )


def end_of(day: date, zone: tzinfo) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time.min, zone)


def _yearly(day: date, policy: Expiry) -> date:
    """The first such day of a year that leaves points of `day` more than their spare months."""
    year = day.year
    while day > _shifted(_day_of(year, policy), -policy.spare_months):
        year += 1
    return _day_of(year, policy)


def _day_of(year: int, policy: Expiry) -> date:
    return date(year, policy.month, min(policy.day, _length(year, policy.month)))


def _shifted(day: date, months: int) -> date:
    """The day so many months later or earlier; one that the month lacks becomes its last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, _length(year, month)))


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]
