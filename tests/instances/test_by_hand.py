"""The curl of a call: what a shell makes of it is the call itself, and no secret stands in it."""

import subprocess
from base64 import b64encode
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from ceadmin.lib import http, redact
from ceadmin.lib.redact import MASK
from instances.actions.by_hand import Made, curl, variables
from instances.admin.steps import steps
from instances.choices import Outcome, RunKind
from instances.models import ReconnectLink
from providers import catalogue
from providers.revocation import plan
from tests.instances.fleet import only_item
from tests.instances.killing import fleet, quick
from tests.instances.reconnecting import CLIENT_SECRET, Browser, Waiting
from tests.people import ORGANIZATION_SECRET, USER_SECRET
from tests.providers.comparison import shape
from tests.providers.support import REVOCABLE, grant
from tests.secrets.canaries import found

__all__ = ["fleet", "quick"]

#: Stands in for curl: tells its arguments, and the document that it is given.
SPY = r"""curl() { printf '%s\0' "$@"; case "$*" in *@-*) printf 'STDIN\0'; cat;; esac; }
"""
SAMPLES = {
    "ACCESS_TOKEN": "access-1",
    "REFRESH_TOKEN": "refresh-1",
    "CLIENT_ID": "client-1",
    "CLIENT_SECRET": "secret-1",
    "STRIPE_USER_ID": "acct_1",
    "OAUTH1_SIGNATURE": "signed",
}


def understood(command: str, values: dict[str, str]) -> http.Request:
    """Return the request that a shell with these variables sends."""
    told = subprocess.run(
        ["/bin/bash", "-c", SPY + command], env=values, capture_output=True, check=True
    )
    assert told.stderr == b""
    head, _, document = told.stdout.decode().partition("STDIN\0")
    words = head.split("\0")[:-1]
    method, *words = words[1:] if words[0] == "--request" else ["GET", *words]
    options = list(zip(words[1::2], words[2::2], strict=False))
    return request_of(method, words[0], options, document)


def request_of(method: str, url: str, options, document: str) -> http.Request:
    def given(wanted: str, mark: str) -> list[tuple[str, ...]]:
        return [tuple(v.split(mark, 1)) for name, v in options if name == wanted]

    headers, fields = given("--header", ": "), given("--data-urlencode", "=")
    for user in given("--user", "\n"):
        basic = b64encode(user[0].encode()).decode()
        headers.append(("Authorization", f"Basic {basic}"))
    if fields:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    body = (urlencode(fields) if fields else document).encode()
    sends = bool(body) or ("--data", "") in options
    return http.Request(method, url, tuple(headers), body if sends else None)


#: Each call that a record makes: the vendor's own, as its recording shows.
CALLS = [
    (key, kind)
    for key in REVOCABLE
    for kind in catalogue.get(key).revoke.order or ("account",)
]


@pytest.mark.parametrize(("key", "kind"), CALLS)
def test_the_curl_of_a_revocation_is_the_call_itself(key, kind):
    held = grant(key)
    only = None if kind == "account" else kind
    [step] = plan(catalogue.get(key), held, only=only)
    real, wanted = step.request, shape(step.request)
    purpose = "revoke_access" if kind == "access" else "revoke_refresh"
    url = redact.url(real.url, *held.secrets)

    command = curl(Made(purpose, real.method, url, catalogue.get(key)))

    assert not any(secret in command for secret in held.secrets)
    seen = shape(understood(command, SAMPLES))
    if "realm" in wanted:  # no curl can sign
        assert seen["headers"].pop("Authorization") == "OAuth signed"
        del wanted["realm"], wanted["headers"]["Authorization"]
    assert seen == wanted


def test_a_shell_takes_nothing_of_an_address_for_its_own():
    url = f'https://x.example/a`id`$HOME/{MASK}?q="$(id)"&apiSecret={MASK}&b=\\'

    command = curl(Made("address", "GET", url))

    assert variables(command) == [
        "ACCESS_TOKEN",
        "CLIENT_SECRET",
        "USER_SECRET",
        "ORGANIZATION_SECRET",
    ]
    values = {"HOME": "home", "ACCESS_TOKEN": "one", "CLIENT_SECRET": "two"}
    read = understood(command, values).url
    assert read == url.replace(MASK, "one", 1).replace(MASK, "two", 1)


def test_what_a_person_does_in_a_browser_has_no_curl():
    assert curl(Made("consent", "GET", "/oauth/callback/box/")) == ""


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("PATCH", "/instances", '"code": "$CODE"'),
        ("PATCH", "/instances/7", '"realmId": "$REALM_ID"'),
        ("PUT", "/instances/7?reAuthenticate=true", '"oauth.callback.url"'),
    ],
)
def test_the_code_is_handed_in_as_the_tenant_takes_it(method, path, wanted):
    url = f"https://api.example/elements/api-v2{path}"

    command = curl(
        Made("reauthenticate", method, url, catalogue.get("quickbooks"), ours=True)
    )

    assert f'curl --request {method} "{url}"' in command
    assert wanted in command
    assert ("Element $ELEMENT_TOKEN" in command) == path.endswith("instances")
    assert ("PUT replaces the instance" in command) == (method == "PUT")


def test_of_oauth_1_the_verifier_is_handed_in():
    url = "https://api.example/elements/api-v2/instances"

    command = curl(Made("reauthenticate", "PATCH", url, catalogue.get("x_oauth1")))

    assert '"oauth_verifier": "$OAUTH_VERIFIER"' in command
    assert '"code"' not in command


# A whole drill


def held_by(fleet, instance) -> dict[str, str]:
    """Return the shell's variables for an instance, as whoever repeats a drill has them."""
    rows = fleet.emulator.control("instances", {"id": int(instance.remote_id)})
    row = rows["instances"][0]
    return {
        "USER_SECRET": USER_SECRET,
        "ORGANIZATION_SECRET": ORGANIZATION_SECRET,
        "ELEMENT_TOKEN": instance.element_token.reveal(),
        "CLIENT_ID": fleet.app(instance.provider_key).client_id,
        "CLIENT_SECRET": CLIENT_SECRET,
        "ACCESS_TOKEN": row["access_token"],
        "REFRESH_TOKEN": row["refresh_token"],
    }


def drilled(fleet, provider: str):
    """Return the item of a whole drill, its consent given by a person."""
    (instance,) = fleet.synced(provider)
    before = held_by(fleet, instance)
    item = only_item(fleet.run(RunKind.DRILL))
    link = ReconnectLink.objects.detailed().get()
    there = Waiting(fleet.emulator, link, int(instance.remote_id), provider)
    Browser().reconnect(there)
    item.refresh_from_db()
    assert item.outcome == Outcome.RECONNECTED
    return item, before | {f"NEW_{n}": v for n, v in held_by(fleet, instance).items()}


@pytest.fixture(params=["box", "quickbooks"])
def drill(request, fleet, quick):
    return drilled(fleet, request.param)


def commands(item, number: int) -> list[str]:
    return steps(item, linked=True)[number - 1].curl.split("\n\n")


def test_whoever_repeats_a_drill_by_hand_sees_what_it_saw(fleet, drill):
    item, _ = drill
    provider = item.provider_key
    other = fleet.synced(provider, 1, name="Another")[0]
    values = held_by(fleet, other)

    def answers(number: int) -> list[int]:
        sent = (understood(one, values) for one in commands(item, number))
        return [http.send(request).status for request in sent]

    assert answers(1) == [200]
    assert answers(2)[0] == 200
    assert fleet.truth(other)["refresh_alive"] is True
    assert answers(3) == [200]
    assert fleet.truth(other)["refresh_alive"] is False
    assert answers(4)[-1] == 401


def test_a_drill_s_pages_tell_every_step_and_no_secret(fleet, drill, client):
    item, secrets = drill
    del secrets["CLIENT_ID"], secrets["NEW_CLIENT_ID"]
    client.force_login(fleet.user)
    page = reverse("admin:instances_run_change", args=[item.run_id])
    live = reverse("admin:instances_run_live", args=[item.run_id])
    own = reverse("admin:instances_item_change", args=[item.pk])

    seen = {address: client.get(address).content for address in (page, live, own)}

    assert found(secrets, seen) == []
    told = steps(item, linked=True)
    assert [step.state for step in told] == ["done"] * 8
    assert all(step.calls for step in told)
    assert [bool(step.curl) for step in told] == [n != 6 for n in range(1, 9)]
    assert "token: …" in told[1].calls  # what a good answer holds: keys, no values
    assert len(seen[live]) < 20_000
