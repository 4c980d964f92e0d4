"""What kinds, statuses, states and problems are called."""

from app.core.i18n import mark
from app.domains.bulk.schemas import Kind, Problem, State, Status

KINDS: dict[Kind, str] = {
    "award": mark("Award points"),
    "deduct": mark("Deduct points"),
    "set": mark("Set the balance"),
    "expire": mark("Expire points now"),
    "tag": mark("Add tags"),
    "untag": mark("Remove tags"),
    "tier": mark("Move to a tier"),
    "email": mark("Send an e-mail"),
    "enroll": mark("Enroll people"),
}
STATUSES: dict[Status, str] = {
    "checking": mark("Dry run under way"),
    "ready": mark("Ready to start"),
    "waiting": mark("Waiting for approval"),
    "running": mark("Running"),
    "paused": mark("Paused"),
    "done": mark("Done"),
    "cancelled": mark("Canceled"),
    "rejected": mark("Rejected"),
    "undoing": mark("Being undone"),
    "undone": mark("Undone"),
    "failed": mark("Failed"),
}
STATES: dict[State, str] = {
    "ready": mark("Not done yet"),
    "done": mark("Done"),
    "refused": mark("Refused"),
    "failed": mark("Failed"),
    "undone": mark("Undone"),
    "kept": mark("Could not be undone"),
}
PROBLEMS: dict[Problem, str] = {
    "unreadable": mark("This line cannot be read."),
    "too_many": mark("A bulk action takes 500,000 rows; this line comes after them."),
    "nobody": mark("The line names nobody."),
    "unknown": mark("No member has this e-mail or id."),
    "several": mark("Several members share this e-mail. Use the member id."),
    "cannot_take_part": mark("The member is blocked, erased or a guest."),
    "bad_points": mark("The points are no whole number from 0 to 100,000,000."),
    "no_points": mark("Neither the line nor the action says how many points."),
    "too_few": mark("The member has fewer available points."),
    "nothing": mark("This would not change anything."),
    "has_it": mark("The member has these tags already."),
    "has_not": mark("The member has none of these tags."),
    "no_consent": mark("The member did not agree to marketing e-mails."),
    "used": mark("The points or the tier changed since, so this row stays as it is."),
    "no_tier": mark("The member had no tier before, so this row stays as it is."),
    "gone": mark("The member was erased or merged meanwhile."),
    "bad_email": mark("This is no e-mail address."),
    "bad_birthday": mark("The birthday is no day written as 1990-12-31."),
    "member": mark("This person is a member already."),
    "blocked": mark("This member is blocked."),
    "twice": mark("An earlier line names this person."),
    "active_since": mark("The person ordered, registered or earned since, so this row stays as it is."),
}
