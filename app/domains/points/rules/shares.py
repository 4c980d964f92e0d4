"""Whole points from exact shares, without losing or inventing one."""

from collections.abc import Sequence


def rounded(numerator: int, denominator: int, how: str) -> int:
    """Numerator / denominator (not negative) as whole points: "down", "nearest" (half up), "half_even" or "up"."""
    whole, rest = divmod(numerator, denominator)
    if how == "down" or rest == 0:
        return whole
    if how == "up":
        return whole + 1
    if 2 * rest == denominator:
        return whole + (1 if how == "nearest" else whole % 2)
    return whole + (2 * rest > denominator)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in parts by weight that add up to it; what does not divide goes to the largest remainders, first first.

    Each part is its exact share rounded down or up. Without any weight the first part gets everything.
    """
    if len(weights) == 1:
        return [total]
    whole = sum(weights)
    if whole <= 0:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    parts = [total * weight // whole for weight in weights]
    missing = total - sum(parts)
    if not missing:
        return parts
    by_rest = sorted(range(len(weights)), key=lambda n: (-(total * weights[n] % whole), n))
    for n in by_rest[:missing]:
        parts[n] += 1
    return parts
