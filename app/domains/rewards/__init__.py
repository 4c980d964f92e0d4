"""Rewards: what members get for points. A redemption holds points, creates a discount code, then spends the points."""
