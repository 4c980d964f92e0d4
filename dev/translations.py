"""Compiles the message catalogs; the compiled files are not committed."""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from dev.data import REPOSITORY
from dev.failure import Refused


def compile_catalogs(folder: Path = REPOSITORY / "translations") -> int:
    """Compile every catalog that is newer than its compiled file and return how many were. Raises Refused."""
    done = 0
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        try:
            with open(source, "rb") as handle:
                catalog = read_po(handle, locale=source.parents[1].name, abort_invalid=True)
        except ValueError as error:
            raise Refused(f"The catalog {source} cannot be read: {error}") from error
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        with open(draft, "wb") as handle:
            write_mo(handle, catalog)
        draft.replace(target)
        done += 1
    return done
