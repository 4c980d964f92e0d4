"""The verbs of compliance: recording what changed, and answering privacy requests."""

from app.domains.compliance.rules import change_sentence
from app.domains.compliance.schemas import Change
from app.domains.compliance.service.audit import (
    actors,
    ever,
    list_entries,
    noted_since,
    of_subjects,
    record,
    record_many,
)
from app.domains.compliance.service.persons import (
    erased_tables,
    exported_tables,
    register_member_finder,
    register_person_data,
    register_person_eraser,
)
from app.domains.compliance.service.requests import (
    NOTHING_HELD,
    TELL_MERCHANT,
    drop_old_exports,
    get_request,
    list_requests,
    open_export,
    request_erasure,
    request_export,
)

__all__ = [
    "NOTHING_HELD",
    "TELL_MERCHANT",
    "Change",
    "actors",
    "change_sentence",
    "drop_old_exports",
    "erased_tables",
    "ever",
    "exported_tables",
    "get_request",
    "list_entries",
    "list_requests",
    "noted_since",
    "of_subjects",
    "open_export",
    "record",
    "record_many",
    "register_member_finder",
    "register_person_data",
    "register_person_eraser",
    "request_erasure",
    "request_export",
]
