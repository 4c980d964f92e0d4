"""Runs cases by name (all without names), prints a line each, and fails when a law of the ledger is broken afterwards."""

import sys

from app.core.db import cross_shop
from app.factory import load_domains
from benchmarks import world
from benchmarks.cases import CASES
from benchmarks.measure import Result
from tests.domains.points.invariants import broken


def main(names: list[str]) -> int:
    """Exit code 0 when every case has a result and the ledger's laws hold."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"unknown case: {', '.join(unknown)}; there are {', '.join(CASES)}", file=sys.stderr)
        return 2
    load_domains()
    shop = world.build()
    found: list[Result] = []
    for name in names or CASES:
        results = CASES[name](shop)
        found += results
        for result in results:
            print(result.line(), flush=True)
    with cross_shop("benchmark checks the laws of the ledger") as uow:
        wrong = broken(uow)
    for law in wrong:
        print(f"BROKEN: {law}", file=sys.stderr)
    return 1 if wrong or any(result.ratio is None for result in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
