"""The verbs of liability: closing months, the report, the journal, and how the shop values points."""

from app.domains.liability.service.book import Book, open_book
from app.domains.liability.service.closing import close_next, closed_months, rebuild, verify
from app.domains.liability.service.journal import journal
from app.domains.liability.service.report import liability, roll_forward
from app.domains.liability.service.valuing import get_settings, save_settings

__all__ = [
    "Book",
    "close_next",
    "closed_months",
    "get_settings",
    "journal",
    "liability",
    "open_book",
    "rebuild",
    "roll_forward",
    "save_settings",
    "verify",
]
