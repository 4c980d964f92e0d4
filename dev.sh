#!/usr/bin/env bash
# Runs and checks LoyalNest on this machine: ./dev.sh up, ./dev.sh test, ./dev.sh help.
# Finds a Python, and leaves the rest to it: dev/bootstrap.py makes the virtual environment, dev/ has the verbs.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    exec "$candidate" "$here/dev/bootstrap.py" "$@"
  fi
done
echo "Python 3.11 or newer is needed; on Debian: apt-get install python3 python3-venv" >&2
exit 1
