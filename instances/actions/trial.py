"""One revocation under way: what it has found so far, and how it looks whether the grant lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ceadmin.lib import http
from instances import cloud_elements
from instances.actions.calls import Call, Flow, Wait
from instances.actions.case import Case
from instances.cloud_elements import PlatformError, Refused
from providers import revocation
from providers.revocation import Grant, Life, Verdict
from providers.spec import Provider

#: Seconds before each look at the source while a revocation spreads, until the
#: record's own time is over.
_LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
#: A record that names no time is given this much.
_PATIENCE = 3.0
#: A look that told nothing is repeated so often.
_BLIND_LOOKS = 2
#: Before the platform is asked a second time.
_PLATFORM_PAUSE = 2.0

_DEAD_CODES = (cloud_elements.Code.GRANT_REFUSED, cloud_elements.Code.DISABLED)
_ALIVE, _DEAD, _UNKNOWN = Life.ALIVE.value, Life.DEAD.value, Life.UNKNOWN.value


@dataclass(frozen=True, slots=True)
class Steps:
    """Which of the drill's eight steps the parts serve; all 0 outside a drill."""

    read: int = 0
    revoke: int = 0
    dead: int = 0


@dataclass(slots=True)
class Trial:
    """What one revocation has found so far."""

    case: Case
    provider: Provider
    grant: Grant
    steps: Steps
    traces: Sequence[str]  # fingerprints of the grant, the newest key's first
    element_token: str = field(repr=False)  # as just read: ours may be outdated
    before: str = _UNKNOWN  # at the source: "alive", "dead", "unknown"
    before_answer: http.Answer | None = None
    said: list[str] = field(default_factory=list)  # the provider's verdicts
    tokens: list[str] = field(default_factory=list)  # the kinds that were sent
    taken: list[str] = field(default_factory=list)  # those the provider said yes to
    refusal: str = ""  # the verdict of a step that was not carried out
    lost: bool = False  # an answer is missing: the token may be dead or not
    repeated: bool = False  # sent again, after it was seen that it lives
    code: str = ""
    source: str = _UNKNOWN
    platform: str = _UNKNOWN
    reach: str = ""  # by what other tokens are of the same grant, see `instances.reach`
    instead_of: int = 0  # the item that had the grant before, and did not kill it
    until: str = ""  # when the access token ends by itself, where the source says so

    @property
    def fingerprint(self) -> str:
        """Return the trace by which the grant is known from now on."""
        return self.traces[0]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what to mask wherever a call of this trial is quoted."""
        tokens = (
            self.grant.access_token,
            self.grant.refresh_token,
            self.grant.token_secret,
            self.element_token,
        )
        return (*self.case.secrets, *(token for token in tokens if token))

    @property
    def proven(self) -> str:
        """Return what is known of the grant now; a source that was dead before proves nothing."""
        if _ALIVE in (self.platform, self.source):
            return _ALIVE
        changed = self.source == _DEAD and self.before != _DEAD
        return _DEAD if changed or self.platform == _DEAD else _UNKNOWN

    @property
    def facts(self) -> dict[str, Any]:
        """Return what may be stored and shown."""
        yes = Verdict.REVOKED.value in self.said
        told = {
            "revoked": bool(self.tokens)
            and (yes or (self.lost and self.proven == _DEAD)),
            "tokens": self.tokens,
            "said": self.said,
            "source": self.source,
            "platform": self.platform,
            "fingerprint": self.fingerprint,
        }
        known = {
            "until": self.until,
            "refused": self.code if self.refusal == Verdict.REFUSED.value else "",
        }
        return {**told, **{name: word for name, word in known.items() if word}}

    @property
    def changes(self) -> dict[str, str]:
        """Return what the mirror has to follow."""
        told = {"grant_fingerprint": self.fingerprint}
        if self.element_token != self.case.element_token:
            told["element_token"] = self.element_token
        return told


# At the source


def look_before(trial: Trial) -> Flow[None]:
    """See what the verification call answers while nothing was sent yet."""
    trial.before, trial.before_answer = yield from _look(
        trial, None, purpose="before", step=trial.steps.read
    )


def look_dead(trial: Trial) -> Flow[None]:
    """Look at the source until it is dead or the record's time is over, then through the platform."""
    waited, blind = 0.0, 0
    for pause in _LOOKS:
        if waited and waited + pause > max(
            trial.provider.propagation_seconds, _PATIENCE
        ):
            break
        if pause:
            yield Wait(pause)
        waited += pause
        yield from look_once(trial)
        blind += trial.source == _UNKNOWN
        if trial.source == _DEAD or blind >= _BLIND_LOOKS or not _verifiable(trial):
            break
    if trial.source != _ALIVE or "refresh" not in trial.tokens:
        yield from ask_platform(trial, looks=2)


def look_once(trial: Trial) -> Flow[None]:
    """Make the verification call once more."""
    trial.source, _ = yield from _look(
        trial, trial.before_answer, purpose="verify_source", step=trial.steps.dead
    )


def _verifiable(trial: Trial) -> bool:
    return revocation.verification(trial.provider, trial.grant) is not None


def _look(
    trial: Trial, before: http.Answer | None, *, purpose: str, step: int
) -> Flow[tuple[str, http.Answer | None]]:
    request = revocation.verification(trial.provider, trial.grant)
    if request is None:
        return _UNKNOWN, None
    try:
        answer = yield Call(
            request,
            step=step,
            purpose=purpose,
            secrets=trial.secrets,
            held=trial.grant,
        )
    except http.HttpError:
        return _UNKNOWN, None
    if answer is None:
        raise TypeError("a driver has to answer a call")
    trial.until = _ends_at(answer) or trial.until
    return revocation.read_verification(trial.provider, answer, before).value, answer


def _ends_at(answer: http.Answer) -> str:
    """Return when the token ends, from an introspection's `exp` (RFC 7662 §2.2), else ""."""
    try:
        body = answer.json()
    except http.BadBody:
        return ""
    seconds = body.get("exp") if isinstance(body, dict) else None
    if type(seconds) is not int or not 0 < seconds < 2**32:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


# Through the platform


def ask_platform(trial: Trial, *, looks: int) -> Flow[None]:
    """Call through the platform: at most `looks` calls, and none after a refused one.

    Five failed refreshes disable an instance, so a dead one is not asked twice.
    """
    for number in range(looks):
        if number:
            yield Wait(_PLATFORM_PAUSE)
        trial.platform = yield from _ping(trial)
        if trial.platform != _ALIVE:
            return


def _ping(trial: Trial) -> Flow[str]:
    case = trial.case
    try:
        request = cloud_elements.ping(case.credentials, trial.element_token)
        answer = yield Call(
            request,
            step=trial.steps.dead,
            purpose="verify_platform",
            secrets=trial.secrets,
        )
        if answer is None:
            raise TypeError("a driver has to answer a call")
        cloud_elements.read_pong(answer, expected_id=case.remote_id)
    except Refused as refused:
        return _DEAD if refused.code in _DEAD_CODES else _UNKNOWN
    except (http.HttpError, PlatformError):
        return _UNKNOWN
    return _ALIVE
