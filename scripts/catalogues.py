"""Keep the message catalogues: what the product says in English, and each translation of it.

    python scripts/catalogues.py extract    write translations/messages.pot from the sources
    python scripts/catalogues.py update     extract, then bring the translations up to date: new messages are empty,
                                            stale ones are dropped, and none is guessed from a similar one
    python scripts/catalogues.py check      name every message that is missing, stale or unlike its source

`update` and `check` take the languages that are meant, such as `check ar he`; all of them when none is named.

Headers carry no dates, hosts or people and references no line numbers, so a file changes only when a message does.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "translations"
TEMPLATE = FOLDER / "messages.pot"
LANGUAGES = ("es", "fr", "ar", "he")
# Unicode gives Hebrew a form for two; Babel's own table still has two forms. For Arabic that table numbers the last
# two forms the other way round than gettext's manual and every editor of catalogues.
_PLURALS = {
    "ar": (
        6,
        "(n == 0 ? 0 : n == 1 ? 1 : n == 2 ? 2 : n % 100 >= 3 && n % 100 <= 10 ? 3 : n % 100 >= 11 ? 4 : 5)",
    ),
    "he": (3, "(n == 1 ? 0 : n == 2 ? 1 : 2)"),
}
# By how many forms a language has: how many of them, from the first on, stand for one number each. "Two days" is one
# word in Arabic and Hebrew, so there the number itself may be left out.
_EXACT = {6: 3, 3: 2}
_PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}|%%")


def path_of(language: str) -> Path:
    """Where the catalogue of a language lies."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def plural_of(language: str) -> tuple[int, str]:
    """How many plural forms a language has, and the expression that chooses one."""
    if language in _PLURALS:
        return _PLURALS[language]
    found = get_plural(language)
    return found.num_plurals, found.plural_expr


def read(path: Path, language: str | None = None) -> Catalog:
    """A catalogue from its file. Raises ValueError when it is broken."""
    with path.open("rb") as handle:
        return read_po(handle, locale=language, abort_invalid=True)


def write(path: Path, catalog: Catalog, language: str | None = None) -> None:
    """A catalogue into its file, under the stable header."""
    header = {"Project-Id-Version": "LoyalNest"}
    if language:
        header["Language"] = language
    header |= {"MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8"}
    header["Content-Transfer-Encoding"] = "8bit"
    if language:
        count, expression = plural_of(language)
        header["Plural-Forms"] = f"nplurals={count}; plural={expression};"
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in header.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        handle.write(f'msgid ""\nmsgstr ""\n{lines}\n'.encode())
        write_po(handle, catalog, width=100, omit_header=True, ignore_obsolete=True, include_lineno=False)


def extracted() -> Catalog:
    """What the sources say now."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "messages.pot")
        options = [
            "-F",
            "babel.cfg",
            "-k",
            "mark",
            "-k",
            "mark_in:1c,2",
            "-k",
            "mark_plural:1,2",
            "-k",
            "ngettext:1,2",
            "--add-location",
            "file",
        ]
        command = [
            sys.executable,
            "-m",
            "babel.messages.frontend",
            "-q",
            "extract",
            *options,
            "-o",
            str(target),
        ]
        subprocess.run([*command, "."], cwd=ROOT, check=True)
        return read(target)


def sources(catalog: Catalog) -> Iterator[Message]:
    """The messages without the header."""
    return (message for message in catalog if message.id)


def extract() -> Catalog:
    """Write the template from the sources and return it."""
    template = extracted()
    write(TEMPLATE, template)
    return template


def update(languages: Sequence[str]) -> None:
    """Write the template and let the translations have exactly its messages."""
    template = extract()
    for language in languages:
        path = path_of(language)
        catalog = read(path, language) if path.exists() else Catalog(locale=language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        for message in sources(catalog):
            _shape(message, plural_of(language)[0])
        write(path, catalog, language)


def _shape(message: Message, plurals: int) -> None:
    """A message that became countable, or ceased to be, loses its translation."""
    if message.pluralizable:
        forms = message.string if isinstance(message.string, tuple | list) else ()
        message.string = tuple(forms) if len(forms) == plurals else ("",) * plurals
    elif not isinstance(message.string, str):
        message.string = ""


def problems(language: str, template: Catalog) -> list[str]:
    """What is missing, stale or unlike the source in a language, one sentence each."""
    path = path_of(language)
    if not path.exists():
        return [f"{language}: there is no catalogue"]
    catalog = read(path, language)
    count, expression = plural_of(language)
    found = (
        [] if catalog.num_plurals == count else [f"{language}: the header says {catalog.num_plurals} forms"]
    )
    if re.sub(r"[\s()]", "", catalog.plural_expr) != re.sub(r"[\s()]", "", expression):
        found.append(f"{language}: the header chooses plural forms by {catalog.plural_expr}")
    wanted = {_key(message) for message in sources(template)}
    found += [f"{language}: stale: {key[1]}" for key in _keys(catalog) - wanted]
    for source in sources(template):
        translation = catalog.get(_singular(source), context=source.context)
        fault = "missing" if translation is None else fault_of(translation, source, count)
        found += [f"{language}: {fault}: {_singular(source)}"] if fault else []
    return sorted(found)


def fault_of(translation: Message, source: Message, plurals: int) -> str:
    """What is wrong with one translation; empty when nothing is."""
    forms = _texts(translation.string)
    if translation.fuzzy or not all(forms):
        return "not translated"
    if len(forms) != (plurals if source.pluralizable else 1):
        return f"{len(forms)} forms"
    texts = _texts(source.id)
    names = {frozenset(placeholders(text)) for text in texts}
    exact = _EXACT.get(plurals, 0) if source.pluralizable else 0
    if not all(_fits(placeholders(form), names, at < exact) for at, form in enumerate(forms)):
        return "other placeholders"
    if _in_template(source) and any("%" in _PLACEHOLDER.sub("", form) for form in forms):
        return "a lone percent sign, which templates write %%"
    edges = {(text[:1].isspace(), text[-1:].isspace()) for text in texts}
    return "" if all((form[:1].isspace(), form[-1:].isspace()) in edges for form in forms) else "other edges"


def _fits(found: set[str], names: set[frozenset[str]], exact: bool) -> bool:
    """Whether a form has the placeholders of its source; one for an exact number may lack one of them."""
    return frozenset(found) in names or (
        exact and any(found < name and len(name - found) == 1 for name in names)
    )


def _in_template(source: Message) -> bool:
    """Whether a template says it, and so fills every % in it."""
    return any(not place.endswith(".py") for place, _ in source.locations)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple | list) else (str(value or ""),)


def placeholders(text: str) -> set[str]:
    """Where values are inserted: %(name)s and {name}."""
    return set(_PLACEHOLDER.findall(text))


def _keys(catalog: Catalog) -> set[tuple[str | None, str]]:
    return {_key(message) for message in sources(catalog)} | {(None, str(key)) for key in catalog.obsolete}


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, _singular(message)


def _singular(message: Message) -> str:
    return _texts(message.id)[0]


def check(languages: Sequence[str]) -> int:
    """Print what is wrong and return how much that is."""
    template = extracted()
    written = _keys(read(TEMPLATE)) if TEMPLATE.exists() else set()
    found = [] if written == _keys(template) else ["the template is not what the sources say: run update"]
    for language in languages:
        found += problems(language, template)
    print("\n".join(found) or f"{len(template)} messages are complete in {', '.join(languages)}")
    return len(found)


def main() -> None:
    """Run the verb; `check` ends with 1 when something is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("extract", "update", "check"))
    parser.add_argument("languages", nargs="*", choices=(*LANGUAGES, []), metavar="language")
    chosen = parser.parse_args()
    languages = chosen.languages or LANGUAGES
    if chosen.verb == "check":
        sys.exit(min(check(languages), 1))
    if chosen.verb == "update":
        update(languages)
    else:
        extract()


if __name__ == "__main__":
    main()
