"""The home tab: is the program working, and what needs the merchant."""

from app.core.i18n import mark
from app.core.permissions import Permission
from app.domains.shops import service
from app.domains.shops.schemas import HomeView
from app.web.context import Context
from app.web.tabs import HOME, tab


@tab(HOME, title=mark("Home"), group=HOME, icon="house", permission=Permission.SETTINGS_READ)
def home(ctx: Context) -> HomeView:
    """Set-up steps, today's numbers and what needs attention."""
    return service.home(ctx.uow)
