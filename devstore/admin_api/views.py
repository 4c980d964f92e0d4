"""Shops, customers, products, metafields, gift cards and store credit as GraphQL shows them.

Every view is a dictionary by field name; a function as a value is a field with arguments or one that costs a look-up.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from devstore import customers, money, shops, totals
from devstore.admin_api.call import Call, Node
from devstore.admin_api.paging import connection
from devstore.gids import gid
from devstore.state import Doc


def amount(minor: int, currency: str) -> Node:
    """A MoneyV2."""
    return {"amount": money.to_graphql(minor, currency), "currencyCode": currency}


def shop(call: Call) -> Node:
    """The Shop."""
    found = call.shop
    domain, plan = call.domain, found["plan"]
    return {
        "__typename": "Shop",
        "id": gid("Shop", found["id"]),
        "name": found["name"],
        "email": found["email"],
        "contactEmail": found["email"],
        "myshopifyDomain": domain,
        "url": f"https://{domain}",
        "primaryDomain": {
            "id": gid("Domain", found["id"]),
            "host": domain,
            "url": f"https://{domain}",
            "sslEnabled": True,
        },
        "currencyCode": found["currency"],
        "currencyFormats": _formats(found["currency"]),
        "enabledPresentmentCurrencies": [found["currency"]],
        "ianaTimezone": found["timezone"],
        "taxesIncluded": found["taxes_included"],
        "taxShipping": False,
        "plan": {
            "publicDisplayName": plan,
            "displayName": plan,
            "shopifyPlus": plan == "Plus",
            "partnerDevelopment": True,
        },
        "customerAccountsV2": {
            "customerAccountsVersion": "NEW_CUSTOMER_ACCOUNTS",
            "loginRequiredAtCheckout": False,
            "loginLinksVisibleOnStorefrontAndCheckout": True,
            "url": f"https://shopify.com/{found['id']}/account",
        },
        "shopAddress": {"countryCodeV2": found["country"], "country": found["country"]},
        "billingAddress": {"countryCodeV2": found["country"], "country": found["country"]},
        "createdAt": found["created_at"],
        **metafields(call, gid("Shop", found["id"])),
    }


def locales(call: Call) -> list[Node]:
    """The shop's languages."""
    return [{"locale": call.shop["locale"], "name": call.shop["locale"], "primary": True, "published": True}]


def installation(call: Call) -> Node:
    """The app's installation in the shop."""
    id = gid("AppInstallation", call.shop["installation_id"])
    handle = shops.handle_of(call.domain)
    return {
        "__typename": "AppInstallation",
        "id": id,
        "launchUrl": f"https://admin.shopify.com/store/{handle}/apps/{call.store.app.handle}",
        "uninstallUrl": None,
        "accessScopes": [{"handle": scope, "description": scope} for scope in call.access.scopes],
        "activeSubscriptions": call.shop.get("subscriptions", []),
        **metafields(call, id),
    }


def customer(call: Call, found: Doc) -> Node:
    """A Customer."""
    store, domain = call.store, call.domain
    id = gid("Customer", found["id"])

    def paid_orders() -> list[Doc]:
        return [order for order in customers.orders_of(store, domain, found["id"]) if not order["test"]]

    def spent(*_: Any) -> Node:
        sums = [totals.of(order) for order in paid_orders()]
        return amount(sum(each.paid - each.refunded for each in sums), call.currency)

    name = " ".join(filter(None, [found["first_name"], found["last_name"]]))
    return {
        "__typename": "Customer",
        "id": id,
        "legacyResourceId": str(found["id"]),
        "firstName": found["first_name"],
        "lastName": found["last_name"],
        "displayName": name or found["email"] or "",
        "email": found["email"],
        "phone": found["phone"],
        "locale": found["locale"],
        "note": found["note"],
        "tags": found["tags"],
        "state": found["state"].upper(),
        "verifiedEmail": bool(found["email"]),
        "createdAt": found["created_at"],
        "updatedAt": found["updated_at"],
        "numberOfOrders": lambda *_: str(len(paid_orders())),
        "amountSpent": spent,
        "lastOrder": lambda *_: _last_order(call, paid_orders()),
        "defaultEmailAddress": _email(found),
        "defaultPhoneNumber": _phone(found),
        "storeCreditAccounts": lambda _info, **page: connection(
            store.state.where("store_credit", domain, "owner", id),
            lambda each: credit_account(call, each),
            **page,
        ),
        "mergeable": {"isMergeable": True, "reason": None, "errorFields": []},
        "statistics": {"predictedSpendTier": None, "rfmGroup": None},
        **metafields(call, id, _standard_metafields(found)),
    }


def product(call: Call, found: Doc) -> Node:
    """A Product."""
    own = gid("Product", found["id"])

    def in_collection(_info: Any, id: str) -> bool:
        return id in {gid("Collection", each) for each in found["collections"]}

    return {
        "__typename": "Product",
        "id": own,
        "legacyResourceId": str(found["id"]),
        "title": found["title"],
        "handle": found["handle"],
        "status": found["status"],
        "vendor": found["vendor"],
        "productType": found["product_type"],
        "tags": found["tags"],
        "isGiftCard": found["gift_card"],
        "description": found["description"],
        "featuredMedia": None,
        "createdAt": found["created_at"],
        "updatedAt": found["created_at"],
        "totalInventory": 100,
        "inCollection": in_collection,
        "collections": lambda _info, **page: connection(
            [
                each
                for each in call.store.state.all("collection", call.domain)
                if each["id"] in found["collections"]
            ],
            collection,
            **page,
        ),
        "variants": lambda _info, **page: connection(
            found["variants"], lambda each: variant(call, found, each), **page
        ),
        **metafields(call, own),
    }


def collection(found: Doc) -> Node:
    """A Collection."""
    id = gid("Collection", found["id"])
    return {"__typename": "Collection", "id": id, "title": found["title"], "handle": found["handle"]}


def variant(call: Call, of: Doc, found: Doc) -> Node:
    """A ProductVariant."""
    plain = found["title"] == "Default Title"
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", found["id"]),
        "legacyResourceId": str(found["id"]),
        "title": found["title"],
        "displayName": of["title"] if plain else f"{of['title']} - {found['title']}",
        "sku": found["sku"],
        "price": money.to_text(found["price"], call.currency),
        "compareAtPrice": money.to_text(before, call.currency)
        if (before := found.get("compare_at"))
        else None,
        "availableForSale": of["status"] == "ACTIVE",
        "inventoryQuantity": 100,
        "product": lambda *_: product(call, of),
    }


def metafield(found: Doc) -> Node:
    """A Metafield."""
    id = gid("Metafield", found["id"])
    return {
        "__typename": "Metafield",
        "id": id,
        "legacyResourceId": str(found["id"]),
        "namespace": found["namespace"],
        "key": found["key"],
        "type": found["type"],
        "value": found["value"],
        "jsonValue": _json_value(found),
        "compareDigest": digest(found["value"]),
        "sizeInBytes": len(found["value"].encode()),
        "createdAt": found["created_at"],
        "updatedAt": found["updated_at"],
    }


def digest(value: str) -> str:
    """The compareDigest of a metafield's value."""
    return hashlib.sha256(value.encode()).hexdigest()


def metafields(call: Call, owner: str, standard: Callable[[str, str], Doc | None] | None = None) -> Node:
    """The fields `metafield` and `metafields` of an owner."""

    def one(_info: Any, key: str, namespace: str | None = None) -> Node | None:
        space = call.own_namespace if namespace in {None, "$app"} else str(namespace)
        found = call.store.state.by_key("metafield", call.domain, f"{owner}|{space}|{key}")
        found = found or (standard(space, key) if standard else None)
        return metafield(found) if found else None

    def many(_info: Any, namespace: str | None = None, keys: Any = None, **page: Any) -> Node:
        space = call.own_namespace if namespace == "$app" else namespace
        found = call.store.state.where("metafield", call.domain, "owner", owner)
        return connection([each for each in found if space in {None, each["namespace"]}], metafield, **page)

    return {"metafield": one, "metafields": many}


def gift_card(call: Call, found: Doc) -> Node:
    """A GiftCard; its code is never shown again."""
    return {
        "__typename": "GiftCard",
        "id": gid("GiftCard", found["id"]),
        "maskedCode": f"•••• •••• •••• {found['code'][-4:]}",
        "lastCharacters": found["code"][-4:].lower(),
        "enabled": found["enabled"],
        "isRedeemable": found["enabled"],
        "deactivatedAt": found["deactivated_at"],
        "expiresOn": found["expires_on"],
        "note": found["note"],
        "initialValue": amount(found["initial"], found["currency"]),
        "balance": amount(found["balance"], found["currency"]),
        "createdAt": found["created_at"],
        "updatedAt": found["created_at"],
    }


def credit_account(call: Call, found: Doc) -> Node:
    """A StoreCreditAccount."""
    return {
        "__typename": "StoreCreditAccount",
        "id": gid("StoreCreditAccount", found["id"]),
        "balance": amount(found["balance"], found["currency"]),
        "transactions": lambda _info, **page: connection(
            found["transactions"], lambda each: credit_transaction(call, found, each), **page
        ),
    }


def credit_transaction(call: Call, account: Doc, found: Doc) -> Node:
    """A credit or debit of a StoreCreditAccount."""
    kind = "Credit" if found["amount"] > 0 else "Debit"
    return {
        "__typename": f"StoreCreditAccount{kind}Transaction",
        "id": gid(f"StoreCreditAccount{kind}Transaction", found["id"]),
        "amount": amount(found["amount"], account["currency"]),
        "balanceAfterTransaction": amount(found["after"], account["currency"]),
        "account": lambda *_: credit_account(call, account),
        "expiresAt": found["expires_at"],
        "remainingAmount": amount(max(0, found["amount"]), account["currency"]),
        "createdAt": found["created_at"],
        "event": "ADJUSTMENT",
    }


def _formats(currency: str) -> Node:
    sign = {"USD": "${{amount}}", "EUR": "€{{amount}}", "GBP": "£{{amount}}"}.get(
        currency, f"{{{{amount}}}} {currency}"
    )
    with_code = sign if sign.endswith(currency) else f"{sign} {currency}"
    return {
        "moneyFormat": sign,
        "moneyInEmailsFormat": sign,
        "moneyWithCurrencyFormat": with_code,
        "moneyWithCurrencyInEmailsFormat": with_code,
    }


def _email(found: Doc) -> Node | None:
    if not found["email"]:
        return None
    return {
        "emailAddress": found["email"],
        "marketingState": "SUBSCRIBED" if found["marketing"] else "NOT_SUBSCRIBED",
        "marketingOptInLevel": "SINGLE_OPT_IN" if found["marketing"] else None,
        "marketingUpdatedAt": found["updated_at"] if found["marketing"] else None,
        "validFormat": True,
    }


def _phone(found: Doc) -> Node | None:
    if not found["phone"]:
        return None
    consent = {"state": "NEVER_SUBSCRIBED", "optInLevel": None, "updatedAt": None, "collectedFrom": None}
    return {"phoneNumber": found["phone"], "smsMarketingConsent": consent, "marketingState": "NOT_SUBSCRIBED"}


def _last_order(call: Call, orders: list[Doc]) -> Node | None:
    from devstore.admin_api.order_views import order

    return order(call, orders[-1]) if orders else None


def _standard_metafields(found: Doc) -> Callable[[str, str], Doc | None]:
    """Shopify's own definition of a birth date: `facts.birth_date`."""

    def read(namespace: str, key: str) -> Doc | None:
        if (namespace, key) != ("facts", "birth_date") or not found["birthday"]:
            return None
        return {
            "id": found["id"],
            "namespace": namespace,
            "key": key,
            "type": "date",
            "value": found["birthday"],
            "created_at": found["created_at"],
            "updated_at": found["updated_at"],
        }

    return read


def _json_value(found: Doc) -> Any:
    if found["type"] in {"json", "number_integer", "boolean"} or found["type"].startswith("list."):
        return json.loads(found["value"])
    return found["value"]
