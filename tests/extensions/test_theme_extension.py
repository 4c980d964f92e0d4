"""The theme app extension against Shopify's limits and ours; what theme-check and app doctor would say, offline."""

import gzip
import itertools
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "extensions" / "loyalnest-theme"
FOLDERS = {
    "assets": {".js", ".css", ".json", ".svg", ".png", ".jpg", ".jpeg", ".wasm"},
    "blocks": {".liquid"},
    "snippets": {".liquid"},
    "locales": {".json"},
}
LOCALES = ("en.default", "es", "fr", "ar", "he")
LIQUID = sorted([*ROOT.glob("blocks/*.liquid"), *ROOT.glob("snippets/*.liquid")])
SCRIPTS = sorted(ROOT.glob("assets/*.js"))
STYLES = sorted(ROOT.glob("assets/*.css"))
BLOCKS = sorted(ROOT.glob("blocks/*.liquid"))
SCHEMA = re.compile(r"{%\s*schema\s*%}(.*){%\s*endschema\s*%}", re.DOTALL)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def markup(path: Path) -> str:
    """A Liquid file without its schema and documentation."""
    return re.sub(r"{%-?\s*doc.*?enddoc\s*-?%}", "", SCHEMA.sub("", read(path)), flags=re.DOTALL)


def schema(path: Path) -> dict[str, Any]:
    found = SCHEMA.search(read(path))
    assert found, f"{path.name} has no schema"
    parsed: dict[str, Any] = json.loads(found[1])
    return parsed


def texts(locale: str, suffix: str = "") -> dict[str, str]:
    """A catalogue as dotted keys."""
    found: dict[str, str] = {}

    def walk(value: Any, key: str) -> None:
        if isinstance(value, dict):
            for name, child in value.items():
                walk(child, f"{key}.{name}" if key else name)
        else:
            found[key] = value

    walk(json.loads(read(ROOT / "locales" / f"{locale}{suffix}.json")), "")
    return found


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{{\s*\w+\s*}}|{\w+}", text))


named = pytest.mark.parametrize("path", LIQUID, ids=lambda path: path.name)


def test_only_what_shopify_accepts_is_in_the_folders() -> None:
    for path in (path for path in ROOT.rglob("*") if path.is_file() and path.parent != ROOT):
        folder = path.relative_to(ROOT).parts[0]
        assert len(path.relative_to(ROOT).parts) == 2 and path.suffix in FOLDERS[folder], path
    assert tomllib.loads(read(ROOT / "shopify.extension.toml"))["type"] == "theme"
    assert sum(path.stat().st_size for path in LIQUID) < 500_000
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small(path: Path) -> None:
    assert path.stat().st_size < 10_000


def test_the_closed_state_is_tiny() -> None:
    embed = schema(ROOT / "blocks" / "loyalnest-embed.liquid")
    files = [ROOT / "assets" / embed[kind] for kind in ("javascript", "stylesheet")]
    assert len(gzip.compress(files[0].read_bytes())) <= 4_000
    everything = [*files, *BLOCKS, *ROOT.glob("snippets/*.liquid")]
    assert sum(len(gzip.compress(path.read_bytes())) for path in everything) <= 12_000
    assert "fetch(" not in read(files[0]), "nothing is asked for before somebody opens the panel"
    assert all(path.stat().st_size < 100_000 for path in STYLES)


@named
def test_liquid_uses_no_forbidden_tag_and_escapes_what_it_prints(path: Path) -> None:
    text = markup(path)
    assert not re.search(r"{%-?\s*(javascript|stylesheet|include|layout|section|sections)\b", text)
    for shown in re.findall(r"{{-?(.*?)-?}}", text, flags=re.DOTALL):
        last = shown.split("|")[-1].strip()
        safe = last in {"escape", "json", "t"} or last.startswith("t:")
        plain = shown.strip() in {"readable", "block.shopify_attributes"}
        assert safe or plain, f"{path.name}: {shown.strip()} is printed as it is"


@named
def test_liquid_brings_no_script_no_handler_and_no_stranger(path: Path) -> None:
    text = markup(path)
    assert not re.search(r"\son\w+\s*=", text), "inline handler"
    for attributes in re.findall(r"<script([^>]*)>", text):
        assert 'type="application/json"' in attributes
    assert not re.search(r"(https?:)?//[\w.-]+\.\w+", text), "another origin"


@named
def test_every_json_value_in_a_script_is_made_by_the_json_filter(path: Path) -> None:
    for body in re.findall(r"<script[^>]*>(.*?)</script>", markup(path), flags=re.DOTALL):
        for shown in re.findall(r"{{(.*?)}}", body):
            assert shown.split("|")[-1].strip() == "json"
        json.loads(re.sub(r"{{.*?}}", '"x"', body))


@pytest.mark.parametrize("path", sorted(ROOT.glob("snippets/*.liquid")), ids=lambda path: path.name)
def test_snippets_say_what_they_accept_and_show_an_example(path: Path) -> None:
    text = read(path)
    assert text.startswith("{% doc %}") and "@example" in text
    told = set(re.findall(r"@param\s+{\w+}\s+\[?(\w+)", text))
    given = re.findall(r"{%-?\s*render '" + path.stem + r"'(.*?)-?%}", text, flags=re.DOTALL)
    assert given and set(re.findall(r"(\w+):", given[0])) == told
    for caller in LIQUID:
        for call in re.findall(r"{%-?\s*render '" + path.stem + r"'(.*?)-?%}", read(caller), flags=re.DOTALL):
            assert set(re.findall(r"(\w+):", call)) <= told, caller.name


def test_every_rendered_snippet_and_file_exists() -> None:
    for path in LIQUID:
        for name in re.findall(r"render '([\w-]+)'", markup(path)):
            assert (ROOT / "snippets" / f"{name}.liquid").exists()
        for name in re.findall(r"'([\w.-]+)' \| asset_url", markup(path)):
            assert (ROOT / "assets" / name).exists()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_keep_to_text_and_their_own_origin(path: Path) -> None:
    text = read(path)
    for forbidden in (
        "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "localStorage",
        "sessionStorage", "document.cookie", "http://", "https://", "apps/",
    ):  # fmt: skip
        assert forbidden not in text, forbidden
    for element in re.findall(r'customElements\.define\(\s*"([\w-]+)"', text):
        assert f'customElements.get("{element}")) return' in text, (
            "a second insertion must not define it again"
        )


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_use_logical_properties(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", read(path), flags=re.DOTALL)
    sides = "(?:left|right|top|bottom)"
    physical = rf"(?:^|[;{{\s])(?:(?:margin|padding|border)-{sides}|{sides}|width|height|float)\s*:"
    assert not re.findall(physical, text, flags=re.MULTILINE)
    assert "url(" not in text and "@import" not in text
    if "animation" in text:
        assert "prefers-reduced-motion" in text


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.name)
def test_schemas_are_valid(path: Path) -> None:
    found = schema(path)
    assert found["target"] in {"section", "body", "head", "compliance_head"}
    assert len(found["name"]) <= 25 or found["name"].startswith("t:")
    assert len(found["settings"]) <= 25
    ids = [setting["id"] for setting in found["settings"]]
    assert len(set(ids)) == len(ids)
    used = set(re.findall(r"block\.settings\.(\w+)", read(path)))
    assert used == set(ids)
    for setting in found["settings"]:
        if setting["type"] == "range":
            assert (setting["max"] - setting["min"]) / setting["step"] <= 100
            assert (setting["default"] - setting["min"]) % setting["step"] == 0
        if setting["type"] == "select":
            assert setting["default"] in [option["value"] for option in setting["options"]]
    for kind in ("javascript", "stylesheet"):
        assert (ROOT / "assets" / found[kind]).exists()


@pytest.mark.parametrize("suffix", ["", ".schema"])
def test_catalogues_have_the_same_keys_and_placeholders(suffix: str) -> None:
    source = texts("en.default", suffix)
    for locale in LOCALES[1:]:
        translated = texts(locale, suffix)
        assert translated.keys() == source.keys(), locale
        for key, text in source.items():
            assert translated[key].strip(), f"{locale} {key}"
            assert placeholders(translated[key]) == placeholders(text), f"{locale} {key}"


def test_the_sentences_are_translated() -> None:
    source = texts("en.default")
    for locale in LOCALES[1:]:
        same = {key for key, text in texts(locale).items() if text == source[key]}
        assert same <= {"meta.direction"}, (locale, same)
    assert {locale: texts(locale)["meta.direction"] for locale in LOCALES} == {
        "en.default": "ltr", "es": "ltr", "fr": "ltr", "ar": "rtl", "he": "rtl",
    }  # fmt: skip


def test_every_key_is_used_and_every_used_key_exists() -> None:
    known = set(texts("en.default"))
    used = set(
        itertools.chain.from_iterable(re.findall(r"'([\w.]+)' \| t\b", markup(path)) for path in LIQUID)
    )
    assert used == known
    editor = set(texts("en.default", ".schema"))
    asked = set(itertools.chain.from_iterable(re.findall(r'"t:([\w.]+)"', read(path)) for path in BLOCKS))
    assert asked == editor


def test_the_panels_parts_are_the_ones_the_script_asks_for() -> None:
    panel, script = (
        read(ROOT / "snippets" / "loyalnest-panel.liquid"),
        read(ROOT / "assets" / "loyalnest-panel.js"),
    )
    for attribute in set(re.findall(r'"\[(data-[\w-]+)(?:=[\w-]+)?\]', script)):
        assert attribute in panel or attribute == "data-loyalnest-config", attribute
    for action in re.findall(r'data-action="(\w+)"', panel):
        assert re.search(rf"\b{action}: \(\) =>", script), action
    config = read(ROOT / "snippets" / "loyalnest-config.liquid")
    for name in set(re.findall(r"texts\.(\w+)", script)):
        assert f'"{name}"' in config, name
