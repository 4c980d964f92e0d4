"""Rewards: what members get for points. A redemption holds the points, creates a discount code, then spends the points."""
