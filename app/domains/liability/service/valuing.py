"""How the shop values points."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from psycopg.types.json import Jsonb

from app.core.db import UnitOfWork
from app.core.i18n import mark
from app.core.money import exponent, to_minor
from app.domains.compliance import service as compliance
from app.domains.liability import queries, rules
from app.domains.liability.errors import ReasonNeeded, StaleVersion
from app.domains.liability.schemas import Settings, SettingsForm
from app.domains.shops import service as shops

ACCOUNTS = {"sales": "Sales revenue", "deferred": "Deferred revenue, points", "points": "Loyalty revenue"}


def get_settings(uow: UnitOfWork) -> Settings:
    """What the shop said, or what is assumed: the best price the catalog gives, and that every point is redeemed."""
    found = queries.settings(uow)
    if found:
        return Settings(**found, assumed=False)
    value = queries.best_reward_value(uow) or 10 * 10 ** exponent(shops.get(uow).currency)
    return Settings(value, rules.WHOLE, None, "", "exact", ACCOUNTS, 0, assumed=True)


_SAVE = """
INSERT INTO liability_settings (shop_id, value_minor, fallback_bp, override_bp, override_reason, sharing, accounts,
  updated_at)
VALUES (%(shop)s, %(value_minor)s, %(fallback_bp)s, %(override_bp)s, %(override_reason)s, %(sharing)s, %(accounts)s, %(now)s)
ON CONFLICT (shop_id) DO UPDATE SET value_minor = excluded.value_minor, fallback_bp = excluded.fallback_bp,
  override_bp = excluded.override_bp, override_reason = excluded.override_reason, sharing = excluded.sharing,
  accounts = excluded.accounts, updated_at = excluded.updated_at, version = liability_settings.version + 1
WHERE liability_settings.version = %(version)s RETURNING version
"""

# Months that were closed before anybody said what points are worth were valued provisionally.
_REVALUE = """
UPDATE liability_periods SET value_minor = %(value_minor)s, sharing = %(sharing)s,
  rate_bp = CASE WHEN %(override_bp)s::integer IS NOT NULL THEN %(override_bp)s
    WHEN rate_source = 'fallback' THEN %(fallback_bp)s ELSE rate_bp END,
  rate_source = CASE WHEN %(override_bp)s::integer IS NOT NULL THEN 'override' ELSE rate_source END
WHERE shop_id = %(shop)s
"""


def save_settings(uow: UnitOfWork, form: SettingsForm) -> Settings:
    """Value points like this from now on. Closed months keep their terms, but the first saving holds for them too.

    Raises StaleVersion, ReasonNeeded.
    """
    reason = form.override_reason.strip()
    if form.override is not None and not reason:
        raise ReasonNeeded(fields={"override_reason": mark("Say why this rate is used.")})
    before = get_settings(uow)
    if form.version != before.version:
        raise StaleVersion()
    values: dict[str, Any] = {
        "value_minor": to_minor(form.value, shops.get(uow).currency),
        "fallback_bp": _basis_points(form.fallback),
        "override_bp": None if form.override is None else _basis_points(form.override),
        "override_reason": reason if form.override is not None else "",
        "sharing": form.sharing,
    }
    given = values | {"accounts": Jsonb(form.accounts.model_dump())}
    if not uow.one(_SAVE, given | {"shop": uow.shop, "now": uow.now, "version": form.version}):
        raise StaleVersion()
    if before.assumed:
        uow.execute(_REVALUE, values | {"shop": uow.shop})
    after = get_settings(uow)
    compliance.record(
        uow,
        "liability.settings_saved",
        ("liability_settings", str(uow.shop)),
        None if before.assumed else asdict(before),
        asdict(after),
    )
    return after


def _basis_points(percent: Decimal) -> int:
    return int(percent * 100)
