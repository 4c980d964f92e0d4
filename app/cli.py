"""Operator commands: `python -m app.cli <verb>`. Prints what was asked for and nothing else."""

import argparse
import sys
from collections.abc import Sequence

from app.core.errors import LoyalNestError
from app.core.migrations import upgrade


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code is 0 on success, 1 when it was refused."""
    parser = argparse.ArgumentParser(prog="app.cli", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("migrate", help="bring the schema to the newest version").set_defaults(run=_migrate)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (LoyalNestError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _migrate(_: argparse.Namespace) -> None:
    upgrade()


if __name__ == "__main__":
    sys.exit(main())
