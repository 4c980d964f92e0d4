"""Tier management in the admin: ladders and their tiers, previews before saving, and where members stand."""

from app.domains.tiers.tabs import ladders, previews, standing

__all__ = ["ladders", "previews", "standing"]
