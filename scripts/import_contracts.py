"""Writes .importlinter from the architecture: rings, the order of domains, the files inside a domain, who may import what.

    python scripts/import_contracts.py            # prints it
    python scripts/import_contracts.py --write    # writes the file

A new domain goes into ORDER; everything else follows from the files that exist. `lint-imports` checks the result.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / ".importlinter"

# Rings from the outside in; names on one line are independent of each other.
RINGS = ("worker | cli", "factory", "admin_menu | schedule", "domains", "shopify", "web", "core")
# Domains from top to bottom; a domain imports downward only.
ORDER = (
    ("storefront",),
    ("bulk",),
    ("notifications",),
    ("referrals",),
    ("rewards",),
    ("segments",),
    ("liability", "tiers"),
    ("points",),
    ("orders",),
    ("members", "programs"),
    ("lists",),
    ("quick",),
    ("compliance",),
    ("shops",),
)
# Files of a domain from top to bottom. "|" keeps siblings apart, ":" lets them know each other.
FILES = (
    (" | ", ("api", "tabs")),
    (" | ", ("lists",)),
    (" | ", ("handlers", "jobs")),
    (" | ", ("service",)),
    (" | ", ("queries",)),
    (" | ", ("models", "rules")),
    (" : ", ("schemas", "errors", "events")),
)
PRIVATE = ("queries", "rules", "handlers", "jobs", "lists", "api", "tabs")
WITHOUT_FLASK = ("service", "queries", "rules", "models", "jobs")
# Wiring puts the webhook intake of shops in front of the application.
WIRING_IMPORTS = {"shops": ("factory",)}
HTTP_CLIENTS = ("httpx", "requests", "urllib3", "aiohttp")


class Unlisted(ValueError):
    """The tree holds a domain or a file that the architecture does not name."""


def contracts(package: Path) -> str:
    """The whole configuration for the package as it is on disk. Raises Unlisted."""
    root = package.name
    domains = _domains(package)
    blocks = [
        _block("importlinter", [("root_package", root), ("include_external_packages", "True")]),
        _layers("rings", "Rings: wiring, domains, shopify, web, core", root, _present(package, RINGS)),
        _layers("domains", "Domains import downward only", f"{root}.domains", _domain_layers(domains)),
    ]
    for name in sorted(domains):
        blocks += _of_domain(root, name, domains[name])
    blocks += _across(root, package, domains)
    return "# Made by scripts/import_contracts.py; change the rules there.\n\n" + "\n\n".join(blocks) + "\n"


def _domains(package: Path) -> dict[str, list[str]]:
    """Domains on disk with their files."""
    listed = {name for line in ORDER for name in line}
    found: dict[str, list[str]] = {}
    for folder in sorted((package / "domains").iterdir()):
        if not (folder / "__init__.py").exists():
            continue
        if folder.name not in listed:
            raise Unlisted(f"{folder.name} is not in ORDER of scripts/import_contracts.py")
        found[folder.name] = _files(folder)
    return found


def _files(folder: Path) -> list[str]:
    allowed = {name for _, names in FILES for name in names}
    names = sorted(
        entry.stem
        for entry in folder.iterdir()
        if entry.name != "__init__.py" and (entry.suffix == ".py" or (entry / "__init__.py").exists())
    )
    for name in names:
        if name not in allowed:
            raise Unlisted(f"{folder.name}/{name} is not a file of a domain")
    return names


def _present(package: Path, layers: Sequence[str]) -> list[str]:
    """Layers without the modules that do not exist (yet)."""
    kept = []
    for layer in layers:
        names = [name for name in layer.split(" | ") if _exists(package / name)]
        if names:
            kept.append(" | ".join(names))
    return kept


def _exists(place: Path) -> bool:
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def _domain_layers(domains: Iterable[str]) -> list[str]:
    present = set(domains)
    lines = [" | ".join(name for name in line if name in present) for line in ORDER]
    return [line for line in lines if line]


def _of_domain(root: str, name: str, files: list[str]) -> list[str]:
    place = f"{root}.domains.{name}"
    layers = []
    for separator, names in FILES:
        present = [one for one in names if one in files]
        if present:
            layers.append(separator.join(present))
    blocks = [_layers(f"inside-{name}", f"Files inside {name}", place, layers)] if layers else []
    private = [f"{place}.{one}" for one in PRIVATE if one in files]
    if private:
        importers = [place, *(f"{root}.{one}" for one in WIRING_IMPORTS.get(name, ()))]
        blocks.append(
            _block(
                f"importlinter:contract:private-{name}",
                [
                    ("name", f"Others import only service, schemas, errors, events and models of {name}"),
                    ("type", "protected"),
                    ("protected_modules", private),
                    ("allowed_importers", importers),
                ],
            )
        )
    return blocks


def _across(root: str, package: Path, domains: dict[str, list[str]]) -> list[str]:
    faceless = [
        f"{root}.domains.{name}.{file}"
        for name, files in sorted(domains.items())
        for file in WITHOUT_FLASK
        if file in files
    ]
    rules = [f"{root}.domains.{name}.rules" for name, files in sorted(domains.items()) if "rules" in files]
    outer = [
        f"{root}.{name}"
        for name in ("domains", "shopify", "web", "factory", "worker", "cli")
        if _exists(package / name)
    ]
    blocks = [
        _forbidden(
            "faceless",
            "Services, queries, rules, models and jobs know no web",
            faceless,
            ["flask", f"{root}.web"],
        ),
        _forbidden(
            "kernel",
            "The kernel and the platform adapter know no Flask",
            _kernel(root, package),
            ["flask", "flask_babel"],
        ),
        _forbidden(
            "pure",
            "Rules know neither the database nor the clock",
            rules,
            ["sqlalchemy", "psycopg", f"{root}.core.clock", f"{root}.core.db"],
        ),
        _forbidden(
            "one-way-out", "HTTP goes out through the kernel only", outer, list(HTTP_CLIENTS), indirect=True
        ),
        _forbidden("one-mailbox", "Mail goes out through the kernel only", outer, ["smtplib"], indirect=True),
    ]
    return [block for block in blocks if block]


def _kernel(root: str, package: Path) -> list[str]:
    return [f"{root}.{name}" for name in ("core", "shopify") if _exists(package / name)]


def _layers(key: str, name: str, container: str, layers: Sequence[str]) -> str:
    return _block(
        f"importlinter:contract:{key}",
        [
            ("name", name),
            ("type", "layers"),
            ("containers", [container]),
            ("layers", list(layers)),
            ("exhaustive", "True"),
        ],
    )


def _forbidden(key: str, name: str, sources: list[str], targets: list[str], *, indirect: bool = False) -> str:
    if not sources:
        return ""
    fields: list[tuple[str, str | list[str]]] = [
        ("name", name),
        ("type", "forbidden"),
        ("source_modules", sources),
        ("forbidden_modules", targets),
    ]
    if indirect:
        fields.append(("allow_indirect_imports", "True"))
    return _block(f"importlinter:contract:{key}", fields)


def _block(section: str, fields: Sequence[tuple[str, str | list[str]]]) -> str:
    lines = [f"[{section}]"]
    for name, value in fields:
        if isinstance(value, list):
            lines += [f"{name} =", *(f"    {one}" for one in value)]
        else:
            lines.append(f"{name} = {value}")
    return "\n".join(lines)


def main() -> None:
    """Print or write the configuration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    text = contracts(ROOT / "app")
    if parser.parse_args().write:
        TARGET.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
