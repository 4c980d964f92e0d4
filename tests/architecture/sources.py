"""Rules over the text of the sources. Each takes a module's dotted name and text and returns what breaks it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 600, 70
NAMELESS = {"util", "utils", "helper", "helpers", "common", "misc", "base"}
MAY_WORK_ACROSS_SHOPS = re.compile(
    r"app\.core\.(db|inbox|outbox)|app\.web\.(dispatch|health)|app\.domains\.(shops|platform|monitoring)(\..*)?"
    r"|app\.(schedule|worker|cli|factory)"
)
_TRANSACTION_WORD = re.compile(r"\b(COMMIT|ROLLBACK)\b")

Rule = Callable[[str, str], list[str]]


def modules(folder: str = "app") -> Iterator[tuple[str, str]]:
    """Dotted name and text of every module below a folder of the repository."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file.read_text(encoding="utf-8")


def breaches(rule: Rule) -> list[str]:
    """What breaks a rule anywhere in the application."""
    return [f"{name}: {found}" for name, text in modules() for found in rule(name, text)]


def _names_imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (("", alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def _documentation(tree: ast.AST) -> set[int]:
    """Ids of the constants that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            found.add(id(body[0].value))
    return found


def commits_in_one_place(name: str, text: str) -> list[str]:
    """Only app.core.db ends a transaction."""
    if name == "app.core.db":
        return []
    tree = ast.parse(text)
    documentation = _documentation(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback"):
            found.append(f"line {node.lineno} calls {node.attr}")
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
            and _TRANSACTION_WORD.search(node.value)
        ):
            found.append(f"line {node.lineno} says {_TRANSACTION_WORD.findall(node.value)[0]} in SQL")
    return found


def shops_are_crossed_where_allowed(name: str, text: str) -> list[str]:
    """Work across shops is done in the listed modules only."""
    if MAY_WORK_ACROSS_SHOPS.fullmatch(name):
        return []
    tree = ast.parse(text)
    found = [
        f"imports {what} from {module}" for module, what in _names_imported(tree) if what == "cross_shop"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "cross_shop" and isinstance(node.value, ast.Name):
            if node.value.id == "db":
                found.append(f"line {node.lineno} uses db.cross_shop")
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and "app.cross_shop" in node.value
        ):
            found.append(f"line {node.lineno} sets the policy's mark")
    return found


def environment_is_read_by_settings(name: str, text: str) -> list[str]:
    """Nobody but the settings reads the environment."""
    if name == "app.core.settings":
        return []
    tree = ast.parse(text)
    found = [
        f"imports {what} from os"
        for module, what in _names_imported(tree)
        if module == "os" and "env" in what
    ]
    found += [
        f"line {node.lineno} uses os.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ("environ", "environb", "getenv", "putenv", "getenvb")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    return found


def files_are_short(name: str, text: str) -> list[str]:
    """Files end before they are scrolled through, functions before they are lost in."""
    length = text.count("\n")
    found = [f"{length} lines, at most {LONGEST_FILE}"] if length > LONGEST_FILE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                found.append(f"{node.name} has {lines} lines, at most {LONGEST_FUNCTION}")
    return found


def modules_have_names(name: str, _: str) -> list[str]:
    """No module is called after nothing."""
    return sorted(NAMELESS & set(name.split(".")))


def packages_say_what_they_own(name: str, text: str) -> list[str]:
    """Every module begins with a docstring."""
    return [] if not text.strip() or ast.get_docstring(ast.parse(text)) else [f"{name} has no docstring"]


def jobs_are_named_after_their_domain(name: str, text: str) -> list[str]:
    """`<domain>.<verb>`, registered in that domain."""
    parts = name.split(".")
    if parts[:2] != ["app", "domains"] or len(parts) < 3:
        return []
    found = []
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "job"
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant) and not str(first.value).startswith(f"{parts[2]}."):
                found.append(f"job {first.value}")
    return found


RULES: tuple[Rule, ...] = (
    commits_in_one_place,
    shops_are_crossed_where_allowed,
    environment_is_read_by_settings,
    files_are_short,
    modules_have_names,
    packages_say_what_they_own,
    jobs_are_named_after_their_domain,
)
