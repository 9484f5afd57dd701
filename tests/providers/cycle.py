"""One provider's whole cycle against the emulator, over real HTTP, told by its recording.

Alive, revoked, dead at the source, revoked again, wrong client, 429, 503, garbage, a redirect,
a cut connection.
"""

from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from ceadmin.lib import http
from providers import oauth
from providers.choices import Life, Verdict
from providers.grants import Grant
from providers.revocation import (
    plan,
    read,
    read_verification,
    site_values,
    verification,
)
from providers.spec import Provider
from tests.emulator.recording import Recording, replies

#: Characters that every place of a request has to carry unharmed.
ODD = "+/=&%?#~*|.:"
#: A secret that Basic and a form have to encode (RFC 6749 §2.3.1).
SECRET = "s:e%c+r&e=t ß"
#: In a header a secret that is not ASCII is refused before anything is sent.
ASCII_SECRET = "s:e%c+r&e=t"
FAULTS = {
    "429": ({"kind": "status", "status": 429, "retry_after": 7}, Verdict.THROTTLED),
    "503": ({"kind": "status", "status": 503, "retry_after": 7}, Verdict.UNAVAILABLE),
    "page": ({"kind": "html", "status": 200}, Verdict.UNCLEAR),
    "text": (
        {"kind": "status", "status": 200, "body": "%PDF-1.4 \x00"},
        Verdict.UNCLEAR,
    ),
    "redirect": (
        {
            "kind": "status",
            "status": 307,
            "headers": {"Location": "https://evil.example.net/take"},
        },
        Verdict.UNCLEAR,
    ),
}


@dataclass
class Case:
    """A record, its recording, and one living grant in the emulator."""

    provider: Provider
    recording: Recording
    emulator: object
    grant: Grant
    instance: int

    def revoke(self, calls=None, form="default", only=None, **changes):
        """Send the plan, or its first calls; return the readings."""
        grant = replace(self.grant, **changes)
        steps = plan(self.provider, grant, form=form, only=only)[:calls]
        return [read(self.provider, step, http.send(step.request)) for step in steps]

    def ask(self, kind):
        """Ask at the source about one of the tokens; None where nobody can be asked."""
        request = verification(self.provider, self.grant, kind=kind)
        return request and oauth.call(request, grant=self.grant)

    def life(self, kind, before=None):
        """Return what the source says of a token."""
        answer = self.ask(kind)
        return read_verification(self.provider, answer, before, kind=kind)

    def truth(self):
        """Return which tokens really live."""
        known = self.emulator.control(f"instances/{self.instance}")
        return {kind: known[f"{kind}_alive"] for kind in ("access", "refresh")}

    def asked(self):
        """Return the kinds of token that the source can be asked about."""
        kinds = [kind for kind in ("access", "refresh") if self.truth()[kind]]
        return [kind for kind in kinds if self.ask(kind) is not None]


def played_case(provider, recording, emulator):
    """Connect an account of a provider that is played from its recording."""
    emulator.control("switches", {"recordings_first": True})
    element = {"key": f"played-{recording.key}", "provider": recording.key}
    emulator.control("elements", element)
    row = {"element": element["key"], "site": dict(recording.site)}
    case = make_case(provider, recording, emulator, row, name=recording.key)
    return replace(case, grant=replace(case.grant, site=dict(recording.site)))


def make_case(provider, recording, emulator, row, *, name, app_site=None):
    """Register an app and let an account connect it, with characters that need care."""
    in_header = recording.revoke.client == "header"
    app = {"provider": name, "client_id": f"{name}:app/1"}
    app["client_secret"] = ASCII_SECRET if in_header else SECRET
    client = emulator.control("clients", app)
    keeps = recording.gives_refresh_tokens
    row |= {
        "organization": emulator.control("organizations", {})["id"],
        "client_id": client["client_id"],
        "access_token": f"at-{uuid4()}{ODD}",
        "refresh_token": f"rt-{uuid4()}{ODD}" if keeps else "",
    }
    [seeded] = emulator.control("instances", [row])["instances"]
    configuration = emulator.application.world.instances[seeded["id"]].configuration
    grant = Grant(
        access_token=seeded["access_token"],
        refresh_token=seeded["refresh_token"] or "",
        site={} if app_site is None else site_values(provider, configuration, app_site),
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        token_secret=configuration.get("oauth.user.token.secret") or "",
    )
    return Case(provider, recording, emulator, grant, seeded["id"])


def go_through(fresh):
    """Take one record through the whole cycle; `fresh()` gives a case that lives.

    Each step asserts its verdict.
    """
    _revoked_and_dead(fresh())
    _not_by_a_wrong_client(fresh())
    _not_by_a_provider_in_trouble(fresh())


def _revoked_and_dead(case):
    kinds = case.asked()
    assert "access" in kinds
    before = {kind: case.ask(kind) for kind in kinds}
    for kind in kinds:
        assert case.life(kind) == Life.ALIVE, kind

    assert {reading.verdict for reading in case.revoke()} == {Verdict.REVOKED}

    _wait_until_it_is_seen(case)
    truth, sent = case.truth(), plan(case.provider, case.grant)
    assert truth == _expected(case, sent)
    for kind in kinds:
        expected = Life.ALIVE if truth[kind] else Life.DEAD
        assert case.life(kind, before[kind]) == expected, kind
    again = {reading.verdict for reading in case.revoke()}
    assert again <= _verdicts_of_a_second_call(case, sent, truth)


def _wait_until_it_is_seen(case):
    seconds = case.recording.revoke.propagation_seconds
    if seconds:
        assert case.life("access") == Life.ALIVE
        case.emulator.control("clock", {"advance": seconds})
        for token in (case.grant.access_token, case.grant.refresh_token):
            case.emulator.control("tokens", {"token": token})


def _expected(case, sent):
    """Return which tokens live on, as the recording says what dies with what was sent."""
    revoke = case.recording.revoke
    kinds = [step.token_kind.value for step in sent]
    kinds = ["account"] if "account" in revoke.takes else kinds
    dead = {one for kind in kinds for one in revoke.dies(kind)}
    held = {"access": case.grant.access_token, "refresh": case.grant.refresh_token}
    return {kind: bool(token) and kind not in dead for kind, token in held.items()}


def _verdicts_of_a_second_call(case, sent, truth):
    revoke = case.recording.revoke
    if "account" not in revoke.takes and any(truth[s.token_kind.value] for s in sent):
        return {Verdict.REVOKED}
    gone = revoke.gone[0]
    if gone.ambiguous:
        return {Verdict.REFUSED, Verdict.UNCLEAR}
    return {Verdict.REVOKED if gone == revoke.done[0] else Verdict.ALREADY}


def _not_by_a_wrong_client(case):
    revoke = case.recording.revoke
    if revoke.client == "none":
        assert revoke.no_client
        return
    wrong = "client_id" if revoke.client == "id" else "client_secret"

    reading, *_ = case.revoke(**{wrong: "wrong"})

    ambiguous = replies(revoke, "wrong_client")[0].ambiguous
    assert ambiguous or reading.verdict == Verdict.REFUSED
    assert reading.verdict != Verdict.REVOKED
    assert case.truth()["access"]


def _not_by_a_provider_in_trouble(case):
    for name, (fault, verdict) in FAULTS.items():
        case.emulator.control("faults", [{**fault, "match": {"side": "provider"}}])

        [reading] = case.revoke(calls=1)

        assert reading.verdict == verdict, name
        assert reading.retry_after == (7.0 if "retry_after" in fault else None), name
        assert case.truth()["access"], name
    # Until it is removed: libcurl sends a GET again whose kept connection was cut.
    cut = {"kind": "cut", "match": {"side": "provider"}, "times": 0}
    case.emulator.control("faults", [cut])
    with pytest.raises(http.Lost):
        case.revoke(calls=1)
    case.emulator.control("faults", method="DELETE")
    assert case.truth()["access"]
    hosts = {entry["host"] for entry in case.emulator.log()}
    assert "evil.example.net" not in hosts
