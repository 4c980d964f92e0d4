"""What referrals refuse."""

from app.core.errors import Conflict, NotFound
from app.core.i18n import mark


class CampaignNotFound(NotFound):
    """No referral campaign of this shop has that id."""

    code = "campaign_not_found"
    default_message = mark("There is no such referral campaign in this shop.")


class StaleCampaign(Conflict):
    """Somebody saved the campaign since it was read."""

    code = "stale_version"
    default_message = mark(
        "Somebody else saved this campaign meanwhile. Compare with their version and save again."
    )


class AnotherCampaignActive(Conflict):
    """Only one referral campaign of a shop can be active."""

    code = "another_campaign_active"
    default_message = mark("{name} is active. Pause or complete it before you activate another campaign.")


class CampaignStatusNotAllowed(Conflict):
    """The step is not possible from the campaign's status."""

    code = "status_not_allowed"
    default_message = mark("A campaign that is {status} cannot become {wanted}.")


class CampaignInUse(Conflict):
    """Friends came through this campaign, so it can only be completed."""

    code = "campaign_in_use"
    default_message = mark("Friends came through this campaign. Complete it instead of deleting it.")
