"""Plan the revocation of one grant and judge what the provider answers.

Pure: a record and a grant go in, requests come out; an answer goes in, a reading comes
out. Who sends them, and what is written down, is not known here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from ceadmin.lib import http, redact
from providers import answers, calls, rules
from providers.choices import (
    Accepts,
    Effect,
    Life,
    Placement,
    Proof,
    TokenKind,
    Verdict,
)
from providers.errors import NotRevocable
from providers.grants import Grant
from providers.sites import site_values
from providers.spec import Call, Check, Provider

__all__ = [
    "Grant",
    "Life",
    "NotRevocable",
    "Reading",
    "Step",
    "Verdict",
    "account",
    "identity",
    "plan",
    "read",
    "read_identity",
    "read_verification",
    "site_values",
    "verification",
]

DEFAULT_FORM = "default"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a revocation."""

    purpose: str  # revoke_refresh or revoke_access
    token_kind: TokenKind
    request: http.Request
    kills: Effect
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the answer to a step says."""

    verdict: Verdict
    code: str
    retry_after: float | None
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    proof: Proof = Proof.VERIFY  # how much `already` proves

    @property
    def excerpt(self) -> str:
        """Return the beginning of the body, redacted and short."""
        return redact.excerpt(self.body, *self.secrets)


# Planning


def plan(
    provider: Provider,
    grant: Grant,
    *,
    form: str = DEFAULT_FORM,
    only: str | None = None,
) -> list[Step]:
    """Return the calls that revoke a grant, in the order to send them.

    `form` names one of the record's alternates; `only` is "access" or "refresh". Raises
    `NotRevocable` when nothing may be sent.
    """
    call = _call(provider, form)
    if not (grant.access_token or grant.refresh_token):
        raise NotRevocable("nothing_to_revoke", _NOTHING)
    _refuse_unsigned(provider, call, grant)
    wanted = set(TokenKind) if only is None else {TokenKind(only)}
    if call.token.place == Placement.NONE:
        return [_step(provider, call, grant, _held(grant))]
    kinds = [kind for kind in provider.revoke.order if kind in wanted]
    steps = [
        _step(provider, call, grant, kind) for kind in _sent(provider, grant, kinds)
    ]
    if not steps:
        raise _wrong_kind(provider, kinds)
    return steps


_NOTHING = gettext_noop("The instance holds no OAuth token.")


def _call(provider: Provider, form: str) -> Call:
    revoke = provider.revoke
    call = revoke.call if form == DEFAULT_FORM else revoke.alternates.get(form)
    if call:
        return call
    if revoke.call:
        words = gettext_noop("%(provider)s has no form of revocation called %(form)s.")
        sentence = words % {"provider": provider.name, "form": repr(form)}
        raise NotRevocable("unknown_form", sentence)
    words = gettext_noop("%(provider)s offers no revocation that can be called.")
    sentence = words % {"provider": provider.name}
    raise NotRevocable("unsupported", sentence, provider.manual_steps)


def _refuse_unsigned(provider: Provider, call: Call, grant: Grant) -> None:
    secret = grant.token_secret
    if call.client_auth in rules.SIGNING and (not secret or redact.is_masked(secret)):
        words = gettext_noop(
            "%(provider)s wants the call signed with the secret of the token, and the "
            "platform does not show it."
        )
        sentence = words % {"provider": provider.name}
        raise NotRevocable("unsupported", sentence, provider.manual_steps)


def _held(grant: Grant) -> TokenKind:
    """Return the kind that stands for a grant whose call carries no token."""
    return TokenKind.REFRESH if grant.refresh_token else TokenKind.ACCESS


def _sent(
    provider: Provider, grant: Grant, kinds: list[TokenKind]
) -> Iterator[TokenKind]:
    """Yield the kinds to send: none that a former step kills, no token twice."""
    kills = {
        TokenKind.REFRESH: provider.revoke.refresh_kills_access,
        TokenKind.ACCESS: provider.revoke.access_kills_refresh,
    }
    sent: set[str] = set()
    for kind in kinds:
        token = grant.token(kind)
        if not token or token in sent:
            continue
        if redact.is_masked(token):
            raise _masked(provider, kind)
        yield kind
        sent.add(token)
        if kills[kind]:
            return


def _step(provider: Provider, call: Call, grant: Grant, kind: TokenKind) -> Step:
    request = calls.build(provider, call, grant, kind)
    purpose, effect = f"revoke_{kind.value}", _effect(provider, kind)
    # What was made of the secrets counts as one: Basic credentials, a signature.
    made = [value for name, value in request.headers if name == "Authorization"]
    secrets = (*grant.secrets, *(value.partition(" ")[2] for value in made))
    return Step(purpose, kind, request, effect, secrets)


def _effect(provider: Provider, kind: TokenKind) -> Effect:
    revoke = provider.revoke
    if revoke.effect != Effect.DEPENDS:
        return revoke.effect
    both = {
        TokenKind.REFRESH: revoke.refresh_kills_access,
        TokenKind.ACCESS: revoke.access_kills_refresh,
    }
    return Effect.TOKEN_PAIR if both[kind] else Effect.TOKEN


def _masked(provider: Provider, kind: TokenKind) -> NotRevocable:
    words = gettext_noop(
        "The platform hides the %(token)s of this instance behind asterisks, so there is "
        "nothing that could be sent."
    )
    sentence = words % {"token": f"{kind.value} token"}
    return NotRevocable("masked_token", sentence, provider.manual_steps)


def _wrong_kind(provider: Provider, kinds: list[TokenKind]) -> NotRevocable:
    wanted = " or ".join(f"{kind.value} token" for kind in kinds)
    if not wanted:
        words = gettext_noop("%(provider)s revokes %(tokens)s only.")
        taken = _TAKEN[provider.revoke.accepts]
        sentence = words % {"provider": provider.name, "tokens": taken}
        return NotRevocable("unsupported", sentence, provider.manual_steps)
    words = gettext_noop(
        "%(provider)s wants the %(token)s, and the instance holds none."
    )
    sentence = words % {"provider": provider.name, "token": wanted}
    return NotRevocable("unsupported", sentence, provider.manual_steps)


#: Written into a sentence that is kept, so in English whoever reads it.
_TAKEN: dict[Accepts, str] = {
    Accepts.EITHER: "either token",
    Accepts.ACCESS: "access tokens",
    Accepts.REFRESH: "refresh tokens",
    Accepts.ACCOUNT: "an account's id",
}


# Reading


def read(provider: Provider, step: Step, answer: http.Answer) -> Reading:
    """Say what an answer means. "Revoked" only says that the provider said yes."""
    judged = answers.judge(provider.revoke.answers, answer)
    code = judged.code
    ours = code == judged.verdict.value  # no word of the provider's
    leaks = not ours and redact.text(code, *step.secrets) != code
    waits = judged.verdict in (Verdict.THROTTLED, Verdict.UNAVAILABLE)
    return Reading(
        verdict=judged.verdict,
        code="" if leaks else code,
        retry_after=answers.retry_after(answer) if waits else None,
        body=answer.body,
        secrets=step.secrets,
        proof=judged.proof,
    )


# Verifying at the source


def verification(
    provider: Provider, grant: Grant, *, kind: str = "access"
) -> http.Request | None:
    """Return the call that tells whether a token lives, None if there is none.

    A record may prefer introspection, since a resource server can go on accepting a
    token that the authorization server has forgotten. Only introspection can ask about
    a refresh token without using it up.
    """
    wanted = TokenKind(kind)
    token = grant.token(wanted)
    if not token or redact.is_masked(token):
        return None
    for check in _checks(provider):
        request = _check(provider, check, grant, wanted)
        if request:
            return request
    return None


def _checks(provider: Provider) -> list[Check]:
    found = [
        check for check in (provider.verification, provider.introspection) if check
    ]
    return sorted(found, key=lambda check: not check.preferred)


def _check(
    provider: Provider, check: Check, grant: Grant, kind: TokenKind
) -> http.Request | None:
    if not _takes(check, kind):
        return None
    return _optional(provider, check.call, grant, kind)


def _takes(check: Check, kind: TokenKind) -> bool:
    return check.accepts.value in ("either", kind.value)


def _optional(
    provider: Provider, call: Call, grant: Grant, kind: TokenKind
) -> http.Request | None:
    try:
        return calls.build(provider, call, grant, kind)
    except NotRevocable:
        # A verification that lacks a value is no reason not to revoke.
        return None


def read_verification(
    provider: Provider,
    answer: http.Answer,
    before: http.Answer | None,
    *,
    kind: str = "access",
) -> Life:
    """Say whether the token is dead, alive or unknown; `kind` is what was asked about.

    `before` is the answer of the same call before the revocation: where a refusal can
    also mean a missing scope, it counts only if that call worked.
    """
    checks = [one for one in _checks(provider) if _takes(one, TokenKind(kind))]
    now, doubtful = _life(checks, answer)
    if not doubtful:
        return now
    worked = before is not None and _life(checks, before)[0] == Life.ALIVE
    return now if worked else Life.UNKNOWN


def _life(checks: Iterable[Check], answer: http.Answer) -> tuple[Life, bool]:
    for check in checks:
        said, doubtful = answers.life(check.answers, answer)
        if said != Life.UNKNOWN:
            return said, doubtful
    return Life.UNKNOWN, False


# Whose account it is


def identity(provider: Provider, grant: Grant) -> http.Request | None:
    """Return the call that names the account behind the access token, if there is one."""
    token = grant.access_token
    if provider.identity is None or not token or redact.is_masked(token):
        return None
    return _optional(provider, provider.identity.call, grant, TokenKind.ACCESS)


def read_identity(provider: Provider, answer: http.Answer) -> str:
    """Return the account's id at the provider, "" if the answer does not tell it."""
    if provider.identity is None or answer.status != 200:
        return ""
    data = answers.body_of(answer).data
    parts = [answers.at(data, path) for path in provider.identity.account]
    texts = [str(part) for part in parts if type(part) in (str, int)]
    whole = "/".join(texts)
    sane = len(texts) == len(parts) and whole.isprintable() and len(whole) <= 200
    return whole if sane and all(texts) else ""


def account(provider: Provider, grant: Grant) -> str:
    """Return the account's id where the instance's configuration tells it, else ""."""
    return grant.site.get(provider.account_placeholder, "")
