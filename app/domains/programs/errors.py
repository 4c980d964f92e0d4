"""What programs refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class ProgramNotFound(NotFound):
    """No program of this shop has that id."""

    code = "program_not_found"
    default_message = mark("There is no such program in this shop.")


class RuleNotFound(NotFound):
    """The program has no such rule, or it is one of the two that stay."""

    code = "rule_not_found"
    default_message = mark("This program has no such earning rule.")


class VersionNotFound(NotFound):
    """The program has no such version."""

    code = "version_not_found"
    default_message = mark("This program has no such version.")


class StaleVersion(Conflict):
    """Somebody saved the program since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this program meanwhile. Compare with their version and save again."
    )


class AnotherProgramActive(Conflict):
    """Only one program of a shop can be active."""

    code = "another_program_active"
    default_message = mark("{name} is active. Pause it before you activate another program.")


class StatusNotAllowed(Conflict):
    """The step is not possible from the program's status."""

    code = "status_not_allowed"
    default_message = mark("A program that is {status} cannot become {wanted}.")


class ProgramInUse(Conflict):
    """Points were given under this program, so it can only be archived."""

    code = "program_in_use"
    default_message = mark("This program was published before. Archive it instead of deleting it.")


class CampaignNotFound(NotFound):
    """The program has no such campaign."""

    code = "campaign_not_found"
    default_message = mark("This program has no such campaign.")


class TemplateNotFound(NotFound):
    """There is no such template."""

    code = "template_not_found"
    default_message = mark("There is no such template.")


class ScheduleOverlaps(Conflict):
    """Two programs would be active at the same time."""

    code = "schedule_overlaps"
    default_message = mark("{name} is scheduled for a part of that time. Choose another time.")
