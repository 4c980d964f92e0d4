"""Runs drills by name (all without names) on the services of the environment; `./dev.sh drill` makes them.

A line each; the exit code is 1 when a law was broken, and 2 when a name is unknown.
"""

import argparse
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.factory import load_domains
from drills import (
    any_order,
    bell_lost,
    clocks,
    database_killed,
    drain_killed,
    duplicates,
    expiry_killed,
    full_balance,
    new_shop,
    queue_killed,
    reply_lost,
    together,
    worker_killed,
)
from drills.outcome import Drill, Scale

DRILLS: dict[str, Drill] = {
    "F1": duplicates.run,
    "F2": full_balance.run,
    "F3": database_killed.run,
    "F4": queue_killed.run,
    "F5": worker_killed.run,
    "F6": drain_killed.run,
    "F7": bell_lost.run,
    "F8": together.run,
    "F9": new_shop.run,
    "F12": any_order.run,
    "F15": reply_lost.run,
    "F16": clocks.run,
    "F16b": expiry_killed.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="drills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(DRILLS))
    parser.add_argument("--short", action="store_true", help="the form that the tests run")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="repeat a run's choices"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in DRILLS]
    if unknown:
        print(f"unknown drill: {', '.join(unknown)}; there are {', '.join(DRILLS)}", file=sys.stderr)
        return 2
    load_domains()
    scale, wrong = Scale(options.short, options.seed), 0
    print(f"seed {options.seed}", flush=True)
    with _errors_only():
        for name in options.names or DRILLS:
            outcome = DRILLS[name](scale)
            print(outcome.line(name), flush=True)
            wrong += bool(outcome.broken)
    return 1 if wrong else 0


@contextmanager
def _errors_only() -> Iterator[None]:
    """What is refused and tried again is what a drill is made of; its laws say whether that was right."""
    log = logging.getLogger("app")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


if __name__ == "__main__":
    sys.exit(main())
