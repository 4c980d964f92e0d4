"""The verbs of `./dev.sh`."""

import argparse
import os
import sys
from collections.abc import Sequence

from dev import background
from dev.failure import Refused

_MODULES = (background,)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; a failure a person can act on is one line on stderr."""
    parser = argparse.ArgumentParser(prog="./dev.sh", description="Run and check LoyalNest on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in _MODULES:
        module.register(verbs)
    options = parser.parse_args(arguments)
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
    sys.exit(main())
