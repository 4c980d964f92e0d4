"""The verbs of compliance: recording what changed, and answering privacy requests."""

from app.domains.compliance.schemas import Change
from app.domains.compliance.service.audit import list_entries, record, record_many

__all__ = ["Change", "list_entries", "record", "record_many"]
