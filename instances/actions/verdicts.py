"""What a revocation came to, from what the provider said, the source showed and the platform showed.

    source   platform   comes to
    dead     dead, ?    verified_dead (already_dead when it was dead before)
    dead     alive      still_alive: the platform made a new access token from the refresh token
    alive    -          expiring where only the refresh token was taken; else still_alive
    ?        dead       verified_dead
    ?        alive      still_alive
    ?        ?          accepted; unclear when the provider's answer was lost

A source that was dead before anything was sent proves nothing: an access token also ends by itself.
Whatever the provider refused is `refused` only where the grant was not seen dead.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

from ceadmin.lib.sayings import Saying
from instances.actions.calls import Result
from instances.actions.trial import Trial
from instances.choices import InstanceStatus, Outcome
from providers.revocation import Verdict

_Judged = tuple[Outcome, str, Saying]

#: Before the run these were dead in all we knew.
_KNOWN_DEAD = frozenset(
    {InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED, InstanceStatus.DISABLED}
)

_REFUSALS: dict[str, Saying] = {
    "invalid_client": Saying(
        gettext_noop(
            "%(name)s refused the client id or secret (invalid_client). The token is "
            "still alive. Check the secret of the provider app."
        )
    ),
    "unsupported_token_type": Saying(
        gettext_noop(
            "%(name)s can't revoke this kind of token. It is still alive. Revoke the "
            "other one."
        )
    ),
    "unauthorized_client": Saying(
        gettext_noop(
            "%(name)s says the token belongs to another app. It is still alive. Assign "
            "the app it was made with."
        )
    ),
    Verdict.THROTTLED.value: Saying(
        gettext_noop(
            "%(name)s limits the rate. The token is still alive. Retry it later."
        )
    ),
    Verdict.UNAVAILABLE.value: Saying(
        gettext_noop(
            "%(name)s can't be reached or fails. Nothing was revoked as far as is known. "
            "Retry it later."
        )
    ),
}
_REFUSED = Saying(
    gettext_noop(
        "%(name)s refused. The token is still alive. Read its words in the attempts "
        "below."
    )
)
_LOST_ALIVE = Saying(
    gettext_noop(
        "%(name)s gave no usable answer, and the token still works: nothing was revoked. "
        "Retry it later."
    )
)
_HEALED = Saying(
    gettext_noop(
        "The access token died and the platform made a new one from the refresh token. "
        "Revoke the refresh token."
    )
)
_ALIVE = Saying(
    gettext_noop(
        "The provider said yes and the token still works. Wait a minute and probe; then "
        "revoke again."
    )
)
_ALIVE_THERE = Saying(
    gettext_noop(
        "The token is dead at the provider, yet calls through the platform still work. "
        "Wait a minute and probe; then revoke again."
    )
)
_EXPIRING = Saying(
    gettext_noop(
        "The refresh token is dead. The access token can't be revoked and works until it "
        "ends by itself. Probe after that."
    )
)
_EXPIRING_AT = Saying(
    gettext_noop(
        "The refresh token is dead. The access token can't be revoked and works until it "
        "ends by itself at %(time)s. Probe after that."
    )
)
_EXPIRING_WITHIN = Saying(
    gettext_noop(
        "The refresh token is dead. The access token can't be revoked and works until it "
        "ends by itself, within %(minutes)s minutes. Probe after that."
    )
)
_INTERRUPTED = Saying(
    gettext_noop("The answer was lost on the way; the grant was seen dead afterwards.")
)
_NOT_SEEN = Saying(
    gettext_noop(
        "%(name)s said yes; neither the provider nor the platform could show that the "
        "grant is dead. Probe later."
    )
)
_LOST = Saying(
    gettext_noop(
        "The answer was lost, and nothing could show whether the grant is dead. Probe "
        "the instance; revoke again if it works."
    )
)
_REFRESH_UNSEEN = Saying(
    gettext_noop(
        "The access token is dead; whether the refresh token lives was not seen. Revoke "
        "the refresh token."
    )
)
_NOTHING = Saying("")

#: Those of them that have holes.
SAYINGS = (
    *_REFUSALS.values(),
    *(_REFUSED, _LOST_ALIVE, _EXPIRING_AT, _EXPIRING_WITHIN, _NOT_SEEN),
)


def judge(trial: Trial) -> Result:
    """Return the result of a revocation whose calls were all made."""
    outcome, cause, saying = _judge(trial)
    return Result(
        outcome.value,
        cause=cause,
        explanation=_explained(trial, saying),
        facts=trial.facts,
        changes=trial.changes,
    )


def died_along(trial: Trial, words: str, *, before: bool) -> Result:
    """Return the result of a token that was sent nowhere, and died with another one.

    `before`: the whole grant was dead before the run.
    """
    outcome = Outcome.ALREADY_DEAD if before else Outcome.VERIFIED_DEAD
    return Result(
        outcome.value,
        cause="" if before else "same_grant",
        explanation="" if before else words,
        facts=trial.facts,
        changes=trial.changes,
    )


def _explained(trial: Trial, saying: Saying) -> str:
    """Fill in whose words it are, and when the access token ends: the source may know, or the record."""
    seconds = trial.provider.revoke.access_lives_seconds
    if saying is _EXPIRING and trial.until:
        return _EXPIRING_AT.english(time=trial.until)
    if saying is _EXPIRING and seconds:
        return _EXPIRING_WITHIN.english(minutes=round(seconds / 60))
    return saying.english(name=trial.provider.name)


def _judge(trial: Trial) -> _Judged:
    if not trial.taken and not trial.lost:
        return _not_taken(trial)
    if trial.lost and trial.proven != "dead":
        return _lost(trial)
    if trial.proven == "alive":
        return _alive(trial)
    if trial.proven == "dead" or trial.source == "dead":
        return _dead(trial)
    return Outcome.ACCEPTED, "not_verifiable", _NOT_SEEN


def _not_taken(trial: Trial) -> _Judged:
    """The provider carried out nothing; what is dead all the same was so before."""
    if trial.proven == "dead":
        return Outcome.ALREADY_DEAD, "", _NOTHING
    words = _REFUSALS.get(trial.code) or _REFUSALS.get(trial.refusal) or _REFUSED
    return Outcome.REFUSED, trial.code or trial.refusal, words


def _lost(trial: Trial) -> _Judged:
    cause = trial.code or "answer_lost"
    if trial.proven == "alive":
        return Outcome.REFUSED, cause, _LOST_ALIVE
    return Outcome.UNCLEAR, cause, _LOST


def _alive(trial: Trial) -> _Judged:
    took_refresh = "refresh" in trial.taken
    if trial.source == "alive":
        if _ends_by_itself(trial):
            return Outcome.EXPIRING, "access_lives", _EXPIRING
        return Outcome.STILL_ALIVE, "alive_at_source", _ALIVE
    if trial.source == "dead" and not took_refresh and trial.grant.refresh_token:
        return Outcome.STILL_ALIVE, "refreshed", _HEALED
    words = _ALIVE_THERE if trial.source == "dead" else _ALIVE
    return Outcome.STILL_ALIVE, "alive_through_platform", words


def _ends_by_itself(trial: Trial) -> bool:
    """Tell whether the access token was to live on: nothing said that it would die."""
    revoke = trial.provider.revoke
    if "access" in trial.taken:
        return revoke.access_lives_seconds is not None
    return not revoke.refresh_kills_access


def _dead(trial: Trial) -> _Judged:
    if trial.lost:
        return Outcome.VERIFIED_DEAD, "answer_lost", _INTERRUPTED
    if _was_dead(trial):
        return Outcome.ALREADY_DEAD, "", _NOTHING
    if trial.platform != "dead":
        if _refresh_unseen(trial):
            return Outcome.UNCLEAR, "refresh_unseen", _REFRESH_UNSEEN
        if trial.proven != "dead":
            return Outcome.ACCEPTED, "not_verifiable", _NOT_SEEN
    return Outcome.VERIFIED_DEAD, "", _NOTHING


def _was_dead(trial: Trial) -> bool:
    """Tell whether the grant was dead before anything was sent."""
    if trial.repeated or trial.before == "alive":
        return False
    gone = Verdict.REVOKED.value not in trial.said
    known = trial.before == "dead" and trial.case.status in _KNOWN_DEAD
    seen = trial.platform == "dead" or "refresh" in trial.taken
    return seen and (gone or known)


def _refresh_unseen(trial: Trial) -> bool:
    """Tell whether a refresh token was left that can make the access token anew."""
    left = bool(trial.grant.refresh_token) and "refresh" not in trial.taken
    return left and not trial.provider.revoke.access_kills_refresh
