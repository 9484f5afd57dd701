"""The words for states and outcomes, and the one table that says what each outcome means."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices


class InstanceStatus(TextChoices):
    """What is known of an instance's authorization."""

    UNKNOWN = "unknown", "Unknown"  # never probed
    CONNECTED = "connected", "Connected"  # the last probe worked
    DEGRADED = (
        "degraded",
        "Degraded",
    )  # the provider or the platform fails, not the grant
    NEEDS_REAUTH = "needs_reauth", "Needs reauthentication"  # the grant is dead
    REVOKED = "revoked", "Revoked"  # the grant is dead because a run here killed it
    DISABLED = "disabled", "Disabled"  # the platform locked the instance
    MISSING = "missing", "Missing"  # the platform no longer lists it


#: A person has to reconnect these before they work again.
NEEDS_PERSON = frozenset(
    {InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED, InstanceStatus.DISABLED}
)


class RunKind(TextChoices):
    """What a run does to each of its instances."""

    SYNC = "sync", "Sync"
    PROBE = "probe", "Probe"
    REVOKE = "revoke", "Revoke"
    RECONNECT = "reconnect", "Reconnect"
    DRILL = "drill", "Drill"


#: These kill grants: they start as a draft whose page is the confirmation.
DESTRUCTIVE = frozenset({RunKind.REVOKE, RunKind.DRILL})


class RunStatus(TextChoices):
    """Where a run stands."""

    DRAFT = "draft", "Draft"  # waits for a person to confirm
    PLANNING = "planning", "Planning"  # the worker freezes the selection
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    STOPPING = "stopping", "Stopping"  # no new items; calls in flight end
    STOPPED = "stopped", "Stopped"
    FINISHED = "finished", "Finished"
    FAILED = "failed", "Failed"  # could not work at all; `problem` says why
    EXPIRED = "expired", "Expired"  # a draft that nobody started


RUN_ACTIVE = frozenset(
    {RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.STOPPING}
)
RUN_TERMINAL = frozenset(
    {RunStatus.STOPPED, RunStatus.FINISHED, RunStatus.FAILED, RunStatus.EXPIRED}
)

#: Allowed changes of a run's status; the conditional UPDATE names the old one.
RUN_TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.DRAFT: frozenset(
        {RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.EXPIRED, RunStatus.FAILED}
    ),
    RunStatus.PLANNING: frozenset(
        {
            RunStatus.DRAFT,
            RunStatus.RUNNING,
            RunStatus.FINISHED,
            RunStatus.FAILED,
            RunStatus.STOPPING,
            RunStatus.STOPPED,
        }
    ),
    RunStatus.RUNNING: frozenset(
        {RunStatus.PAUSED, RunStatus.STOPPING, RunStatus.FINISHED, RunStatus.FAILED}
    ),
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING, RunStatus.STOPPING}),
    RunStatus.STOPPING: frozenset({RunStatus.STOPPED, RunStatus.FAILED}),
}


class ChunkStatus(TextChoices):
    """Where a chunk of items stands."""

    QUEUED = "queued", "Queued"
    CLAIMED = "claimed", "Claimed"  # a worker holds it until `lease_until`
    DONE = "done", "Done"


class PartStatus(TextChoices):
    """Where the items of one provider in a run stand."""

    CANARY = "canary", "Trying a few"  # only its first chunk is worked
    OPEN = "open", "Open"
    HELD = "held", "Held"  # a person decides how it goes on
    LEFT_OUT = "left_out", "Left out"  # a person decided: not at all


#: Nothing more is begun of these.
PART_SHUT = frozenset({PartStatus.HELD, PartStatus.LEFT_OUT})


class ItemStatus(TextChoices):
    """Where one instance's part of a run stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"  # a worker holds it
    WAITING = "waiting", "Waiting"  # for a person at the provider's consent page
    DONE = "done", "Done"  # has an outcome


ITEM_OPEN = frozenset({ItemStatus.QUEUED, ItemStatus.RUNNING, ItemStatus.WAITING})


class AttemptState(TextChoices):
    """What became of one outbound call."""

    INTENDED = (
        "intended",
        "Intended",
    )  # written before a call with an effect; no answer yet
    ANSWERED = "answered", "Answered"
    NOT_SENT = "not_sent", "Not sent"  # certain: nothing reached the server
    LOST = "lost", "Answer lost"  # may have been received


class LinkStatus(TextChoices):
    """Where a reconnect link stands."""

    MADE = "made", "Made"
    OPENED = "opened", "Opened"  # a person pressed the button; the browser is bound
    CONSENTED = (
        "consented",
        "Consented",
    )  # the callback came; the platform is being told
    FINISHED = "finished", "Finished"
    DENIED = "denied", "Denied"
    FAILED = "failed", "Failed"
    WRONG_ACCOUNT = "wrong_account", "Wrong account"  # works, but as somebody else
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


#: A person may still use these.
LINK_OPEN = frozenset(
    {LinkStatus.MADE, LinkStatus.OPENED, LinkStatus.DENIED, LinkStatus.FAILED}
)


class Outcome(TextChoices):
    """How an item ended."""

    # revoke
    VERIFIED_DEAD = "verified_dead", "Verified dead"
    ACCEPTED = "accepted", "Accepted, not verifiable"
    ALREADY_DEAD = "already_dead", "Already dead"
    EXPIRING = "expiring", "Expiring"
    STILL_ALIVE = "still_alive", "Still alive"
    REFUSED = "refused", "Refused"
    UNSUPPORTED = "unsupported", "Unsupported"
    NOTHING_TO_REVOKE = "nothing_to_revoke", "Nothing to revoke"
    # probe
    CONNECTED = "connected", "Connected"
    DEAD = "dead", "Dead"
    DISABLED = "disabled", "Disabled"
    TRANSIENT = "transient", "Temporarily failing"
    NOT_SUPPORTED = "not_supported", "Cannot be probed"
    # reconnect, drill
    RECONNECTED = "reconnected", "Reconnected"
    WAITING = "waiting", "Waiting"
    EXPIRED = "expired", "Expired"
    DENIED = "denied", "Denied"
    WRONG_ACCOUNT = "wrong_account", "Wrong account"
    STILL_DEAD = "still_dead", "Still dead"
    NOT_ALIVE = "not_alive", "Not alive at the start"
    # sync
    NEW = "new", "New"
    CHANGED = "changed", "Changed"
    UNCHANGED = "unchanged", "Unchanged"
    VANISHED = "vanished", "Vanished"
    # any
    MISCONFIGURED = "misconfigured", "Misconfigured"
    UNCLEAR = "unclear", "Unclear"
    SKIPPED = "skipped", "Skipped"
    CANCELLED = "cancelled", "Cancelled"


class Weight(TextChoices):
    """How an outcome counts."""

    GOOD = "good", "Went well"
    ATTENTION = "attention", "Needs attention"
    NEUTRAL = "neutral", "Neutral"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one outcome of one run kind means.

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
        "Not tried: something here is not set up.",
        "Follow the reason shown, then retry the failed items.",
    ),
    Outcome.UNCLEAR: Meaning(
        _LOOK,
        "The request was sent and its answer was lost; what the provider did is not known.",
        "Probe the instance to find out; nothing is repeated blindly.",
        sticky=True,
    ),
    Outcome.SKIPPED: Meaning(
        _CALM, "Skipped: another item or run has dealt with the same grant."
    ),
    Outcome.CANCELLED: Meaning(_CALM, "Cancelled before anything was sent."),
}

_PROBE: dict[Outcome, Meaning] = {
    Outcome.CONNECTED: Meaning(_GOOD, "The instance works.", status=_S.CONNECTED),
    Outcome.DEAD: Meaning(
        _LOOK,
        "The authorization is dead.",
        "Reauthenticate the instance.",
        status=_S.NEEDS_REAUTH,
    ),
    Outcome.DISABLED: Meaning(
        _LOOK,
        "The platform has disabled the instance.",
        "Reauthenticate it; it is enabled again on the way.",
        status=_S.DISABLED,
    ),
    Outcome.TRANSIENT: Meaning(
        _LOOK,
        "The provider or the platform is failing just now; the grant may well be alive.",
        "Probe again later.",
        status=_S.DEGRADED,
    ),
    Outcome.NOT_SUPPORTED: Meaning(
        _CALM, "This element offers no call that could serve as a probe."
    ),
}

_REVOKE: dict[Outcome, Meaning] = {
    Outcome.VERIFIED_DEAD: Meaning(
        _GOOD,
        "Revoked, and seen dead afterwards.",
        "Reauthenticate when it should work again.",
        status=_S.REVOKED,
    ),
    Outcome.ACCEPTED: Meaning(
        _GOOD,
        "The provider accepted the revocation; nothing here can verify it.",
        "Probe later to be sure.",
        status=_S.REVOKED,
    ),
    Outcome.ALREADY_DEAD: Meaning(
        _GOOD,
        "The grant was dead before this run.",
        "Reauthenticate when it should work again.",
        status=_S.NEEDS_REAUTH,
    ),
    Outcome.EXPIRING: Meaning(
        _LOOK,
        "The refresh token is dead; the access token lives until it expires.",
        "Probe after the time shown.",
        sticky=True,
    ),
    Outcome.STILL_ALIVE: Meaning(
        _LOOK,
        "The provider said yes, and the instance still works.",
        "Revoke the refresh token: the platform makes new access tokens from it.",
        status=_S.CONNECTED,
        sticky=True,
    ),
    Outcome.REFUSED: Meaning(
        _LOOK,
        "The provider refused; the token is still alive.",
        "Check the provider app's client id and secret.",
        sticky=True,
    ),
    Outcome.UNSUPPORTED: Meaning(
        _LOOK,
        "This provider offers no revocation that can be called here.",
        "Follow the steps shown for a person.",
    ),
    Outcome.NOTHING_TO_REVOKE: Meaning(_CALM, "The instance holds no token."),
    Outcome.TRANSIENT: Meaning(
        _LOOK,
        "Not tried: the platform is failing just now, so the token could not be read.",
        "Retry the failed items later.",
    ),
}

_RECONNECT: dict[Outcome, Meaning] = {
    Outcome.RECONNECTED: Meaning(
        _GOOD, "Reconnected, and seen alive afterwards.", status=_S.CONNECTED
    ),
    Outcome.WAITING: Meaning(
        _CALM,
        "Waiting for a person at the provider's consent page.",
        "Send or open the link.",
    ),
    Outcome.EXPIRED: Meaning(
        _LOOK, "The link expired before anybody used it.", "Make a new link."
    ),
    Outcome.DENIED: Meaning(
        _LOOK, "The person said no at the provider.", "Ask them, then make a new link."
    ),
    Outcome.WRONG_ACCOUNT: Meaning(
        _LOOK,
        "The person signed in with another account than before.",
        "Accept the new account or send the link again.",
    ),
    Outcome.STILL_DEAD: Meaning(
        _LOOK,
        "The new authorization was taken, and the instance still fails.",
        "Read the answer shown, then make a new link.",
    ),
}

#: (run kind, outcome) → what it means. Exit codes, pages and statuses all read this table.
MEANINGS: dict[tuple[RunKind, Outcome], Meaning] = {
    **{
        (RunKind.PROBE, outcome): meaning
        for outcome, meaning in {**_ANY, **_PROBE}.items()
    },
    **{
        (RunKind.REVOKE, outcome): meaning
        for outcome, meaning in {**_ANY, **_REVOKE}.items()
    },
    **{
        (RunKind.RECONNECT, outcome): meaning
        for outcome, meaning in {**_ANY, **_RECONNECT}.items()
    },
    **{
        (RunKind.DRILL, outcome): meaning
        for outcome, meaning in {**_ANY, **_REVOKE, **_RECONNECT}.items()
    },
    (RunKind.DRILL, Outcome.VERIFIED_DEAD): Meaning(
        _LOOK,
        "Revoked and seen dead, but the drill did not go on.",
        "Reauthenticate the instance.",
        status=_S.REVOKED,
    ),
    (RunKind.DRILL, Outcome.NOT_ALIVE): Meaning(
        _LOOK,
        "The instance was not alive at the start, so nothing was revoked.",
        "Reauthenticate it, then start the drill again.",
    ),
    (RunKind.SYNC, Outcome.NEW): Meaning(_GOOD, "New at the platform."),
    (RunKind.SYNC, Outcome.CHANGED): Meaning(_GOOD, "Changed at the platform."),
    (RunKind.SYNC, Outcome.UNCHANGED): Meaning(_GOOD, "As before."),
    (RunKind.SYNC, Outcome.VANISHED): Meaning(
        _LOOK,
        "No longer listed by the platform.",
        "Check whether somebody deleted it.",
        status=_S.MISSING,
    ),
    **{(RunKind.SYNC, outcome): meaning for outcome, meaning in _ANY.items()},
}

#: An item with one of these stays on the list of open concerns until a later outcome clears it.
STICKY = frozenset(
    {outcome for (_, outcome), meaning in MEANINGS.items() if meaning.sticky}
)


def meaning(kind: str, outcome: str) -> Meaning:
    """Return what `outcome` means in a run of `kind`; KeyError when the pair does not exist."""
    return MEANINGS[RunKind(kind), Outcome(outcome)]
