"""Probe: one cheap call through an instance, and what its answer says about the grant.

    ping 200                              connected
    ping 429, 5xx, HTML, time-out         transient (once more after a pause; never dead)
    ping 404 or 405, no other call known  not_supported
    ping 403, disabled                    disabled
    ping 401 or another refusal           the instance is read by id, with the organization's secrets alone:
        401                               misconfigured, organization_secrets: one problem of the organization
        404                               misconfigured, gone
        disabled                          disabled
        another element token than ours   the call is made once more with that token
        our token, the provider spoke     dead
        our token, nobody spoke           unclear

A refused ping costs the platform one failed refresh, and five of those disable an instance, so a call that
was refused is never repeated with the same token.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ceadmin.lib import http
from instances import cloud_elements
from instances.actions.calls import Call, Flow, Result
from instances.actions.case import Case
from instances.actions.causes import Cause, sentence
from instances.actions.talk import ask
from instances.choices import InstanceStatus, Outcome
from instances.cloud_elements import (
    Code,
    PlatformError,
    RateLimited,
    Refused,
    RemoteInstance,
    Unreachable,
)

#: Refusals that mean "there is no such call", when the platform says them in its own words.
_NO_SUCH_CALL = frozenset({Code.NOT_FOUND, Code.BAD_REQUEST})

#: What a refused call comes to once the instance was read and nothing else explained it.
_VERDICTS: dict[str, tuple[Outcome, Cause]] = {
    Code.GRANT_REFUSED: (Outcome.DEAD, Cause.GRANT_DEAD),
    Code.UNAUTHORIZED: (Outcome.UNCLEAR, Cause.AMBIGUOUS_401),
    Code.DISABLED: (Outcome.DISABLED, Cause.DISABLED),
    Code.FORBIDDEN: (Outcome.MISCONFIGURED, Cause.PRIVILEGE_MISSING),
    Code.PROVIDER_FORBIDS: (Outcome.MISCONFIGURED, Cause.PROVIDER_FORBIDS),
    Code.PROVIDER_REFUSED: (Outcome.UNCLEAR, Cause.PROVIDER_REFUSED),
    Code.OTHER_INSTANCE: (Outcome.MISCONFIGURED, Cause.OTHER_INSTANCE),
    Cause.NO_PROBE: (Outcome.NOT_SUPPORTED, Cause.NO_PROBE),
}

_LOOKED_UP: dict[int, Cause] = {
    401: Cause.ORGANIZATION_SECRETS,
    403: Cause.PRIVILEGE_MISSING,
    404: Cause.GONE,
}


@dataclass(frozen=True, slots=True)
class _Probe:
    """One probe: whose, and which of the drill's steps it serves."""

    case: Case
    step: int
    purpose: str

    def call(self, request: http.Request, token: str = "", purpose: str = "") -> Call:
        secrets = (*self.case.secrets, token) if token else self.case.secrets
        return Call(
            request, step=self.step, purpose=purpose or self.purpose, secrets=secrets
        )


def probe(case: Case, *, step: int = 0, purpose: str = "probe") -> Flow[Result]:
    """Find out whether an instance works."""
    try:
        return (yield from _probe(_Probe(case, step, purpose)))
    except (Unreachable, RateLimited) as problem:
        return _ended(Outcome.TRANSIENT, problem.code, problem)
    except Refused as problem:
        return _ended(Outcome.MISCONFIGURED, problem.code, problem)


def _probe(this: _Probe) -> Flow[Result]:
    if not this.case.element_token:
        return (yield from _with_remote(this, None))
    refused = yield from _through(this, this.case.element_token)
    if refused is None:
        return _connected(this.case)
    if refused.code in (Code.DISABLED, Cause.NO_PROBE, Code.REDIRECTED):
        return _verdict(refused)
    return (yield from _with_remote(this, refused))


def _through(this: _Probe, token: str) -> Flow[Refused | None]:
    """Call through the instance; come to how it was refused, None when it works."""
    request = cloud_elements.ping(this.case.credentials, token)
    refused = yield from _refusal(this, request, token)
    if refused is None or refused.code not in _NO_SUCH_CALL:
        return refused
    other = cloud_elements.fallback_probe(
        this.case.credentials,
        token,
        element_key=this.case.element_key,
        hub=this.case.hub,
    )
    if other is None:
        return Refused(
            Cause.NO_PROBE, status=refused.status, request_id=refused.request_id
        )
    refused = yield from _refusal(this, other, token)
    if refused is not None and refused.code in _NO_SUCH_CALL:
        return Refused(
            Cause.NO_PROBE, status=refused.status, request_id=refused.request_id
        )
    return refused


def _refusal(this: _Probe, request: http.Request, token: str) -> Flow[Refused | None]:
    reader = partial(cloud_elements.read_pong, expected_id=this.case.remote_id)
    try:
        yield from ask(this.call(request, token), reader)
    except Refused as refused:
        if not refused.status:  # refused here or by the guard, not by the platform
            raise
        return refused
    return None


def _with_remote(this: _Probe, refused: Refused | None) -> Flow[Result]:
    """Read the instance with the organization's secrets alone, then judge.

    `refused` is None when there was no element token to call with.
    """
    request = cloud_elements.instance_by_id(this.case.credentials, this.case.remote_id)
    reader = partial(cloud_elements.read_instance, expected_id=this.case.remote_id)
    try:
        remote = yield from ask(
            this.call(request, purpose=f"{this.purpose}_look"), reader
        )
    except Refused as problem:
        return _not_readable(problem)
    if remote.disabled:
        return _ended(
            Outcome.DISABLED, Cause.DISABLED, refused, changes={"disabled": True}
        )
    if remote.token and remote.token != this.case.element_token:
        return (yield from _with_new_token(this, remote))
    return (
        _verdict(refused)
        if refused
        else _ended(Outcome.MISCONFIGURED, Cause.NO_ELEMENT_TOKEN)
    )


def _with_new_token(this: _Probe, remote: RemoteInstance) -> Flow[Result]:
    refused = yield from _through(this, remote.token)
    changes = {"element_token": remote.token}  # sealed by whoever stores it
    return _verdict(refused, changes) if refused else _connected(this.case, changes)


def _not_readable(problem: Refused) -> Result:
    cause = _LOOKED_UP.get(problem.status, problem.code)
    status = InstanceStatus.MISSING.value if cause == Cause.GONE else None
    return _ended(Outcome.MISCONFIGURED, cause, problem, status=status)


def _connected(case: Case, changes: dict[str, Any] | None = None) -> Result:
    enabled = {"disabled": False} if case.status == InstanceStatus.DISABLED else {}
    return Result(Outcome.CONNECTED.value, changes={**enabled, **(changes or {})})


def _verdict(refused: Refused, changes: dict[str, Any] | None = None) -> Result:
    outcome, cause = _VERDICTS.get(refused.code, (Outcome.MISCONFIGURED, refused.code))
    disabled = {"disabled": True} if outcome == Outcome.DISABLED else {}
    return _ended(outcome, cause, refused, changes={**disabled, **(changes or {})})


def _ended(
    outcome: Outcome,
    cause: str,
    problem: PlatformError | None = None,
    *,
    status: str | None = None,
    changes: dict[str, Any] | None = None,
) -> Result:
    return Result(
        outcome.value,
        cause=str(cause),
        explanation=sentence(cause),
        facts=problem.facts if problem else {},
        status=status,
        status_reason=str(cause) if status else "",
        changes=changes or {},
    )
