"""Our theme app extension as a storefront serves it: blocks rendered from Liquid, assets, the merchant's settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liquid import Environment, FileSystemLoader
from markupsafe import Markup

from devstore.pages import liquid_filters
from devstore.runtime import DevStore
from devstore.settings import ROOT
from devstore.state import Doc

EXTENSION = ROOT / "extensions" / "loyalnest-theme"
ASSETS = EXTENSION / "assets"
_SCHEMA = re.compile(r"{%-?\s*schema\s*-?%}(.*?){%-?\s*endschema\s*-?%}", re.DOTALL)
EMBED_TARGETS = ("head", "body", "compliance_head")


@dataclass(frozen=True)
class Block:
    """A block file: its handle, what its schema says, and its Liquid."""

    handle: str
    schema: Doc
    source: str

    @property
    def is_embed(self) -> bool:
        """Whether it is an app embed, which the merchant switches on, and not a block to be placed."""
        return self.schema.get("target") in EMBED_TARGETS

    def defaults(self) -> Doc:
        """Settings as the theme editor starts with them."""
        return {each["id"]: each.get("default") for each in self.schema.get("settings", []) if "id" in each}


def blocks() -> dict[str, Block]:
    """The extension's blocks by handle, read anew each time: a saved file shows at the next reload."""
    found = {}
    for path in sorted((EXTENSION / "blocks").glob("*.liquid")):
        source = path.read_text(encoding="utf-8")
        schema = _SCHEMA.search(source)
        text = _SCHEMA.sub("", source)
        found[path.stem] = Block(path.stem, json.loads(schema[1]) if schema else {}, text)
    return found


def settings(store: DevStore, shop: str) -> Doc:
    """What the merchant set in the theme editor: {handle: {"on": bool, "settings": {...}}}. All start switched on."""
    kept = next(iter(store.state.all("theme", shop)), {})
    return {
        handle: {
            "on": kept.get("blocks", {}).get(handle, {}).get("on", True),
            "settings": {**block.defaults(), **kept.get("blocks", {}).get(handle, {}).get("settings", {})},
        }
        for handle, block in blocks().items()
    }


def save(store: DevStore, shop: str, chosen: Doc) -> None:
    """Keep the theme editor's settings."""
    kept = next(iter(store.state.all("theme", shop)), None) or {"id": store.state.next_id()}
    store.state.put("theme", shop, {**kept, "blocks": chosen})


def translations(locale: str) -> Doc:
    """The extension's texts for a storefront locale; English where there are none."""
    path = EXTENSION / "locales" / f"{locale}.json"
    if not path.is_file():
        path = EXTENSION / "locales" / "en.default.json"
    texts: Doc = json.loads(path.read_text(encoding="utf-8"))
    return texts


def schema_text(key: str) -> str:
    """A `t:` text of a block's schema in English; other texts as they are."""
    if not key.startswith("t:"):
        return key
    found: Any = json.loads((EXTENSION / "locales" / "en.default.schema.json").read_text(encoding="utf-8"))
    for part in key[2:].split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, str) else key


def render(block: Block, chosen: Doc, variables: Mapping[str, Any], locale: str, asset_base: str) -> Markup:
    """The block's HTML inside the element that Shopify puts around it."""
    environment = Environment(loader=FileSystemLoader(EXTENSION / "snippets", ext=".liquid"))
    liquid_filters.add(environment, translations(locale), asset_base, locale)
    name = f"shopify-block-{block.handle}"
    attributes = {"type": block.handle, "id": name}
    found = environment.from_string(block.source).render(
        **variables,
        block={
            "id": name,
            "type": block.handle,
            "settings": chosen["settings"],
            "shopify_attributes": f"data-shopify-editor-block='{json.dumps(attributes)}'",
        },
    )
    inside = Markup(found)  # noqa: S704  a storefront shows what the extension's Liquid escaped, as Shopify does
    return Markup('<div id="{}" class="shopify-block shopify-app-block">{}</div>').format(name, inside)


def extension_info(store: DevStore, shop: str) -> list[Doc]:
    """What `shopify.app.extensions()` answers for the theme extension."""
    chosen = settings(store, shop)
    activations = []
    for handle, block in blocks().items():
        active = bool(chosen[handle]["on"])
        activations.append(
            {
                "target": block.schema.get("target", "section"),
                "handle": handle,
                "name": schema_text(block.schema.get("name", handle)),
                "status": "active" if active else "available",
                "activations": [
                    {
                        "target": "template--product/main" if not block.is_embed else "config/settings_data",
                        "themeId": "gid://shopify/OnlineStoreTheme/1",
                    }
                ]
                if active
                else [],
            }
        )
    return [{"handle": EXTENSION.name, "type": "theme_app_extension", "activations": activations}]


def asset(name: str) -> Path | None:
    """An asset's file; None for a name that is not exactly one of them."""
    return next((path for path in ASSETS.iterdir() if path.name == name), None) if ASSETS.is_dir() else None
