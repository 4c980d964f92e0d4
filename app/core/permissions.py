"""Permissions and the staff roles that bundle them. Nothing is allowed that is not listed."""

from enum import StrEnum


class Permission(StrEnum):
    """What a principal may do, as `<noun>:<verb>`; API keys carry these as scopes."""

    API_KEYS_WRITE = "api_keys:write"
    AUDIT_READ = "audit:read"
    BULK_READ = "bulk:read"
    BULK_WRITE = "bulk:write"
    MEMBERS_ERASE = "members:erase"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    POINTS_ADJUST = "points:adjust"
    POINTS_APPROVE = "points:approve"
    POINTS_READ = "points:read"
    POINTS_REDEEM = "points:redeem"
    PROGRAMS_READ = "programs:read"
    PROGRAMS_WRITE = "programs:write"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    REWARDS_READ = "rewards:read"
    REWARDS_WRITE = "rewards:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    TIERS_READ = "tiers:read"
    TIERS_WRITE = "tiers:write"
    WIDGET_READ = "widget:read"


ALL = frozenset(Permission)
_READ = frozenset(permission for permission in Permission if permission.endswith(":read"))

ROLES: dict[str, frozenset[Permission]] = {
    "owner": ALL,
    "manager": ALL - {Permission.API_KEYS_WRITE, Permission.MEMBERS_ERASE},
    "support": _READ | {Permission.POINTS_ADJUST, Permission.POINTS_REDEEM, Permission.MEMBERS_WRITE},
    "viewer": _READ,
}


def parse_scopes(text: str) -> frozenset[Permission]:
    """Scopes written as "all" or a comma list. Raises ValueError with the unknown name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == ["all"]:
        return ALL
    try:
        return frozenset(Permission(name) for name in names)
    except ValueError as error:
        raise ValueError(f"unknown scope: {error.args[0].split()[0]}") from None
