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

from instances.actions.calls import Result
from instances.actions.trial import Trial
from instances.choices import InstanceStatus, Outcome
from providers.revocation import Verdict

_Judged = tuple[Outcome, str, str]

#: Before the run these were dead in all we knew.
_KNOWN_DEAD = frozenset(
    {InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED, InstanceStatus.DISABLED}
)

_REFUSALS: dict[str, str] = {
    "invalid_client": "{name} refused the client id or secret (invalid_client). The token "
    "is still alive. Check the secret of the provider app.",
    "unsupported_token_type": "{name} can't revoke this kind of token. It is still alive. "
    "Revoke the other one.",
    "unauthorized_client": "{name} says the token belongs to another app. It is still "
    "alive. Assign the app it was made with.",
    Verdict.THROTTLED.value: "{name} limits the rate. The token is still alive. "
    "Retry it later.",
    Verdict.UNAVAILABLE.value: "{name} can't be reached or fails. Nothing was revoked as "
    "far as is known. Retry it later.",
}
_REFUSED = (
    "{name} refused. The token is still alive. Read its words in the attempts below."
)
_LOST_ALIVE = (
    "{name} gave no usable answer, and the token still works: nothing was revoked. "
    "Retry it later."
)
_HEALED = (
    "The access token died and the platform made a new one from the refresh token. "
    "Revoke the refresh token."
)
_ALIVE = (
    "The provider said yes and the token still works. Wait a minute and probe; "
    "then revoke again."
)
_ALIVE_THERE = (
    "The token is dead at the provider, yet calls through the platform still work. "
    "Wait a minute and probe; then revoke again."
)
_EXPIRING = (
    "The refresh token is dead. The access token can't be revoked and works until it "
    "ends by itself{until}. Probe after that."
)
_INTERRUPTED = "The answer was lost on the way; the grant was seen dead afterwards."
_NOT_SEEN = (
    "{name} said yes; neither the provider nor the platform could show that the grant "
    "is dead. Probe later."
)
_LOST = (
    "The answer was lost, and nothing could show whether the grant is dead. "
    "Probe the instance; revoke again if it works."
)
_REFRESH_UNSEEN = (
    "The access token is dead; whether the refresh token lives was not seen. "
    "Revoke the refresh token."
)


def judge(trial: Trial) -> Result:
    """Return the result of a revocation whose calls were all made."""
    outcome, cause, explanation = _judge(trial)
    return Result(
        outcome.value,
        cause=cause,
        explanation=explanation.format(name=trial.provider.name, until=_until(trial)),
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


def _until(trial: Trial) -> str:
    """Say when the access token ends: the source may know, or the record how long it lives."""
    if trial.until:
        return f" at {trial.until}"
    seconds = trial.provider.revoke.access_lives_seconds
    return f", within {round(seconds / 60)} minutes" if seconds else ""


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
        return Outcome.ALREADY_DEAD, "", ""
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
        return Outcome.ALREADY_DEAD, "", ""
    if trial.platform != "dead":
        if _refresh_unseen(trial):
            return Outcome.UNCLEAR, "refresh_unseen", _REFRESH_UNSEEN
        if trial.proven != "dead":
            return Outcome.ACCEPTED, "not_verifiable", _NOT_SEEN
    return Outcome.VERIFIED_DEAD, "", ""


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
