"""What members earn by what they do: registering, birthdays, reviews, visits and events of the shop's own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from app.core.db import UnitOfWork
from app.domains.members import service as members
from app.domains.members.events import MemberRegistered, MemberSubscribed
from app.domains.members.schemas import Member
from app.domains.points import queries, rules
from app.domains.points.errors import MemberCannotEarn, NothingToEarn
from app.domains.points.schemas import Credit, Entry
from app.domains.points.service import earning, posting, standing
from app.domains.programs import service as programs
from app.domains.programs.schemas import SIGNUP, EarningRule, ProgramTerms


@dataclass(frozen=True)
class Deed:
    """Something a member did. `reference` tells it from others of its kind, so that each is rewarded once.

    `event` is the name of a shop's own event; `day` is the program's day, today when None.
    """

    member_id: UUID
    kind: str
    reference: str
    event: str | None = None
    day: date | None = None


def give(uow: UnitOfWork, deeds: Sequence[Deed]) -> list[Entry]:
    """Give what the active program's rules have for these deeds, each deed once per rule. Returns the new entries."""
    terms = programs.active_terms(uow)
    if terms is None:
        return []
    wanted = [
        (deed, rule, key_of(deed, rule))
        for deed in deeds
        for rule in terms.of_kind(deed.kind)
        if rule.kind != "custom_event" or rule.event == deed.event
    ]
    wanted = _not_known(uow, wanted)
    if not wanted:
        return []
    active = members.earning(uow, {deed.member_id for deed, _, _ in wanted})
    stand = standing.load(uow, terms, sorted({deed.member_id for deed, _, _ in wanted}))
    due: list[Credit] = []
    seen: set[str] = set()
    for deed, rule, key in wanted:
        if deed.member_id in active and key not in seen:
            seen.add(key)
            due += _credit(uow, stand, deed, rule, key)
    if standing.asked(terms).budgets:
        stand.save_budgets()
    return posting.credit(uow, due) if due else []


def _not_known(
    uow: UnitOfWork, wanted: Sequence[tuple[Deed, EarningRule, str]]
) -> list[tuple[Deed, EarningRule, str]]:
    """Deeds that were rewarded neither to the member nor to an account that was merged into them."""
    merged = members.merged_into(uow, {deed.member_id for deed, _, _ in wanted})
    keys = {
        key: [key, *(key.replace(str(deed.member_id), str(one)) for one in merged.get(deed.member_id, []))]
        for deed, _, key in wanted
    }
    known = queries.entries_by_key(uow, [one for every in keys.values() for one in every])
    return [one for one in wanted if not known.keys() & set(keys[one[2]])]


def key_of(deed: Deed, rule: EarningRule) -> str:
    """The ledger's key. The sign-up has one from before there were rules; references name nobody."""
    if rule.id == SIGNUP:
        return f"{SIGNUP}:{deed.reference}"
    return f"{deed.kind}:{rule.id}:{deed.reference}"


def _credit(
    uow: UnitOfWork, stand: standing.Standing, deed: Deed, rule: EarningRule, key: str
) -> list[Credit]:
    terms = stand.terms
    day = deed.day or standing.local_day(uow, terms, uow.now)
    points, trace = rules.price_deed(rule, terms, day, stand.of(deed.member_id, day))
    if points <= 0:
        return []
    stand.note(deed.member_id, day, {rule.id: points})
    # What is not bought cannot be sent back, so only a rule's own waiting time counts.
    holding = rule.holding_days or 0
    return [
        Credit(
            deed.member_id,
            points,
            key,
            deed.kind,
            program_version_id=terms.version_id,
            trace=trace | {"day": day.isoformat(), "given": {rule.id: points}},
            activates_at=earning.activation(uow.now, holding),
            expires_at=rules.lasts_until(
                uow.now, terms.expiry, terms.expiry_months, stand.zone, rule.expiry_months
            ),
        )
    ]


def person_key(uow: UnitOfWork, customer_id: int, purpose: str) -> str:
    """Names a customer without telling who it is: the ledger outlives the person's erasure."""
    return uow.blind_index(str(customer_id), f"points.{purpose}").hex()


def give_signup_bonus(uow: UnitOfWork, events: Sequence[MemberRegistered]) -> list[Entry]:
    """Give the bonus for registering, once per customer, if the active program has one."""
    return give(uow, [signup(uow, event.member_id, event.customer_id) for event in events])


def welcome(uow: UnitOfWork, member_ids: Iterable[UUID]) -> dict[UUID, Entry]:
    """Give people whom the shop enrolled itself what joining gives, each once; the new entries by member.

    No customer is known to name in the key, so it names the member. Who claims a guest's points has the bonus once.
    """
    given = give(uow, [Deed(one, SIGNUP, str(one)) for one in member_ids])
    return {entry.member_id: entry for entry in given}


def welcome_points(uow: UnitOfWork) -> int:
    """What joining gives a member of whom nothing else is known; 0 when the active program gives nothing for it."""
    terms = programs.active_terms(uow)
    if terms is None:
        return 0
    day, newcomer = standing.local_day(uow, terms, uow.now), rules.MemberState(enrolled_at=uow.now)
    return sum(rules.price_deed(rule, terms, day, newcomer)[0] for rule in terms.of_kind(SIGNUP))


def give_for_newsletter(uow: UnitOfWork, events: Sequence[MemberSubscribed]) -> list[Entry]:
    """Give what the active program has for agreeing to marketing, once per customer."""
    return give(
        uow,
        [
            Deed(event.member_id, "newsletter", person_key(uow, event.customer_id, "newsletter"))
            for event in events
        ],
    )


def signup(uow: UnitOfWork, member_id: UUID, customer_id: int) -> Deed:
    """That a customer registered."""
    return Deed(member_id, SIGNUP, person_key(uow, customer_id, SIGNUP))


def earn(
    uow: UnitOfWork,
    member: Member,
    action: str,
    *,
    order: str | None = None,
    reference: str | None = None,
    event: str | None = None,
) -> list[Entry]:
    """The entries of an order ("purchase") or of a deed, made now if they are missing; a repeat gives the same ones.

    `reference` names the deed at the caller (a review, a visit). Raises OrderNotFound, MemberCannotEarn,
    NotAnEarningOrder, NothingToEarn, Invalid.
    """
    if not member.active:
        raise MemberCannotEarn()
    if action == "purchase":
        return [earning.earn_for_order(uow, member.id, earning.order_number(order))]
    deed = _deed(uow, member, action, reference, event)
    give(uow, [deed])
    terms = programs.active_terms(uow)
    keys = [key_of(deed, rule) for rule in _rules(terms, deed)] if terms else []
    rows = queries.entries_by_key(uow, keys) if keys else {}
    if not rows:
        raise NothingToEarn()
    return [posting.as_entry(rows[key]) for key in keys if key in rows]


def _rules(terms: ProgramTerms, deed: Deed) -> list[EarningRule]:
    return [
        rule for rule in terms.of_kind(deed.kind) if rule.kind != "custom_event" or rule.event == deed.event
    ]


def _deed(uow: UnitOfWork, member: Member, action: str, reference: str | None, event: str | None) -> Deed:
    if action in rules.ONCE_IN_A_LIFETIME:
        if member.customer_id is None:
            raise MemberCannotEarn()
        return Deed(member.id, action, person_key(uow, member.customer_id, action))
    if action == "store_visit" and not reference:
        terms = programs.active_terms(uow)
        reference = standing.local_day(uow, terms, uow.now).isoformat() if terms else ""
    return Deed(member.id, action, f"{member.id}:{reference or event or ''}", event)


def birthdays(uow: UnitOfWork, people: Sequence[tuple[UUID, int, int]], at: datetime) -> list[Entry]:
    """Celebrate members (id, month, day of birth) whose birthday was within the last three days of the program.

    A member gets it once in a program's year, whatever birthday they say later.
    """
    terms = programs.active_terms(uow)
    if terms is None:
        return []
    today = standing.local_day(uow, terms, at)
    due = [
        Deed(member_id, "birthday", f"{member_id}:{best.year}", day=best)
        for member_id, month, day in people
        for best in _just_had(month, day, today)
    ]
    return give(uow, due)


BIRTHDAY_GRACE_DAYS = 3


def celebrate(uow: UnitOfWork, after: UUID | None, limit: int) -> UUID | None:
    """Celebrate a slice of the birthdays of these days, by member id; the last one seen, None when there are no more.

    The day is the program's, and the grace finds what a night without the job left out.
    """
    terms = programs.active_terms(uow)
    if terms is None or not terms.of_kind("birthday"):
        return None
    today = standing.local_day(uow, terms, uow.now)
    days = {(day.month, day.day) for n in range(BIRTHDAY_GRACE_DAYS) for day in [today - timedelta(days=n)]}
    people = members.born_on(uow, days | {(2, 29)}, after, limit)
    birthdays(uow, people, uow.now)
    return people[-1][0] if len(people) == limit else None


def _just_had(month: int, day: int, today: date) -> list[date]:
    found = [rules.birthday_in(year, month, day) for year in (today.year, today.year - 1)]
    return [one for one in found if 0 <= (today - one).days < BIRTHDAY_GRACE_DAYS][:1]
