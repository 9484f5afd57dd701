"""Revoke: read the token, kill it at the provider, see it dead, at the source and through the platform.

    1  read      GET /instances with the full header, just before the call: a stale refresh token
                 answers 200 and changes nothing
    2  before    the verification call, where the record has one: what "alive" looks like
    3  revoke    as the record says, refresh token first; each call's intent is stored before it leaves
    4  source    the verification call again, with patience for eventual consistency
    5  platform  one ping, a second only when the first still works: five failed refreshes disable an
                 instance, so a dead one is not asked twice

A lost answer is never repeated blindly: the token is looked at first. "Revoked" means seen dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ceadmin.lib import http, redact, sealed
from instances import cloud_elements
from instances.actions import verdicts
from instances.actions.calls import Call, Flow, Result, SameGrant, Wait
from instances.actions.case import Case
from instances.actions.causes import Cause, sentence
from instances.actions.talk import ask
from instances.choices import InstanceStatus, Outcome
from instances.cloud_elements import PlatformError, RateLimited, Refused, RemoteInstance
from providers import revocation
from providers.revocation import Grant, NotRevocable, Step, Verdict
from providers.spec import Provider

#: How long a rate-limited provider is waited for before the item ends as refused.
_PATIENCE = 30.0
#: Seconds between looks at the source while a revocation spreads, until the record's own time is over.
_LOOKS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)
#: Before the platform is asked a second time.
_PLATFORM_PAUSE = 2.0

_NO_PROVIDER = Result(
    Outcome.MISCONFIGURED.value,
    cause="unknown_element",
    explanation="The catalogue knows no provider for this element. Assign a provider app with the generic record.",
)
#: Where a NotRevocable leads; everything else it says is a matter of set-up.
_NOT_REVOCABLE = {"unsupported": Outcome.UNSUPPORTED, "nothing_to_revoke": Outcome.NOTHING_TO_REVOKE}


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
    fingerprint: str
    before: str = "unknown"  # at the source: "alive", "dead", "unknown"
    before_answer: http.Answer | None = None
    said: list[str] = field(default_factory=list)  # the provider's verdicts
    tokens: list[str] = field(default_factory=list)  # the kinds that were sent
    lost: bool = False
    code: str = ""
    source: str = "unknown"
    platform: str = "unknown"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what to mask wherever a call of this trial is quoted."""
        tokens = (self.grant.access_token, self.grant.refresh_token)
        return (*self.case.secrets, *(token for token in tokens if token))

    @property
    def facts(self) -> dict[str, Any]:
        """Return what may be stored and shown."""
        return {
            "revoked": bool(self.tokens) and bool({Verdict.REVOKED.value, "lost"} & set(self.said)),
            "tokens": self.tokens,
            "said": self.said,
            "source": self.source,
            "platform": self.platform,
            "fingerprint": self.fingerprint,
        }


def revoke(case: Case, *, steps: Steps = Steps()) -> Flow[Result]:
    """Revoke one instance's grant and prove it."""
    if case.provider is None:
        return _NO_PROVIDER
    try:
        remote = yield from read_remote(case, step=steps.read)
        trial = _trial(case, case.provider, remote, steps)
        plan = _plan(case, trial)
        return (yield from _kill(trial, plan))
    except NotRevocable as problem:
        outcome = _NOT_REVOCABLE.get(problem.code, Outcome.MISCONFIGURED)
        return Result(outcome.value, cause=problem.code, explanation=problem.sentence)
    except SameGrant as same:
        return Result(Outcome.SKIPPED.value, cause="same_grant", facts={"same_as_item": same.item_id})
    except PlatformError as problem:
        return Result(
            Outcome.MISCONFIGURED.value,
            cause=problem.code,
            explanation=sentence(problem.code),
            facts=problem.facts,
            status=InstanceStatus.MISSING.value if problem.code == Cause.GONE else None,
        )


def read_remote(case: Case, *, step: int = 0, purpose: str = "read") -> Flow[RemoteInstance]:
    """Come to the instance with its tokens; raises PlatformError with a cause of `Cause` where one is known.

    The read with the full header is the article's; where it is refused, the read by id tells whether
    the organization's secrets, the element token or the instance itself is the reason.
    """
    reader = partial(cloud_elements.read_instance, expected_id=case.remote_id)
    if case.element_token:
        request = cloud_elements.instance_of_token(case.credentials, case.element_token)
        try:
            remote = yield from ask(Call(request, step=step, purpose=purpose, secrets=case.secrets), reader)
        except Refused as refused:
            if not refused.status:
                raise
        else:
            if remote.configuration is not None:
                return remote
    request = cloud_elements.instance_by_id(case.credentials, case.remote_id)
    try:
        return (yield from ask(Call(request, step=step, purpose=f"{purpose}_look", secrets=case.secrets), reader))
    except Refused as refused:
        cause = {401: Cause.ORGANIZATION_SECRETS, 404: Cause.GONE}.get(refused.status)
        raise Refused(cause or refused.code, status=refused.status, request_id=refused.request_id) from refused


def _trial(case: Case, provider: Provider, remote: RemoteInstance, steps: Steps) -> Trial:
    if remote.token_problem == "masked_token":
        raise NotRevocable(
            "masked_token", "The platform hides the token, so nothing can be revoked with it. " + _by_hand(provider)
        )
    if remote.token_problem:
        raise NotRevocable(
            "nothing_to_revoke", "The platform holds no usable token for this instance, so there is nothing to revoke."
        )
    redact.learn(remote.access_token, remote.refresh_token)
    app = case.app
    grant = Grant(
        access_token=remote.access_token,
        refresh_token=remote.refresh_token,
        site=revocation.site_values(provider, remote.configuration or {}, app.site if app else {}),
        client_id=app.client_id if app else "",
        client_secret=app.client_secret if app else "",
    )
    return Trial(case, provider, grant, steps, sealed.fingerprint(remote.refresh_token or remote.access_token))


def _by_hand(provider: Provider) -> str:
    return "By hand: " + " ".join(provider.manual_steps)


def _plan(case: Case, trial: Trial) -> list[Step]:
    form = str(case.options.get("form") or "default")
    only = case.options.get("only")
    return revocation.plan(trial.provider, trial.grant, form=form, only=str(only) if only else None)


def _kill(trial: Trial, plan: Sequence[Step]) -> Flow[Result]:
    trial.before, trial.before_answer = yield from _look(trial, None, purpose="before", step=trial.steps.read)
    if trial.case.prior_intent:
        ended = yield from _after_lost(trial)
        if ended:
            return ended
    for step in plan:
        verdict = yield from _send(trial, step)
        if verdict in (Verdict.REFUSED, Verdict.THROTTLED, Verdict.UNAVAILABLE):
            if trial.code == "unsupported_token_type" and step is not plan[-1]:
                continue
            return verdicts.refused(trial, verdict)
    yield from _see_dead(trial)
    return verdicts.judge(trial)


def _after_lost(trial: Trial) -> Flow[Result | None]:
    """An earlier try was sent and its answer lost: look before anything is sent again."""
    trial.source, trial.lost = trial.before, True
    if trial.source != "alive":
        yield from _ask_platform(trial, looks=1)
    if trial.source == "alive" or trial.platform == "alive":
        trial.lost = False
        return None  # it lives, so nothing was revoked: try again
    trial.said.append("lost")
    trial.tokens.append("earlier")
    return verdicts.judge(trial)


def _send(trial: Trial, step: Step) -> Flow[Verdict]:
    """Send one revocation; come to the provider's verdict. Repeats only what certainly did nothing."""
    call = Call(
        step.request,
        step=trial.steps.revoke,
        purpose=step.purpose,
        intent=True,
        secrets=trial.secrets,
        grant=trial.fingerprint,
        held=trial.grant,
    )
    for pause in (_PATIENCE, 0.0):
        verdict, wait = yield from _exchange(trial, step, call)
        repeatable = verdict in (Verdict.THROTTLED, Verdict.UNAVAILABLE) and wait is not None
        if not repeatable or wait is None or wait > pause:
            break
        yield Wait(wait)
    trial.said.append(verdict.value)
    trial.tokens.append(step.token_kind)
    return verdict


def _exchange(trial: Trial, step: Step, call: Call) -> Flow[tuple[Verdict, float | None]]:
    try:
        answer = yield call
    except http.NotSent as error:
        trial.code = error.code
        return Verdict.UNAVAILABLE, 1.0
    except http.HttpError as error:
        trial.code, trial.lost = error.code, True
        return Verdict.UNCLEAR, None
    if answer is None:
        raise TypeError("a driver has to answer a call")
    reading = revocation.read(trial.provider, step, answer)
    trial.code = reading.code
    if reading.verdict == Verdict.UNCLEAR:
        trial.lost = True
    # RFC 7009 §2.2.1: after 503 the token still exists and the call may be repeated; another 5xx says nothing.
    repeat = answer.status in (429, 503)
    return reading.verdict, (reading.retry_after or 1.0) if repeat else None


def _look(
    trial: Trial, before: http.Answer | None, *, purpose: str, step: int
) -> Flow[tuple[str, http.Answer | None]]:
    """Make the verification call once; come to "dead", "alive" or "unknown" and the answer."""
    request = revocation.verification(trial.provider, trial.grant)
    if request is None:
        return "unknown", None
    try:
        answer = yield Call(request, step=step, purpose=purpose, secrets=trial.secrets, held=trial.grant)
    except http.HttpError:
        return "unknown", None
    if answer is None:
        raise TypeError("a driver has to answer a call")
    return revocation.read_verification(trial.provider, answer, before), answer


def _see_dead(trial: Trial) -> Flow[None]:
    """Look at the source until it is dead or the record's time is over, then through the platform."""
    waited = 0.0
    for pause in _LOOKS:
        if waited and waited + pause > max(trial.provider.propagation_seconds, 3.0):
            break
        if pause:
            yield Wait(pause)
        waited += pause
        trial.source, _ = yield from _look(
            trial, trial.before_answer, purpose="verify_source", step=trial.steps.dead
        )
        if trial.source != "alive":
            break
    if trial.source != "alive" or "refresh" not in trial.tokens:
        yield from _ask_platform(trial, looks=2)


def _ask_platform(trial: Trial, *, looks: int) -> Flow[None]:
    """Call through the platform: at most `looks` calls, and none after a refused one."""
    for number in range(looks):
        if number:
            yield Wait(_PLATFORM_PAUSE)
        trial.platform = yield from _ping(trial)
        if trial.platform != "alive":
            return


def _ping(trial: Trial) -> Flow[str]:
    case = trial.case
    request = cloud_elements.ping(case.credentials, case.element_token)
    try:
        answer = yield Call(request, step=trial.steps.dead, purpose="verify_platform", secrets=trial.secrets)
        if answer is None:
            raise TypeError("a driver has to answer a call")
        cloud_elements.read_pong(answer, expected_id=case.remote_id)
    except (http.HttpError, RateLimited, cloud_elements.Unreachable):
        return "unknown"
    except Refused as refused:
        dead = refused.code in (cloud_elements.Code.GRANT_REFUSED, cloud_elements.Code.DISABLED)
        return "dead" if dead else "unknown"
    return "alive"
