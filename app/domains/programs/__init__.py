"""Programs: how members earn and what limits redemption. Every change of terms is kept as a version that awards name."""
