"""The verbs of `./dev.sh`."""

import argparse
import os
import sys
from collections.abc import Sequence

from dotenv import load_dotenv

from dev import applications, background, lint, lock, seed, tests, up
from dev.data import REPOSITORY
from dev.failure import Refused

_MODULES = (up, tests, lint, seed, applications, lock, background)


def main(arguments: Sequence[str]) -> int:
    """Run one verb and return its exit code; a failure a person can act on is one line on stderr."""
    parser = argparse.ArgumentParser(prog="./dev.sh", description="Run and check LoyalNest on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in _MODULES:
        module.register(verbs)
    verbs.add_parser("help", help="this text")
    chosen = verbs.choices.get(arguments[0]) if arguments else None
    if chosen is not None and chosen.get_default("passes_on"):
        options = argparse.Namespace(
            verb=arguments[0], rest=list(arguments[1:]), run=chosen.get_default("run")
        )
    else:
        options = parser.parse_args(arguments or ["help"])
    if options.verb == "help":
        parser.print_help()
        return 0
    if options.verb != "test":
        load_dotenv(REPOSITORY / ".env")
    try:
        return int(options.run(options))
    except Refused as error:
        print(error, file=sys.stderr)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"{error.strerror or error}{where}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
