"""The one engine: what an order earns. Integers only; exact until the order's points are rounded once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from app.core.money import plain
from app.core.values import value
from app.domains.points.rules.matching import earns, ineligible, meets, outside, refused
from app.domains.points.rules.orders import (
    BASIS_POINTS,
    SHIPPING,
    TIP,
    Line,
    MemberState,
    OrderState,
    refusal,
)
from app.domains.points.rules.shares import rounded, split
from app.domains.programs.schemas import Caps, EarningRule, Multiplier, ProgramTerms

_RATE = 10_000


@value
class Count:
    """What an order adds to a rule's count over several orders, and how often it filled it."""

    units: int
    completed: int


@value
class Pricing:
    """The points an order deserves, whose they are, and the numbers that lead to them.

    `given` are the points by rule id; they add up to `points`. `weights` are what the lines have of each rule's points.
    `extra` are the points that campaigns with a budget added, by the budget's key.
    """

    points: int
    given: Mapping[str, int]
    weights: Sequence[Mapping[int, int]]
    counts: Mapping[str, Count]
    trace: Mapping[str, Any]
    extra: Mapping[str, int] = field(default_factory=dict)

    @property
    def by_line(self) -> dict[int, int]:
        """The points by line id (0: the order itself)."""
        found: dict[int, int] = {}
        for part, weights in zip(self.given.values(), self.weights, strict=True):
            if not part:
                continue
            shares = split(part, list(weights.values()) or [1])
            for line, points in zip(list(weights) or [0], shares, strict=True):
                found[line] = found.get(line, 0) + points
        return found


@dataclass(slots=True)
class _Rest:
    """A line as refunds left it."""

    line: Any
    net: int
    tax: int
    quantity: int


@dataclass(slots=True)
class _Share:
    """What a rule gives: an exact numerator over the order's denominator, and where it comes from."""

    rule: EarningRule
    exact: int
    base_minor: int = 0
    count: int = 0
    by_line: dict[int, int] = field(default_factory=dict)
    caps: list[dict[str, Any]] = field(default_factory=list)


@value
class _Multiplied:
    """What multiplies an order: `factor` over `base` for all of it, and the campaigns that have a part in it.

    Campaigns for some goods stand in `applied` too; `line` says what multiplies one line.
    """

    mode: str
    tier_bp: int
    met: Sequence[Multiplier]
    factor: int
    base: int
    applied: Sequence[Multiplier]
    by_line: bool

    def line(self, line: Line) -> int:
        """The factor of one line, over `base`."""
        if not self.by_line:
            return self.factor
        held = [one for one in self.met if not one.conditions.names_goods or meets(one.conditions, line)]
        factor, base, _ = _combined(self.mode, self.tier_bp, held)
        return factor * (self.base // base)


@dataclass(slots=True)
class _Job:
    """One pricing under way. Amounts refunded without lines leave `kept` of `whole` of every line."""

    order: OrderState
    terms: ProgramTerms
    member: MemberState
    rest: list[_Rest]
    kept: int
    whole: int
    multiplied: _Multiplied
    scale: int
    skipped: list[dict[str, str]] = field(default_factory=list)

    @property
    def unit(self) -> int:
        """One point, as a numerator."""
        return self.scale * _RATE * self.multiplied.base

    def times(self, rule: EarningRule, line: Line | None = None) -> int:
        """The rule's points times what multiplies the order or one line; with amounts in minor units a numerator."""
        of = self.multiplied
        factor = of.base if not rule.multiplied else of.factor if line is None else of.line(line)
        return int(rule.points * _RATE) * factor

    def varies(self, rule: EarningRule) -> bool:
        """Whether lines of the rule are multiplied differently."""
        return rule.multiplied and self.multiplied.by_line

    def left(self, minor: int) -> int:
        """What is left of an amount after refunds without lines."""
        return minor if self.kept == self.whole else minor * self.kept // self.whole


def price(order: OrderState, terms: ProgramTerms, member: MemberState) -> Pricing:
    """What the order earns in its present state under the terms, for the member as they stood at its award.

    Shares of all rules are exact, are cut by each rule's caps, added and rounded once; then the program's caps cut. A
    campaign with a budget adds what the order has more than without it, as far as its budget reaches.
    """
    found = _price(order, terms, member, frozenset())
    if all(one.budget is None for one in terms.times):
        return found
    applied = _multiplier(order, terms, member, frozenset()).applied
    for one in [one for one in applied if one.budget is not None]:
        found = _within_budget(found, one, member, _price(order, terms, member, frozenset({one.id})))
    return found


def _within_budget(found: Pricing, campaign: Multiplier, member: MemberState, without: Pricing) -> Pricing:
    """The pricing less what a campaign would add beyond what is left of its budget."""
    added = max(found.points - without.points, 0)
    room = member.room.get(campaign.budget_key, {}).get("budget", campaign.budget or 0)
    less = max(added - room, 0)
    extra = dict(found.extra) | {campaign.budget_key: added - less}
    trace = dict(found.trace) | {"extra": extra}
    if not less:
        return replace(found, extra=extra, trace=trace)
    points = found.points - less
    given = dict(zip(found.given, split(points, list(found.given.values())), strict=True))
    caps = [*trace.get("caps", []), {"rule": campaign.budget_key, "cap": "campaign_budget", "limit": room}]
    return replace(found, points=points, given=given, extra=extra, trace=trace | {"caps": caps})


def _price(order: OrderState, terms: ProgramTerms, member: MemberState, without: frozenset[str]) -> Pricing:
    multiplied = _multiplier(order, terms, member, without)
    scale = int(10**order.currency_exponent)
    job = _Job(order, terms, member, *_rest(order, terms), multiplied, scale)
    reason = refusal(order, terms) or ineligible(terms.eligibility, order, member, order.placed_at)
    shares = [] if reason else _shares(job)
    counts = _counted(job, shares)
    for share in shares:
        _cut(job, share)
    exact = sum(share.exact for share in shares)
    whole = rounded(exact, job.unit, terms.rounding)
    parts = split(whole, [share.exact for share in shares])
    points, program_caps = _program_caps(job, whole)
    parts = split(points, parts) if points < whole else parts
    given = {share.rule.id: part for share, part in zip(shares, parts, strict=True)}
    return Pricing(
        points,
        given,
        [share.by_line for share in shares],
        counts,
        _trace(job, shares, given, exact, reason, program_caps),
    )


def _multiplier(
    order: OrderState, terms: ProgramTerms, member: MemberState, without: frozenset[str]
) -> _Multiplied:
    """What multiplies the order: the tier, and the campaigns that hold for it, but for those named in `without`."""
    mode, tier = terms.multiplier_mode, member.tier_bp
    if not terms.times:
        return _Multiplied(mode, tier, (), tier, BASIS_POINTS, (), by_line=False)
    met = [
        one
        for one in terms.times
        if one.id not in without and outside(one.conditions, order, member) is None and _has_goods(one, order)
    ]
    factor, base, applied = _combined(mode, tier, [one for one in met if not one.conditions.names_goods])
    if not any(one.conditions.names_goods for one in met):
        return _Multiplied(mode, tier, met, factor, base, applied, by_line=False)
    whole = int(BASIS_POINTS ** (len(met) + 1)) if mode == "multiply" else base
    for_goods = [one for one in met if one.conditions.names_goods]
    return _Multiplied(mode, tier, met, factor * (whole // base), whole, [*applied, *for_goods], by_line=True)


def _has_goods(campaign: Multiplier, order: OrderState) -> bool:
    wanted = campaign.conditions
    return not wanted.names_goods or any(meets(wanted, line) for line in order.lines)


def _combined(mode: str, tier: int, met: Sequence[Multiplier]) -> tuple[int, int, Sequence[Multiplier]]:
    """Tier and campaigns together as a fraction, and the campaigns that have a part in it."""
    if not met:
        return tier, BASIS_POINTS, ()
    if mode == "add":
        return max(tier + sum(one.basis_points - BASIS_POINTS for one in met), 0), BASIS_POINTS, met
    if mode == "highest":
        best = max(met, key=lambda one: one.basis_points)
        return (
            (best.basis_points, BASIS_POINTS, [best])
            if best.basis_points > tier
            else (tier, BASIS_POINTS, [])
        )
    if mode == "first":
        return met[0].basis_points, BASIS_POINTS, met[:1]
    product = tier
    for one in met:
        product *= one.basis_points
    return product, int(BASIS_POINTS ** (len(met) + 1)), met


def _rest(order: OrderState, terms: ProgramTerms) -> tuple[list[_Rest], int, int]:
    """The lines less what was refunded of them, and the part that amounts refunded without lines leave of all."""
    refunded = order.refunded
    net_back, tax_back, back = (
        refunded.net_minor_by_line,
        refunded.tax_minor_by_line,
        refunded.quantity_by_line,
    )
    no_shipping, no_tips = terms.never_earning
    rest: list[_Rest] = []
    left = 0
    for line in order.lines:
        line_id = line.id
        if (line_id == SHIPPING and no_shipping) or (line_id == TIP and no_tips):
            continue
        net, tax, quantity = line.net_minor, line.tax_minor, line.quantity
        if net_back or tax_back or back:
            net = max(net - net_back.get(line_id, 0), 0)
            tax = max(tax - tax_back.get(line_id, 0), 0)
            quantity = max(quantity - back.get(line_id, 0), 0)
        left += net + tax
        rest.append(_Rest(line, net, tax, quantity))
    if refunded.amount_minor <= 0 or left <= 0:
        return rest, 1, 1
    return rest, max(left - refunded.amount_minor, 0), left


def _shares(job: _Job) -> list[_Share]:
    subtotal = job.left(sum(one.net for one in job.rest if one.line.id >= 0))
    on_lines: list[EarningRule] = []
    on_order: list[EarningRule] = []
    for rule in job.terms.on_orders:
        why = refused(rule, job.order, job.member, subtotal)
        if why:
            job.skipped.append({"rule": rule.id, "kind": rule.kind, "why": why})
        elif rule.kind == "purchase" and rule.per in ("unit", "item"):
            on_lines.append(rule)
        else:
            on_order.append(rule)
    return _line_shares(job, on_lines) + _order_shares(job, on_order)


def _amount(rule: EarningRule, one: _Rest) -> int:
    return one.net if rule.exclusions.tax else one.net + one.tax


def _weight(job: _Job, rule: EarningRule, one: _Rest) -> int:
    """What a line gives under a rule, as a numerator."""
    units = one.quantity * job.scale if rule.per == "item" else _amount(rule, one)
    return units * job.times(rule, one.line)


def _line_shares(job: _Job, rules: Sequence[EarningRule]) -> list[_Share]:
    shares = {rule.id: _Share(rule, 0) for rule in rules}
    for one in job.rest:
        for rule in _chosen([rule for rule in rules if earns(rule, one.line)], job, one):
            share = shares[rule.id]
            amount = _amount(rule, one)
            share.base_minor += amount
            share.count += one.quantity
            weight = amount if rule.per == "unit" else one.quantity
            if job.varies(rule):
                share.exact += _weight(job, rule, one)
                weight *= job.multiplied.line(one.line)
            share.by_line[one.line.id] = weight
    for share in shares.values():
        share.base_minor = job.left(share.base_minor)
        if share.rule.per == "item":
            share.count = share.count if job.kept else 0
        if job.varies(share.rule):
            share.exact = job.left(share.exact) if share.rule.per == "unit" or not job.kept else share.exact
        elif share.rule.per == "unit":
            share.exact = share.base_minor * job.times(share.rule)
        else:
            share.exact = share.count * job.scale * job.times(share.rule)
    return list(shares.values())


def _chosen(rules: Sequence[EarningRule], job: _Job, one: _Rest) -> Sequence[EarningRule]:
    """The rules that a line earns under: down to the first exclusive one, and of the "best" only the best."""
    if len(rules) < 2:
        return rules
    found: list[EarningRule] = []
    for rule in rules:
        found.append(rule)
        if rule.stacking == "exclusive":
            break
    rivals = [rule for rule in found if rule.stacking == "best"]
    if len(rivals) > 1:
        best = max(rivals, key=lambda rule: _weight(job, rule, one))
        found = [rule for rule in found if rule.stacking != "best" or rule is best]
    return found


def _order_shares(job: _Job, rules: Sequence[EarningRule]) -> list[_Share]:
    found: list[_Share] = []
    for rule in rules:
        share = _order_share(job, rule)
        found.append(share)
        if rule.stacking == "exclusive" and share.exact:
            break
    rivals = [share for share in found if share.rule.stacking == "best"]
    if len(rivals) > 1:
        best = max(rivals, key=lambda share: share.exact)
        found = [share for share in found if share.rule.stacking != "best" or share is best]
    return found


def _order_share(job: _Job, rule: EarningRule) -> _Share:
    """Points at once for the order, or for a count that it fills."""
    lines = [one for one in job.rest if earns(rule, one.line)]
    base = job.left(sum(_amount(rule, one) for one in lines))
    per_point = job.scale * job.times(rule)
    if not rule.counts:
        return _Share(rule, per_point if base > 0 else 0, base)
    units, step = base, int((rule.step or Decimal(1)).scaleb(job.order.currency_exponent))
    if rule.stamps:
        step = max(int(rule.step or 1), 1)
        pieces = sum(one.quantity for one in lines) if rule.per == "stamp_item" else 1
        units = pieces if base > 0 else 0
    before, completed_before = job.member.counts.get(rule.id, (0, 0))
    full = (before + units) // max(step, 1)
    completed = max((min(full, 1) if rule.kind == "goal_spend" else full) - completed_before, 0)
    share = _Share(rule, per_point * completed, base, units)
    share.by_line = {}
    return share


def _counted(job: _Job, shares: Sequence[_Share]) -> dict[str, Count]:
    """What each counting rule counts, 0 where it does not apply."""
    counts = {rule.id: Count(0, 0) for rule in job.terms.on_orders if rule.counts}
    for share in shares:
        if share.rule.counts:
            per_point = job.scale * job.times(share.rule)
            counts[share.rule.id] = Count(share.count, share.exact // per_point if per_point else 0)
    return counts


def _limits(job: _Job, rule_id: str, caps: Caps) -> list[tuple[str, int]]:
    """What a rule (or, by "", the program) may give at most, by the name of the cap."""
    room = [*job.member.room.get(rule_id, {}).items()] if job.member.room else []
    return room if caps.per_order is None else [*room, ("per_order", caps.per_order)]


def _cut(job: _Job, share: _Share) -> None:
    """Apply the rule's caps to its share."""
    for name, limit in _limits(job, share.rule.id, share.rule.caps):
        if share.exact > limit * job.unit:
            share.exact = limit * job.unit
            share.caps = [{"rule": share.rule.id, "cap": name, "limit": limit}]


def _program_caps(job: _Job, points: int) -> tuple[int, list[dict[str, Any]]]:
    hit: list[dict[str, Any]] = []
    for name, limit in _limits(job, "", job.terms.caps):
        if points > limit:
            points, hit = limit, [{"rule": "", "cap": name, "limit": limit}]
    return points, hit


def _trace(
    job: _Job,
    shares: Sequence[_Share],
    given: Mapping[str, int],
    exact: int,
    reason: str | None,
    program_caps: list[dict[str, Any]],
) -> dict[str, Any]:
    """What the entry keeps. A program with nothing but its base rule is told in four numbers."""
    units = [share for share in shares if share.rule.per == "unit" and share.rule.kind == "purchase"]
    trace: dict[str, Any] = {
        "base_minor": _earning_minor(job, units or shares[:1]),
        "exponent": job.order.currency_exponent,
        "multiplier_bp": job.multiplied.factor * BASIS_POINTS // job.multiplied.base,
        "rounding": job.terms.rounding,
    }
    if units:
        trace["points_per_unit"] = plain(units[0].rule.points)
    if reason:
        return trace | {"refusal": reason}
    whole, part = divmod(exact, job.unit)
    trace["exact"] = plain(Decimal(exact) / job.unit) if part else str(whole)
    if len(shares) > 1 or (shares and not units):
        trace["rules"] = [_told(share, given[share.rule.id]) for share in shares]
    if job.multiplied.applied:
        trace["multipliers"] = [_told_campaign(one) for one in job.multiplied.applied]
    caps = [cap for share in shares for cap in share.caps] + program_caps
    if caps:
        trace["caps"] = caps
    if job.skipped:
        trace["skipped"] = job.skipped[:20]
    return trace


def _earning_minor(job: _Job, shares: Sequence[_Share]) -> int:
    """The money that earned, each line once whatever number of rules it earned under."""
    if len(shares) < 2:
        return shares[0].base_minor if shares else 0
    by_line: dict[int, int] = {}
    for share in shares:
        for one in job.rest:
            if one.line.id in share.by_line:
                by_line[one.line.id] = max(_amount(share.rule, one), by_line.get(one.line.id, 0))
    return job.left(sum(by_line.values()))


def _told_campaign(campaign: Multiplier) -> dict[str, Any]:
    told: dict[str, Any] = {"id": campaign.id, "name": campaign.name, "bp": campaign.basis_points}
    names = campaign.names.model_dump(exclude_none=True)
    if names:
        told["names"] = names
    if campaign.conditions.names_goods:
        told["goods"] = True
    return told


def _told(share: _Share, points: int) -> dict[str, Any]:
    rule = share.rule
    told = {"id": rule.id, "kind": rule.kind, "per": rule.per, "rate": plain(rule.points), "points": points}
    told |= {"base_minor": share.base_minor} if rule.per in ("unit", "spend_step") else {"count": share.count}
    if rule.name:
        told["name"] = rule.name
        told["names"] = rule.names.model_dump(exclude_none=True)
    return told
