"""What referrals refuse."""

from app.core.errors import Conflict, Invalid, NotFound
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


class WindowIsEmpty(Invalid):
    """A campaign's end does not lie after its start."""

    code = "window_is_empty"
    default_message = mark("The end must be later than the start.")


class RewardNotGivable(Invalid):
    """A campaign gives only rewards of the catalog that are discount codes."""

    code = "reward_not_givable"
    default_message = mark("Choose a reward of your catalog that is a discount code.")


class ReferralNotFound(NotFound):
    """No referral of this shop has that id."""

    code = "referral_not_found"
    default_message = mark("There is no such referral in this shop.")


class ReferralsNotRunning(Conflict):
    """No campaign runs now."""

    code = "referrals_not_running"
    default_message = mark("There is no referral campaign at the moment.")


class ReferralCodeUnknown(NotFound):
    """Nobody of this shop has that code."""

    code = "referral_code_unknown"
    default_message = mark("This invitation is not known here. Ask your friend for a new link.")


class CampaignInUse(Conflict):
    """Friends came through this campaign, so it can only be completed."""

    code = "campaign_in_use"
    default_message = mark("Friends came through this campaign. Complete it instead of deleting it.")
