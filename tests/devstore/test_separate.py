import ast

from devstore.settings import ROOT


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.split(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_the_dev_store_and_the_app_import_nothing_of_each_other():
    for folder, forbidden in (("devstore", "app"), ("app", "devstore")):
        for file in (ROOT / folder).rglob("*.py"):
            assert forbidden not in set(imported(file)), file
