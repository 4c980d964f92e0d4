"""The public verbs of segments: keeping them, finding out who is in them, following what happens."""

from app.domains.segments.service.filling import (
    add_emails,
    add_members,
    of_members,
    remove_members,
)
from app.domains.segments.service.following import (
    build,
    catch_up,
    changed,
    count,
    follow,
    follow_merge,
    followed,
    forget,
    mark_stale,
    note_sizes,
    ready,
)
from app.domains.segments.service.keeping import (
    create,
    get,
    member_ids,
    options,
    preview,
    remove,
    snapshot,
    update,
    uses,
)

__all__ = [
    "add_emails",
    "add_members",
    "build",
    "catch_up",
    "changed",
    "count",
    "create",
    "follow",
    "follow_merge",
    "followed",
    "forget",
    "get",
    "mark_stale",
    "member_ids",
    "note_sizes",
    "of_members",
    "options",
    "preview",
    "ready",
    "remove",
    "remove_members",
    "snapshot",
    "update",
    "uses",
]
