"""What the control API accepts. Unknown fields are refused, so that a typing error is noticed."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from devstore import times
from devstore.settings import DEMO_SHOP

Amount = str | int | float


def _moment(text: str) -> str:
    return times.stamp(times.parse(text))


Moment = Annotated[str, AfterValidator(_moment)]


class Body(BaseModel):
    """Every body may name its shop."""

    model_config = ConfigDict(extra="forbid")
    shop: str = DEMO_SHOP


class NewShop(Body):
    """POST /_control/shops"""

    name: str | None = None
    currency: str = "USD"
    email: str | None = None
    locale: str = "en"
    taxes_included: bool = False
    tax_rate: Amount = "0"
    timezone: str = "America/New_York"
    country: str = "US"
    plan: str = "Basic"


class ShopChange(Body):
    """PATCH /_control/shops"""

    name: str | None = None
    currency: str | None = None
    email: str | None = None
    locale: str | None = None
    taxes_included: bool | None = None
    tax_rate: str | None = None
    timezone: str | None = None
    plan: str | None = None


class NewCustomer(Body):
    """POST /_control/customers"""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    phone: str | None = None
    birthday: str | None = None
    tags: list[str] = []
    registered: bool = True
    marketing: bool = False


class CustomerChange(Body):
    """PATCH /_control/customers/{id}"""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    locale: str | None = None
    phone: str | None = None
    birthday: str | None = None
    note: str | None = None
    tags: list[str] | None = None
    marketing: bool | None = None


class Merge(Body):
    """POST /_control/customers/merge"""

    keep: int
    remove: int


class Line(BaseModel):
    """A line of a new order or of an edit."""

    model_config = ConfigDict(extra="forbid")
    index: int | None = None
    line_id: int | None = None
    variant_id: int | None = None
    sku: str | None = None
    title: str | None = None
    quantity: int = 1
    price: Amount | None = None
    gift_card: bool | None = None
    taxable: bool = True
    vendor: str | None = None
    properties: list[dict[str, Any]] = []


class PlainDiscount(BaseModel):
    """An amount or percentage off that no kept discount stands behind."""

    model_config = ConfigDict(extra="forbid")
    code: str
    amount: Amount
    type: Literal["fixed_amount", "percentage"] = "fixed_amount"


class NewOrder(Body):
    """POST /_control/orders"""

    customer_id: int | None = None
    email: str | None = None
    create_customer: bool = False
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    presentment_currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    presentment_rate: Amount | None = None
    taxes_included: bool | None = None
    tax_rate: Amount | None = None
    lines: list[Line]
    discount_codes: list[str | PlainDiscount] = []
    shipping: Amount | None = None
    paid: bool = True
    source_name: str | None = None
    test: bool | None = None
    note: str | None = None
    note_attributes: list[dict[str, str]] | None = None
    tags: list[str] | None = None
    customer_locale: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    created_at: Moment | None = None
    company_id: int | None = None
    location_id: int | None = None
    gateway: str | None = None
    ip: str | None = None


class Payment(Body):
    """POST /_control/orders/{id}/pay"""

    amount: Amount | None = None


class RefundLine(BaseModel):
    """Units of one line to give back."""

    model_config = ConfigDict(extra="forbid")
    index: int | None = None
    line_id: int | None = None
    quantity: int


class NewRefund(Body):
    """POST /_control/orders/{id}/refund"""

    lines: list[RefundLine] = []
    amount: Amount | None = None
    shipping: Amount | None = None
    note: str | None = None


class Cancel(Body):
    """POST /_control/orders/{id}/cancel"""

    refund: bool = True
    reason: Literal["customer", "declined", "fraud", "inventory", "other", "staff"] = "customer"


class Edit(Body):
    """POST /_control/orders/{id}/edit"""

    lines: list[Line]
    replace: bool = False


class Uninstall(Body):
    """POST /_control/app/uninstall"""

    redact: bool = False


class Scopes(Body):
    """POST /_control/app/scopes"""

    add: list[str] = []
    remove: list[str] = []


class Expire(Body):
    """POST /_control/tokens/expire"""

    refresh: bool = False


class NewFault(BaseModel):
    """POST /_control/faults"""

    model_config = ConfigDict(extra="forbid")
    target: Literal["webhooks", "graphql", "token", "mail"]
    kind: str
    rate: float = Field(default=1.0, ge=0, le=1)
    seconds: float = Field(default=60.0, gt=0)
    shop: str | None = None
    only: str | None = None
    times: int | None = Field(default=None, ge=1)
    delay: float = Field(default=2.0, ge=0)


class Replay(BaseModel):
    """POST /_control/deliveries/replay"""

    model_config = ConfigDict(extra="forbid")
    id: int


class AnyWebhook(Body):
    """POST /_control/webhooks"""

    topic: str = Field(min_length=1)
    payload: Any
