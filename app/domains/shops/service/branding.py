"""How the shop looks to its members: the program's name, an accent color and a logo, in mails and in the store."""

import orjson

from app.core.db import UnitOfWork
from app.domains.shops import queries
from app.domains.shops.errors import BrandChanged as BrandChangedMeanwhile
from app.domains.shops.events import BrandChanged
from app.domains.shops.schemas import Brand, BrandForm


def brand(uow: UnitOfWork) -> Brand:
    """The shop's look; everything is empty until staff chose it."""
    return Brand.model_validate(queries.brand(uow))


def save_brand(uow: UnitOfWork, form: BrandForm) -> Brand:
    """Keep a look. Raises BrandChanged when somebody else saved one since it was read."""
    uow.execute("SELECT 1 FROM shops WHERE shop_id = %(shop)s FOR UPDATE", {"shop": uow.shop})
    before = brand(uow)
    if before.version != form.version:
        raise BrandChangedMeanwhile()
    wanted = Brand.model_validate(
        form.model_dump() | {"accent": form.accent.lower(), "version": before.version}
    )
    if wanted == before:
        return before
    after = wanted.model_copy(update={"version": before.version + 1})
    uow.execute(
        "UPDATE shops SET brand = %(brand)s::jsonb, updated_at = %(now)s WHERE shop_id = %(shop)s",
        {"shop": uow.shop, "brand": orjson.dumps(after.model_dump()).decode(), "now": uow.now},
    )
    told = [one.model_dump(exclude={"version"}) for one in (before, after)]
    uow.publish([BrandChanged(uow.shop, told[0], told[1])])
    return after
