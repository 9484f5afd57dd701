"""What a revocation came to, from what the provider said, the source showed and the platform showed.

    source   platform   comes to
    dead     dead, ?    verified_dead (already_dead when it was dead before)
    dead     alive      still_alive: the platform made a new access token from the refresh token
    alive    -          expiring where the record says that access tokens live on; else still_alive
    ?        dead       verified_dead
    ?        alive      still_alive
    ?        ?          accepted; unclear when the provider's answer was lost
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from instances.actions.calls import Result
from instances.choices import InstanceStatus, Outcome
from providers.revocation import Verdict

if TYPE_CHECKING:
    from instances.actions.revoke import Trial

#: Before the run these were dead in all we knew.
_KNOWN_DEAD = frozenset({InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED, InstanceStatus.DISABLED})

_REFUSALS: dict[str, str] = {
    "invalid_client": "{name} refused the client id or secret (invalid_client). The token is still alive. "
    "Check the secret of the provider app.",
    "unsupported_token_type": "{name} can't revoke this kind of token. The token is still alive. Revoke the other one.",
    "unauthorized_client": "{name} says the token belongs to another app. The token is still alive. "
    "Assign the app it was made with.",
}
_HEALED = "The access token died and the platform made a new one from the refresh token. Revoke the refresh token."
_ALIVE = "The provider said yes and the token still works. Wait a minute and probe; then revoke again."


def judge(trial: Trial) -> Result:
    """Return the result of a revocation whose calls were all made."""
    outcome, cause, explanation = _judge(trial)
    changes = {"grant_fingerprint": trial.fingerprint}
    return Result(
        outcome.value, cause=cause, explanation=explanation, facts=trial.facts, changes=changes
    )


def _judge(trial: Trial) -> tuple[Outcome, str, str]:
    if trial.platform == "alive":
        return _alive(trial)
    if trial.source == "alive":
        if "refresh" in trial.tokens and not trial.provider.revoke.refresh_kills_access:
            return Outcome.EXPIRING, "access_lives", ""
        return _unless_lost(trial, Outcome.STILL_ALIVE, "alive_at_source", _ALIVE)
    if trial.source == "dead" or trial.platform == "dead":
        return _dead(trial)
    return _unless_lost(trial, Outcome.ACCEPTED, "not_verifiable", "")


def _alive(trial: Trial) -> tuple[Outcome, str, str]:
    if trial.source == "dead":
        return Outcome.STILL_ALIVE, "refreshed", _HEALED
    return _unless_lost(trial, Outcome.STILL_ALIVE, "alive_through_platform", _ALIVE)


def _dead(trial: Trial) -> tuple[Outcome, str, str]:
    known = trial.before == "dead" and (
        Verdict.ALREADY.value in trial.said or trial.case.status in _KNOWN_DEAD
    )
    if known and not trial.lost:
        return Outcome.ALREADY_DEAD, "", ""
    if trial.platform == "unknown" and "access" in trial.tokens and "refresh" not in trial.tokens and trial.grant.refresh_token:
        return Outcome.UNCLEAR, "refresh_unseen", "The access token is dead; whether the refresh token lives is not seen."
    return Outcome.VERIFIED_DEAD, "answer_lost" if trial.lost else "", ""


def _unless_lost(
    trial: Trial, outcome: Outcome, cause: str, explanation: str
) -> tuple[Outcome, str, str]:
    if trial.lost and outcome == Outcome.ACCEPTED:
        return Outcome.UNCLEAR, trial.code or "answer_lost", ""
    if trial.lost:
        return (
            Outcome.REFUSED,
            trial.code or "answer_lost",
            "The provider's answer was lost, and the token still works: nothing was revoked. Retry it.",
        )
    return outcome, cause, explanation


def refused(trial: Trial, verdict: Verdict) -> Result:
    """Return the result of a revocation that the provider did not carry out; the token lives."""
    cause = trial.code or verdict.value
    if verdict == Verdict.THROTTLED:
        words = "{name} limits the rate. The token is still alive. Retry it later."
    elif verdict == Verdict.UNAVAILABLE:
        words = "{name} can't be reached or fails. Nothing was revoked as far as is known. Retry it later."
    else:
        words = _REFUSALS.get(cause, "{name} refused. The token is still alive. Read its words in the attempts below.")
    return Result(
        Outcome.REFUSED.value,
        cause=cause,
        explanation=words.format(name=trial.provider.name),
        facts=trial.facts,
        changes={"grant_fingerprint": trial.fingerprint},
    )
