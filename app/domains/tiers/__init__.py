"""Tiers: a ladder of levels that members climb by the points they earned, each with its earning multiplier."""
