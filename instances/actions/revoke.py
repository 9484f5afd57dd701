"""Revoke: read the token, kill it at the provider, see it dead, at the source and through the platform.

    1  read      GET /instances with the full header, just before the call: a stale refresh token
                 answers 200 and changes nothing
    2  before    the verification call, where the record has one: what "alive" looks like
    3  revoke    as the record says, refresh token first; each call's intent is stored before it leaves
    4  source    the verification call again, with patience for eventual consistency
    5  platform  one ping, a second only when the first still works: five failed refreshes disable an
                 instance, so a dead one is not asked twice

A lost answer is never repeated blindly: the token is looked at first, and sent once more only when it
was seen alive. "Revoked" means seen dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.utils.translation import gettext_noop

from ceadmin.lib import http, redact, sealed
from ceadmin.lib.sayings import Saying
from instances import cloud_elements, reach
from instances.actions import along, verdicts
from instances.actions.calls import (
    Call,
    Flow,
    Result,
    TooLong,
    Wait,
)
from instances.actions.case import Case
from instances.actions.causes import Cause, sentence
from instances.actions.talk import ask
from instances.actions.trial import (
    Steps,
    Trial,
    ask_platform,
    look_before,
    look_dead,
    look_once,
)
from instances.choices import InstanceStatus, Outcome
from instances.cloud_elements import Code, PlatformError, Refused, RemoteInstance
from providers import revocation
from providers.revocation import Grant, NotRevocable, Step, Verdict
from providers.spec import Provider

__all__ = ["Steps", "read_remote", "revoke"]

_NO_PROVIDER = Result(
    Outcome.MISCONFIGURED.value,
    cause="unknown_element",
    explanation=gettext_noop(
        "The catalogue knows no provider for this element. Assign a provider app with "
        "the generic record."
    ),
)
_NO_APP = Result(
    Outcome.MISCONFIGURED.value,
    cause="no_app",
    explanation=gettext_noop(
        "No provider app is assigned to this instance, and its provider asks for the "
        "app's client id and secret. Assign one on the instance's page."
    ),
)
OFF = Saying(
    gettext_noop(
        "The record of %(name)s is off: it was not proved. An owner of the organization "
        "can switch it on under Providers > Providers switched on; then revoke again."
    )
)
#: How what a person does by hand ends an explanation.
BY_HAND = Saying(gettext_noop("By hand: %(steps)s."))
#: Where a NotRevocable leads; everything else it says is a matter of set-up.
_NOT_REVOCABLE = {
    "unsupported": Outcome.UNSUPPORTED,
    "nothing_to_revoke": Outcome.NOTHING_TO_REVOKE,
}
#: What `RemoteInstance.token_problem` means here.
_TOKEN_PROBLEMS = {
    "masked_token": (
        "masked_token",
        gettext_noop(
            "The platform hides the token, so nothing can be revoked with it."
        ),
    ),
    "garbled_token": (
        "garbled_token",
        gettext_noop(
            "The platform shows a token with characters that no token has. Sync and "
            "retry; if it stays so, revoke by hand."
        ),
    ),
    "no_configuration": (
        "empty_configuration",
        gettext_noop(
            "The platform shows no configuration for this instance, so its token is not "
            "known. Sync with a user who may see it, then retry."
        ),
    ),
    "no_token": (
        "nothing_to_revoke",
        gettext_noop(
            "The platform holds no token for this instance, so there is nothing to "
            "revoke."
        ),
    ),
}
#: The provider did not do it, and says so.
_NOT_DONE = (Verdict.REFUSED, Verdict.THROTTLED, Verdict.UNAVAILABLE)


def revoke(case: Case, *, steps: Steps | None = None) -> Flow[Result]:
    """Revoke one instance's grant and prove it."""
    if case.provider is None or case.switched_off:
        return _off(case.provider)
    steps = steps or Steps()
    try:
        remote = yield from read_remote(case, step=steps.read)
        trial = _trial(case, case.provider, remote, steps)
        plan = _plan(case, trial)
    except NotRevocable as problem:
        return _not_revocable(case, problem)
    except PlatformError as problem:
        return unread(problem)
    return (yield from _kill(trial, plan))


def _off(provider: Provider | None) -> Result:
    """Return the result of an instance whose provider may not be called, or is not known."""
    if provider is None:
        return _NO_PROVIDER
    steps = "; ".join(provider.manual_steps)
    return Result(
        Outcome.MISCONFIGURED.value,
        cause="provider_off",
        explanation=f"{OFF.english(name=provider.name)} {BY_HAND.english(steps=steps)}",
    )


def _not_revocable(case: Case, problem: NotRevocable) -> Result:
    if problem.code == "no_client_secret" and case.app is None:
        return _NO_APP
    outcome = _NOT_REVOCABLE.get(problem.code, Outcome.MISCONFIGURED)
    return Result(outcome.value, cause=problem.code, explanation=problem.sentence)


# The read


def unread(problem: PlatformError) -> Result:
    """Return the result of an instance that could not be read: nothing was sent to its provider."""
    refused = isinstance(problem, Refused)
    outcome = Outcome.MISCONFIGURED if refused else Outcome.TRANSIENT
    return Result(
        outcome.value,
        cause=problem.code,
        explanation=sentence(problem.code) or _UNREAD,
        facts=problem.facts,
        status=InstanceStatus.MISSING.value if problem.code == Cause.GONE else None,
        status_reason=problem.code if problem.code == Cause.GONE else "",
    )


_UNREAD = gettext_noop(
    "The platform did not answer, so nothing was sent to the provider. Retry later."
)


def read_remote(
    case: Case, *, step: int = 0, purpose: str = "read"
) -> Flow[RemoteInstance]:
    """Come to the instance with its tokens; raises PlatformError with a cause of `Cause` where one is known.

    The read with the full header is the article's; where it is refused, the read by id tells whether
    the organization's secrets, the element token or the instance itself is the reason.
    """
    if case.element_token:
        remote = yield from _read_scoped(case, step, purpose)
        if remote is not None and remote.configuration:
            return remote
    request = cloud_elements.instance_by_id(case.credentials, case.remote_id)
    call = Call(request, step=step, purpose=f"{purpose}_look", secrets=case.secrets)
    try:
        return (yield from ask(call, _reader(case)))
    except Refused as refused:
        known = {401: Cause.ORGANIZATION_SECRETS, 404: Cause.GONE}.get(refused.status)
        refused.code = str(known or refused.code)
        raise


def _read_scoped(case: Case, step: int, purpose: str) -> Flow[RemoteInstance | None]:
    """Read with the full header; come to None where only the read by id can tell more."""
    request = cloud_elements.instance_of_token(case.credentials, case.element_token)
    call = Call(request, step=step, purpose=purpose, secrets=case.secrets)
    try:
        return (yield from ask(call, _reader(case)))
    except Refused as refused:
        if not refused.status and refused.code != Code.TOO_LARGE:
            raise
    except PlatformError as problem:
        if problem.code != Code.OTHER_INSTANCE:
            raise
    return None


def _reader(case: Case) -> partial[RemoteInstance]:
    return partial(cloud_elements.read_instance, expected_id=case.remote_id)


def _trial(
    case: Case, provider: Provider, remote: RemoteInstance, steps: Steps
) -> Trial:
    problem = _token_problem(provider, remote)
    if problem:
        raise NotRevocable(*_TOKEN_PROBLEMS[problem], provider.manual_steps)
    grant = _grant(case, provider, remote)
    redact.learn(*grant.secrets, remote.token)
    known_by = sealed.traces(grant.refresh_token or grant.access_token)
    token = remote.token or case.element_token
    account = str(case.options.get("account") or "")
    same = reach.key_of(provider, account, grant.client_id)
    return Trial(case, provider, grant, steps, known_by, token, reach=same)


def _token_problem(provider: Provider, remote: RemoteInstance) -> str:
    if not remote.configuration:
        return "no_configuration"
    own = provider.entries.access
    return remote.problem_of(own) if own else remote.token_problem


def _grant(case: Case, provider: Provider, remote: RemoteInstance) -> Grant:
    app, own = case.app, provider.entries
    site = revocation.site_values(
        provider, remote.configuration or {}, app.site if app else {}
    )
    return Grant(
        access_token=remote.token_at(own.access) if own.access else remote.access_token,
        refresh_token="" if own.access else remote.refresh_token,
        site=site,
        client_id=app.client_id if app else "",
        client_secret=app.client_secret if app else "",
        token_secret=(
            remote.token_at(own.secret) if own.secret else remote.access_token_secret
        ),
    )


def _plan(case: Case, trial: Trial) -> list[Step]:
    form = str(case.options.get("form") or "default")
    only = case.options.get("only")
    return revocation.plan(
        trial.provider, trial.grant, form=form, only=str(only) if only else None
    )


# The kill


def _kill(trial: Trial, plan: Sequence[Step]) -> Flow[Result]:
    yield from look_before(trial)
    if trial.case.prior_intent and (yield from _done_before(trial)):
        return verdicts.judge(trial)
    with_another = yield from along.once(trial, partial(_round, trial, plan))
    if with_another is not None:
        return with_another
    if trial.lost and trial.proven == "alive":
        # It lives, so what was lost did nothing: this is a new try, not a blind one.
        trial.lost, trial.repeated, trial.platform = False, True, "unknown"
        yield from _round(trial, plan)
    return verdicts.judge(trial)


def _done_before(trial: Trial) -> Flow[bool]:
    """An earlier try may have done it: look before anything is sent again."""
    trial.source = trial.before
    if trial.source != "alive":
        yield from ask_platform(trial, looks=1)
    if trial.proven == "alive":
        trial.source = trial.platform = "unknown"
        return False  # it lives, so nothing was revoked: try again
    trial.lost, trial.before = True, "unknown"
    trial.said.append("lost")
    trial.tokens.append("earlier")
    return True


def _round(trial: Trial, plan: Sequence[Step]) -> Flow[None]:
    """Send what the plan says, and look what came of it."""
    trial.refusal = ""
    for step in plan:
        verdict = yield from _send(trial, step)
        if verdict in _NOT_DONE:
            trial.refusal = verdict.value
            if trial.code != "unsupported_token_type":
                break
        elif verdict in (Verdict.REVOKED, Verdict.ALREADY):
            trial.taken.append(step.token_kind.value)
    if trial.taken or trial.lost:
        yield from look_dead(trial)
        return
    # Nothing was done, and yet it may be dead: "refused" says that it lives.
    yield from look_once(trial)
    if trial.source != "alive":
        yield from ask_platform(trial, looks=1)


def _send(trial: Trial, step: Step) -> Flow[Verdict]:
    """Send one revocation; come to the provider's verdict. Repeats only what certainly did nothing."""
    call = Call(
        step.request,
        step=trial.steps.revoke,
        purpose=step.purpose,
        intent=True,
        secrets=(*trial.secrets, *step.secrets),
        grant=trial.fingerprint,
        grant_before=tuple(trial.traces[1:]),
        reach=trial.reach,
        instead_of=trial.instead_of,
        held=trial.grant,
        record_version=trial.case.record_version,
    )
    verdict, wait = yield from _exchange(trial, step, call)
    if wait is not None:
        try:
            yield Wait(wait)
            verdict, _ = yield from _exchange(trial, step, call)
        except TooLong:
            pass  # nobody waits for so long: what was answered stands
    trial.said.append(verdict.value)
    trial.tokens.append(step.token_kind.value)
    return verdict


def _exchange(
    trial: Trial, step: Step, call: Call
) -> Flow[tuple[Verdict, float | None]]:
    """Come to the verdict, and after how many seconds the call may be sent again without a look."""
    try:
        answer = yield call
    except http.NotSent as error:
        trial.code = error.code
        blocked = isinstance(error, http.Blocked)
        return Verdict.UNAVAILABLE, None if blocked else 1.0
    except http.HttpError as error:
        trial.code, trial.lost = error.code, True
        return Verdict.UNCLEAR, None
    if answer is None:
        raise TypeError("a driver has to answer a call")
    reading = revocation.read(trial.provider, step, answer)
    trial.code = reading.code
    if answer.status in (429, 503):
        # RFC 7009 §2.2.1: the token still exists and the call may be repeated.
        return reading.verdict, reading.retry_after or 1.0
    if reading.verdict in (Verdict.UNCLEAR, Verdict.UNAVAILABLE):
        trial.lost = True  # another 5xx says nothing about the token
        return Verdict.UNCLEAR, None
    return reading.verdict, None
