"""RFM: how recently, how often and for how much a buyer ordered, each scored from 1 to 5 among the shop's buyers.

The scoring in fifths is that of Arthur M. Hughes, "Strategic Database Marketing" (1994), chapter on RFM: buyers are put in
order by each of the three and divided into five parts, of which the best scores 5. Parts of equal size would part buyers who
do not differ, so a score follows from how many are strictly below: 1 + floor(5 * below / buyers). Who is equal scores
equal, a shop's only buyer scores 1, and where most bought once, whoever bought twice is among the best.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PARTS = 5


@dataclass(frozen=True)
class Fifths:
    """The smallest values of the scores above 1 among a shop's buyers, for each of the three."""

    recency: tuple[datetime, ...] = ()
    frequency: tuple[int, ...] = ()
    money: tuple[int, ...] = ()

    def scores(self, last_order_at: datetime, orders: int, spent_minor: int) -> tuple[int, int, int]:
        """The scores of a buyer by recency, frequency and money."""
        return (
            score(last_order_at, self.recency),
            score(orders, self.frequency),
            score(spent_minor, self.money),
        )


def fifths(row: Mapping[str, Any] | None) -> Fifths:
    """The cuts in a row of `cuts_sql`; without a row there are no buyers."""
    return (
        Fifths()
        if row is None
        else Fifths(tuple(row["recency"]), tuple(row["frequency"]), tuple(row["money"]))
    )


def score(value: Any, cuts: Sequence[Any]) -> int:
    """The score of a value, 1 to 5; `cuts` are the smallest values of the scores above 1."""
    return 1 + bisect_right(cuts, value)


def score_sql(value: str, cuts: str) -> str:
    """`score` as SQL: `value` is an expression, `cuts` the name of the parameter that holds them, with its type."""
    return f"(1 + width_bucket({value}, {cuts}))"


def cuts_sql(buyers: str) -> str:
    """A SELECT of the `recency`, `frequency` and `money` cuts among `buyers`, which gives last_at, orders and spent."""
    columns = {"recency": "last_at", "frequency": "orders", "money": "spent"}
    ranks = ", ".join(f"rank() OVER (ORDER BY {column}) - 1 AS below_{column}" for column in columns.values())
    found = ", ".join(
        "array_remove(ARRAY["
        + ", ".join(
            f"min({column}) FILTER (WHERE {PARTS} * below_{column} >= {part} * buyers)"
            for part in range(1, PARTS)
        )
        + f"], NULL) AS {name}"
        for name, column in columns.items()
    )
    return f"SELECT {found} FROM (SELECT b.*, {ranks}, count(*) OVER () AS buyers FROM ({buyers}) b) r"
