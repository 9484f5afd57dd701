"""Reconnect: what follows once the code of a consent came back.

    finish    PATCH /instances with the code                                          step 7
              look: read the instance, enable it if it is disabled, ping it,
              ask the provider whose account it is now                                step 8

A code works once and is never sent twice. When the answer to the PATCH is lost, the look decides: an
instance that was dead before and works now was reconnected; anything else stays `unclear`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from ceadmin.lib import http, redact
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams.choices import ReauthenticateBy
from instances import cloud_elements
from instances.actions.calls import Call, Flow, Result
from instances.actions.case import Case
from instances.actions.causes import Cause, sentence
from instances.actions.consent_flow import needed_app
from instances.actions.probe import probe
from instances.actions.talk import ask, tell
from instances.choices import NEEDS_PERSON, InstanceStatus, Outcome
from instances.cloud_elements import (
    Code,
    OAuthClient,
    PlatformError,
    Refused,
    RemoteInstance,
    Unclear,
)
from providers import revocation, sites
from providers.choices import CallbackMode
from providers.errors import NotRevocable
from providers.grants import Grant

STEP_HAND_OVER, STEP_ALIVE = 7, 8

#: Refusals that the person at the provider cannot mend: something here is not set up.
_SET_UP = frozenset(
    {
        Code.UNAUTHORIZED,
        Code.FORBIDDEN,
        Code.NOT_FOUND,
        Code.MALFORMED_SECRET,
        Code.MALFORMED_ID,
        Code.MASKED_VALUE,
        Code.MISSING_APP_SECRET,
        Code.BAD_OAUTH_URL,
        Code.REDIRECTED,
    }
)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of the instance before the person consented."""

    account: str = ""  # the provider's account id, "" unknown
    callback_url: str = ""  # the one stored at the platform
    dead: bool = False  # seen dead: then a working instance proves a new grant


def before_of(case: Case, *, dead: bool = False, **known: str) -> Before:
    """Return what `case` says of the time before; `dead` adds what a drill has just seen."""
    return Before(dead=dead or case.status in NEEDS_PERSON, **known)


# The code


def finish(
    case: Case, provider_data: Mapping[str, str], before: Before
) -> Flow[Result]:
    """Give the platform what the consent brought, once, and see what came of it."""
    lost = ""
    try:
        yield from _hand_over(case, provider_data)
    except Unclear as problem:
        lost = problem.code
    except PlatformError as problem:
        return refused(problem)
    return (yield from look(case, before, lost=lost))


def refused(problem: PlatformError) -> Result:
    """Return the result for a platform that did not take the code, or gave no address."""
    outcome = Outcome.MISCONFIGURED if _of_set_up(problem) else Outcome.STILL_DEAD
    return Result(
        outcome.value,
        cause=problem.code,
        explanation=sentence(problem.code),
        facts=problem.facts,
        status=InstanceStatus.MISSING.value if problem.code == Cause.GONE else None,
    )


def _of_set_up(problem: PlatformError) -> bool:
    return problem.code in _SET_UP or problem.code.startswith("blocked")


def _hand_over(case: Case, provider_data: Mapping[str, str]) -> Flow[RemoteInstance]:
    app = needed_app(case)
    client = OAuthClient(app.client_id, app.client_secret, case.callback_url, app.scope)
    request = yield from _request(case, client, provider_data)
    secret = {"code", "oauth_token", "oauth_verifier", "secret"}
    hidden = tuple(value for name, value in provider_data.items() if name in secret)
    redact.learn(*hidden)
    call = Call(
        request,
        step=STEP_HAND_OVER,
        purpose="reauthenticate",
        intent=True,
        secrets=(*case.secrets, *hidden),
    )
    reader = partial(cloud_elements.read_reauthenticated, expected_id=case.remote_id)
    return (yield from tell(call, reader))


def _request(
    case: Case, client: OAuthClient, provider_data: Mapping[str, str]
) -> Flow[http.Request]:
    """Come to the request of the form that the organization's tenant takes."""
    whole = cloud_elements.app_configuration(client)
    # Theirs: key, secret and callback of the instance are the customer's and stay.
    ours = case.app is not None and case.app.callback_mode == CallbackMode.OURS
    configuration = whole if ours else None
    if case.reauthenticate_by == ReauthenticateBy.PUT_INSTANCE:
        fetched = yield from _read(case, purpose="read_before")
        return cloud_elements.put_instance(
            case.credentials, fetched, provider_data, whole
        )
    if case.reauthenticate_by == ReauthenticateBy.PATCH_INSTANCE_BY_ID:
        return cloud_elements.patch_instance_by_id(
            case.credentials, case.remote_id, provider_data, configuration
        )
    return cloud_elements.patch_instance(
        case.credentials, case.element_token, provider_data, configuration
    )


# The look


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the look found."""

    works: Result  # of the probe
    remote: RemoteInstance | None
    account: str = ""


def look(case: Case, before: Before, *, lost: str = "") -> Flow[Result]:
    """See what the instance is now, and judge; `lost` names why the PATCH's answer is missing."""
    try:
        remote = yield from _read(case)
        if remote.disabled:
            yield from _enable(case)
    except PlatformError:
        remote = None  # the probe below says more about what is wrong
    works = yield from probe(case, step=STEP_ALIVE, purpose="alive")
    account = yield from _account(case, remote)
    return _judge(_Seen(works, remote, account), before, lost)


def _read(case: Case, *, purpose: str = "read_after") -> Flow[RemoteInstance]:
    request = cloud_elements.instance_by_id(case.credentials, case.remote_id)
    call = Call(request, purpose=purpose, secrets=case.secrets)
    reader = partial(cloud_elements.read_instance, expected_id=case.remote_id)
    return (yield from ask(call, reader))


def _enable(case: Case) -> Flow[None]:
    """Enable what the platform disabled after failed refreshes: a new grant alone does not."""
    request = cloud_elements.enable(case.credentials, case.remote_id)
    call = Call(request, purpose="enable", intent=True, secrets=case.secrets)
    yield from tell(call, cloud_elements.read_enabled)


def _account(case: Case, remote: RemoteInstance | None) -> Flow[str]:
    """Learn whose account the new token opens; "" when it cannot be told."""
    if case.provider is None or remote is None or remote.token_problem:
        return ""
    try:
        grant = _grant(case, remote)
        request = revocation.identity(case.provider, grant)
    except (NotRevocable, Refused):
        return ""
    known = grant.site.get(case.provider.account_placeholder, "")
    if known or request is None:
        return known
    tokens = (remote.access_token, remote.refresh_token)
    call = Call(
        request,
        purpose="identity",
        secrets=(*case.secrets, *filter(None, tokens)),
        held=grant,
    )
    try:
        answer = yield call
    except http.HttpError:
        return ""
    return revocation.read_identity(case.provider, answer) if answer else ""


def _grant(case: Case, remote: RemoteInstance) -> Grant:
    app = needed_app(case)
    redact.learn(remote.access_token, remote.refresh_token)
    return Grant(
        access_token=remote.access_token,
        refresh_token=remote.refresh_token,
        site=_site(case, remote),
        client_id=app.client_id,
        client_secret=app.client_secret,
    )


def _site(case: Case, remote: RemoteInstance) -> dict[str, str]:
    if case.provider is None or case.app is None:
        return dict(case.site)
    found = sites.site_values(case.provider, remote.configuration or {}, case.app.site)
    return {**case.site, **found}


def _judge(seen: _Seen, before: Before, lost: str) -> Result:
    works = seen.works
    if works.outcome not in (Outcome.CONNECTED, Outcome.NOT_SUPPORTED):
        return _still_dead(works, lost)
    if lost and not (before.dead and works.outcome == Outcome.CONNECTED):
        return Result(
            Outcome.UNCLEAR.value,
            cause="answer_lost",
            explanation=_UNTOLD,
            facts={"lost": lost},
        )
    facts = _facts(seen, before, lost)
    changes = _changes(seen)
    if before.account and seen.account and seen.account != before.account:
        return Result(
            Outcome.WRONG_ACCOUNT.value,
            cause="other_account",
            facts={**facts, "account_before": before.account},
            changes=changes,
        )
    if seen.account:
        changes["account"] = seen.account
    return Result(Outcome.RECONNECTED.value, facts=facts, changes=changes)


def _still_dead(works: Result, lost: str) -> Result:
    """Return what a look that found no working instance comes to."""
    status = {
        Outcome.DISABLED: InstanceStatus.DISABLED.value,
        Outcome.TRANSIENT: InstanceStatus.DEGRADED.value,
    }.get(Outcome(works.outcome), works.status)
    lost_too = {"lost": lost} if lost else {}
    # What fails in passing says nothing of the grant: nobody is sent to consent again for it.
    unseen = works.outcome == Outcome.TRANSIENT
    outcome = Outcome.UNCLEAR if unseen else Outcome.STILL_DEAD
    return Result(
        outcome.value,
        cause=works.cause,
        explanation=_UNSEEN if unseen and not lost else works.explanation,
        facts={**works.facts, **lost_too},
        status=status,
        status_reason=works.cause,
        changes=works.changes,
    )


_UNTOLD = gettext_noop(
    "The platform's answer was lost. The instance works, but it did so before, so "
    "nobody can tell which authorization it uses."
)
_UNSEEN = gettext_noop(
    "The platform took the new authorization and could not be asked since whether it "
    "works. Probe the instance before anybody is asked again."
)


def _facts(seen: _Seen, before: Before, lost: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"account": seen.account, "lost": lost}
    after = seen.remote.callback_url if seen.remote else ""
    if after and before.callback_url and after != before.callback_url:
        facts["callback_before"] = before.callback_url
    if seen.works.outcome == Outcome.NOT_SUPPORTED:
        facts["not_verified"] = True
    return {name: value for name, value in facts.items() if value}


def _changes(seen: _Seen) -> dict[str, Any]:
    """Return what the mirror has to follow; the tokens leave a fingerprint and nothing else."""
    changes: dict[str, Any] = {**seen.works.changes, "disabled": False}
    if seen.remote is not None:
        token = seen.remote.refresh_token or seen.remote.access_token
        if token:
            changes["grant_fingerprint"] = fingerprint(token)
        if seen.remote.callback_url:
            changes["callback_url"] = seen.remote.callback_url[:500]
    return changes
