"""The words for states and outcomes, and the one table that says what each outcome means."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, pgettext_lazy


class InstanceStatus(TextChoices):
    """What is known of an instance's authorization."""

    UNKNOWN = "unknown", _("Unknown")  # never probed
    CONNECTED = "connected", _("Connected")  # the last probe worked
    DEGRADED = "degraded", _("Degraded")  # provider or platform fail, not the grant
    NEEDS_REAUTH = "needs_reauth", _("Needs reauthentication")  # the grant is dead
    REVOKED = "revoked", _("Revoked")  # the grant is dead because a run here killed it
    DISABLED = "disabled", _("Disabled")  # the platform locked the instance
    MISSING = "missing", _("Missing")  # the platform no longer lists it


#: A person has to reconnect these before they work again.
NEEDS_PERSON = frozenset(
    {InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED, InstanceStatus.DISABLED}
)
#: What a filter by status calls all of these together.
NOT_WORKING = "not_working"


class RunKind(TextChoices):
    """What a run does to each of its instances."""

    SYNC = "sync", pgettext_lazy("kind of run", "Sync")
    PROBE = "probe", pgettext_lazy("kind of run", "Probe")
    REVOKE = "revoke", pgettext_lazy("kind of run", "Revoke")
    RECONNECT = "reconnect", pgettext_lazy("kind of run", "Reconnect")
    DRILL = "drill", pgettext_lazy("kind of run", "Drill")


#: These kill grants: they start as a draft whose page is the confirmation.
DESTRUCTIVE = frozenset({RunKind.REVOKE, RunKind.DRILL})


class RunStatus(TextChoices):
    """Where a run stands."""

    DRAFT = "draft", _("Draft")  # waits for a person to confirm
    PLANNING = "planning", _("Planning")  # the worker freezes the selection
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPING = "stopping", _("Stopping")  # no new items; calls in flight end
    STOPPED = "stopped", _("Stopped")
    FINISHED = "finished", _("Finished")
    FAILED = "failed", _("Failed")  # could not work at all; `problem` says why
    EXPIRED = "expired", _("Expired")  # a draft that nobody started


#: The `problem` of an expired run whose draft a person dropped, and what people are told it is.
DISCARDED = "discarded"

RUN_ACTIVE = frozenset(
    {RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.STOPPING}
)
RUN_TERMINAL = frozenset(
    {RunStatus.STOPPED, RunStatus.FINISHED, RunStatus.FAILED, RunStatus.EXPIRED}
)


class ChunkStatus(TextChoices):
    """Where a chunk of items stands."""

    QUEUED = "queued", _("Queued")
    CLAIMED = "claimed", _("Claimed")  # a worker holds it until `lease_until`
    DONE = "done", _("Done")


class PartStatus(TextChoices):
    """Where the items of one provider in a run stand."""

    CANARY = "canary", _("Trying a few")  # only its first chunk is worked
    OPEN = "open", _("Open")
    HELD = "held", _("Held")  # a person decides how it goes on
    LEFT_OUT = "left_out", _("Left out")  # a person decided: not at all


#: Nothing more is begun of these.
PART_SHUT = frozenset({PartStatus.HELD, PartStatus.LEFT_OUT})


class ItemStatus(TextChoices):
    """Where one instance's part of a run stands."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")  # a worker holds it
    WAITING = "waiting", _("Waiting")  # for a person at the provider's consent page
    DONE = "done", _("Done")  # has an outcome


ITEM_OPEN = frozenset({ItemStatus.QUEUED, ItemStatus.RUNNING, ItemStatus.WAITING})


class AttemptState(TextChoices):
    """What became of one outbound call."""

    INTENDED = "intended", _("Intended")  # written before a call with an effect
    ANSWERED = "answered", _("Answered")
    NOT_SENT = "not_sent", _("Not sent")  # certain: nothing reached the server
    LOST = "lost", _("Answer lost")  # may have been received


class LinkStatus(TextChoices):
    """Where a reconnect link stands."""

    MADE = "made", _("Made")
    OPENED = "opened", _("Opened")  # a person pressed the button; the browser is bound
    CONSENTED = "consented", _("Consented")  # called back; the platform is being told
    FINISHED = "finished", _("Finished")
    DENIED = "denied", _("Denied")
    FAILED = "failed", _("Failed")
    WRONG_ACCOUNT = "wrong_account", _("Wrong account")  # works, but as somebody else
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


#: A person may still use these.
LINK_OPEN = frozenset(
    {LinkStatus.MADE, LinkStatus.OPENED, LinkStatus.DENIED, LinkStatus.FAILED}
)


class Outcome(TextChoices):
    """How an item ended."""

    # revoke
    VERIFIED_DEAD = "verified_dead", _("Verified dead")
    ACCEPTED = "accepted", _("Accepted, not verifiable")
    ALREADY_DEAD = "already_dead", _("Already dead")
    EXPIRING = "expiring", _("Expiring")
    STILL_ALIVE = "still_alive", _("Still alive")
    REFUSED = "refused", _("Refused")
    UNSUPPORTED = "unsupported", _("Unsupported")
    NOTHING_TO_REVOKE = "nothing_to_revoke", _("Nothing to revoke")
    # probe
    CONNECTED = "connected", _("Connected")
    DEAD = "dead", _("Dead")
    DISABLED = "disabled", _("Disabled")
    TRANSIENT = "transient", _("Temporarily failing")
    NOT_SUPPORTED = "not_supported", _("Cannot be probed")
    # reconnect, drill
    RECONNECTED = "reconnected", _("Reconnected")
    WAITING = "waiting", _("Waiting")
    EXPIRED = "expired", _("Expired")
    DENIED = "denied", _("Denied")
    WRONG_ACCOUNT = "wrong_account", _("Wrong account")
    STILL_DEAD = "still_dead", _("Still dead")
    NOT_ALIVE = "not_alive", _("Not alive at the start")
    # sync
    NEW = "new", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    VANISHED = "vanished", _("Vanished")
    # any
    MISCONFIGURED = "misconfigured", _("Misconfigured")
    UNCLEAR = "unclear", _("Unclear")
    SKIPPED = "skipped", _("Skipped")
    CANCELLED = "cancelled", _("Cancelled")


class Weight(TextChoices):
    """How an outcome counts."""

    GOOD = "good", _("Went well")
    ATTENTION = "attention", _("Needs attention")
    NEUTRAL = "neutral", _("Neutral")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one outcome of one run kind means.

    The sentences are English: they are stored and printed, too; a page translates them.
    `status` is the instance status that follows ("" leaves it), `sticky` keeps the item
    on the list of open concerns until a later outcome of the instance clears it.
    """

    weight: Weight
    sentence: str
    next_step: str = ""
    status: str = ""
    sticky: bool = False


_GOOD, _LOOK, _CALM = Weight.GOOD, Weight.ATTENTION, Weight.NEUTRAL
_S = InstanceStatus

_ANY: dict[Outcome, Meaning] = {
    Outcome.MISCONFIGURED: Meaning(
        _LOOK,
        gettext_noop("Not tried: something here is not set up."),
        gettext_noop("Follow the reason shown, then retry the failed items."),
    ),
    Outcome.UNCLEAR: Meaning(
        _LOOK,
        gettext_noop(
            "The request was sent and its answer was lost; what the provider did is not known."
        ),
        gettext_noop("Probe the instance to find out; nothing is repeated blindly."),
        sticky=True,
    ),
    Outcome.SKIPPED: Meaning(
        _CALM,
        gettext_noop("Skipped: another item or run has dealt with the same grant."),
    ),
    Outcome.CANCELLED: Meaning(
        _CALM, gettext_noop("Cancelled before anything was sent.")
    ),
}

_PROBE: dict[Outcome, Meaning] = {
    Outcome.CONNECTED: Meaning(
        _GOOD, gettext_noop("The instance works."), status=_S.CONNECTED
    ),
    Outcome.DEAD: Meaning(
        _LOOK,
        gettext_noop("The authorization is dead."),
        gettext_noop("Reauthenticate the instance."),
        status=_S.NEEDS_REAUTH,
    ),
    Outcome.DISABLED: Meaning(
        _LOOK,
        gettext_noop("The platform has disabled the instance."),
        gettext_noop("Reauthenticate it; it is enabled again on the way."),
        status=_S.DISABLED,
    ),
    Outcome.TRANSIENT: Meaning(
        _LOOK,
        gettext_noop(
            "The provider or the platform is failing just now; the grant may well be alive."
        ),
        gettext_noop("Probe again later."),
        status=_S.DEGRADED,
    ),
    Outcome.NOT_SUPPORTED: Meaning(
        _CALM, gettext_noop("This element offers no call that could serve as a probe.")
    ),
}

_REVOKE: dict[Outcome, Meaning] = {
    Outcome.VERIFIED_DEAD: Meaning(
        _GOOD,
        gettext_noop("Revoked, and seen dead afterwards."),
        gettext_noop("Reauthenticate when it should work again."),
        status=_S.REVOKED,
    ),
    Outcome.ACCEPTED: Meaning(
        _GOOD,
        gettext_noop(
            "The provider accepted the revocation; nothing here can verify it."
        ),
        gettext_noop("Probe later to be sure."),
        status=_S.REVOKED,
    ),
    Outcome.ALREADY_DEAD: Meaning(
        _GOOD,
        gettext_noop("The grant was dead before this run."),
        gettext_noop("Reauthenticate when it should work again."),
        status=_S.NEEDS_REAUTH,
    ),
    Outcome.EXPIRING: Meaning(
        _LOOK,
        gettext_noop(
            "The refresh token is dead; the access token lives until it expires."
        ),
        gettext_noop("Probe after the time shown."),
        sticky=True,
    ),
    Outcome.STILL_ALIVE: Meaning(
        _LOOK,
        gettext_noop("The provider said yes, and the instance still works."),
        gettext_noop(
            "Revoke the refresh token: the platform makes new access tokens from it."
        ),
        status=_S.CONNECTED,
        sticky=True,
    ),
    Outcome.REFUSED: Meaning(
        _LOOK,
        gettext_noop("The provider refused; the token is still alive."),
        gettext_noop("Check the provider app's client id and secret."),
        sticky=True,
    ),
    Outcome.UNSUPPORTED: Meaning(
        _LOOK,
        gettext_noop("This provider offers no revocation that can be called here."),
        gettext_noop("Follow the steps shown for a person."),
    ),
    Outcome.NOTHING_TO_REVOKE: Meaning(
        _CALM, gettext_noop("The instance holds no token.")
    ),
    Outcome.TRANSIENT: Meaning(
        _LOOK,
        gettext_noop(
            "Not tried: the platform is failing just now, so the token could not be read."
        ),
        gettext_noop("Retry the failed items later."),
    ),
}

_RECONNECT: dict[Outcome, Meaning] = {
    Outcome.RECONNECTED: Meaning(
        _GOOD,
        gettext_noop("Reconnected, and seen alive afterwards."),
        status=_S.CONNECTED,
    ),
    Outcome.WAITING: Meaning(
        _CALM,
        gettext_noop("Waiting for a person at the provider's consent page."),
        gettext_noop("Send or open the link."),
    ),
    Outcome.EXPIRED: Meaning(
        _LOOK,
        gettext_noop("The link expired before anybody used it."),
        gettext_noop("Make a new link."),
    ),
    Outcome.DENIED: Meaning(
        _LOOK,
        gettext_noop("The person said no at the provider."),
        gettext_noop("Ask them, then make a new link."),
    ),
    Outcome.WRONG_ACCOUNT: Meaning(
        _LOOK,
        gettext_noop("The person signed in with another account than before."),
        gettext_noop("Accept the new account or send the link again."),
    ),
    Outcome.STILL_DEAD: Meaning(
        _LOOK,
        gettext_noop("The new authorization was taken, and the instance still fails."),
        gettext_noop("Read the answer shown, then make a new link."),
    ),
}


def _of(
    kind: RunKind, *meanings: dict[Outcome, Meaning]
) -> dict[tuple[RunKind, Outcome], Meaning]:
    return {(kind, one): told for some in meanings for one, told in some.items()}


#: (run kind, outcome) → what it means. Exit codes, pages and statuses all read this table.
MEANINGS: dict[tuple[RunKind, Outcome], Meaning] = {
    **_of(RunKind.PROBE, _ANY, _PROBE),
    **_of(RunKind.REVOKE, _ANY, _REVOKE),
    **_of(RunKind.RECONNECT, _ANY, _RECONNECT),
    # A link may have been sent, so it is not true that nothing was.
    (RunKind.RECONNECT, Outcome.CANCELLED): Meaning(
        _CALM,
        gettext_noop("Cancelled before anybody reconnected."),
        gettext_noop("Make a new link."),
    ),
    **_of(RunKind.DRILL, _ANY, _REVOKE, _RECONNECT),
    (RunKind.DRILL, Outcome.VERIFIED_DEAD): Meaning(
        _LOOK,
        gettext_noop("Revoked and seen dead, but the drill did not go on."),
        gettext_noop("Reauthenticate the instance."),
        status=_S.REVOKED,
    ),
    (RunKind.DRILL, Outcome.NOT_ALIVE): Meaning(
        _LOOK,
        gettext_noop(
            "The instance was not alive at the start, so nothing was revoked."
        ),
        gettext_noop("Reauthenticate it, then start the drill again."),
    ),
    (RunKind.SYNC, Outcome.NEW): Meaning(_GOOD, gettext_noop("New at the platform.")),
    (RunKind.SYNC, Outcome.CHANGED): Meaning(
        _GOOD, gettext_noop("Changed at the platform.")
    ),
    (RunKind.SYNC, Outcome.UNCHANGED): Meaning(_GOOD, gettext_noop("As before.")),
    (RunKind.SYNC, Outcome.VANISHED): Meaning(
        _LOOK,
        gettext_noop("No longer listed by the platform."),
        gettext_noop("Check whether somebody deleted it."),
        status=_S.MISSING,
    ),
    **_of(RunKind.SYNC, _ANY),
}

#: An item with one of these stays on the list of open concerns until a later outcome clears it.
STICKY = frozenset(
    {outcome for (_, outcome), meaning in MEANINGS.items() if meaning.sticky}
)


def meaning(kind: str, outcome: str) -> Meaning:
    """Return what `outcome` means in a run of `kind`; KeyError when the pair does not exist."""
    return MEANINGS[RunKind(kind), Outcome(outcome)]
