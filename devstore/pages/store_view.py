"""What all pages of a storefront share: the stand-in theme around them, and our extension's blocks inside."""

from typing import Any

from flask import render_template, request, url_for
from markupsafe import Markup

from devstore import money, shops
from devstore.current import dev_store
from devstore.pages import cart, liquid_filters, site, theme
from devstore.pages.words import LOCALES, REFUSED, STORE, direction, words
from devstore.state import Doc

# Shopify draws these itself; no theme, and so no block of an app, takes part in them.
_BEYOND_THEMES = frozenset({"checkout", "order"})


def page(template: str, shop: Doc, kind: str, **values: Any) -> str:
    """Render a page of a storefront; `kind` is Shopify's page type. Blocks come from the theme extension."""
    handle, domain = shops.handle_of(shop["domain"]), shop["domain"]
    locale, customer = site.storefront_locale(handle), site.customer(shop)
    root = url_for("storefront.home", handle=handle).rstrip("/")
    lines = cart.lines(dev_store(), domain, handle)
    variables = _liquid_objects(shop, kind, locale, root, customer, lines)
    if kind == "product":
        variables["product"] = _product(values["product"], shop["currency"])
    themed = shop["installed_at"] and kind not in _BEYOND_THEMES
    blocks = _blocks(shop, kind, variables, locale, root) if themed else {}
    return render_template(
        template,
        shop=shop,
        handle=handle,
        root=root,
        locale=locale,
        dir=direction(locale),
        locales=LOCALES,
        words=words(STORE, locale),
        reasons=words(REFUSED, locale),
        customer=customer,
        cart_count=sum(line["quantity"] for line in lines),
        money=lambda minor: liquid_filters.amount(int(minor), shop["currency"], locale),
        here=request.full_path if request.query_string else request.path,
        **{"body_blocks": [], "section_blocks": [], "styles": [], "scripts": [], **blocks},
        **values,
    )


def _liquid_objects(
    shop: Doc, kind: str, locale: str, root: str, customer: Doc | None, lines: list[Doc]
) -> dict[str, Any]:
    known = customer and {key: customer[key] for key in ("id", "email", "first_name", "last_name", "tags")}
    return {
        "shop": {
            "name": shop["name"],
            "currency": shop["currency"],
            "permanent_domain": shop["domain"],
            "locale": shop["locale"],
            "taxes_included": shop["taxes_included"],
        },
        "customer": known,
        "request": {"locale": {"iso_code": locale}, "page_type": kind, "path": request.path},
        "localization": {"language": {"iso_code": locale}},
        "routes": {
            "root_url": root,
            "cart_url": f"{root}/cart",
            "account_url": f"{root}/account",
            "account_login_url": f"{root}/account/login",
            "account_register_url": f"{root}/account/register",
        },
        "cart": {
            "item_count": sum(line["quantity"] for line in lines),
            "total_price": money.to_hundredths(sum(line["total"] for line in lines), shop["currency"]),
            "currency": {"iso_code": shop["currency"]},
            "items": [
                {
                    "variant_id": line["variant"]["id"],
                    "quantity": line["quantity"],
                    "product": _product(line["product"], shop["currency"]),
                    "variant": _variant(line["variant"], shop["currency"]),
                }
                for line in lines
            ],
        },
        "template": {"name": kind},
        "app": {"metafields": {}},
    }


def _product(found: Doc, currency: str) -> Doc:
    """Liquid's product."""
    variants = [_variant(each, currency) for each in found["variants"]]
    return {
        "id": found["id"],
        "title": found["title"],
        "vendor": found["vendor"],
        "type": found["product_type"],
        "tags": found["tags"],
        "gift_card?": found["gift_card"],
        "collections": [{"id": each} for each in found["collections"]],
        "variants": variants,
        "selected_or_first_available_variant": variants[0],
    }


def _variant(found: Doc, currency: str) -> Doc:
    """Liquid's variant; amounts in hundredths."""
    before = found.get("compare_at")
    return {
        "id": found["id"],
        "title": found["title"],
        "price": money.to_hundredths(found["price"], currency),
        "compare_at_price": money.to_hundredths(before, currency) if before else None,
    }


def _blocks(shop: Doc, kind: str, variables: dict[str, Any], locale: str, root: str) -> dict[str, list[Any]]:
    """The blocks that are switched on and belong on this kind of page, with the files they need."""
    base = f"{root}/cdn/extension"
    found: dict[str, list[Any]] = {"body_blocks": [], "section_blocks": [], "styles": [], "scripts": []}
    chosen = theme.settings(dev_store(), shop["domain"])
    for handle, block in theme.blocks().items():
        allowed = block.schema.get("enabled_on", {}).get("templates", [kind, "*"])
        if not chosen[handle]["on"] or (kind not in allowed and "*" not in allowed):
            continue
        rendered: Markup = theme.render(block, chosen[handle], variables, locale, base)
        found["body_blocks" if block.is_embed else "section_blocks"].append(rendered)
        for key, name in (("styles", "stylesheet"), ("scripts", "javascript")):
            wanted = block.schema.get(name)
            if wanted and f"{base}/{wanted}" not in found[key]:
                found[key].append(f"{base}/{wanted}")
    return found
