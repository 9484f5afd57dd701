"""Recordings are read strictly, and played as the providers would answer."""

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from tests.emulator.recording import FOLDER, BadRecording, load, parse
from tests.test_emulator.tenant import CALLBACK, form

TEXT = """
name = "Example"
authorize = "https://example.test/authorize"
refresh_token = "stays"
[revoke]
request = "POST https://<shop>.example.test/revoke"
form = { token = "<token>", client_id = "<client_id>", client_secret = "<client_secret>" }
client = "fields"
takes = ["refresh"]
effect = "token"
by_refresh = ["refresh"]
done = [{ status = 200 }]
gone = [{ status = 404, text = "gone" }]
[check]
request = "GET https://<shop>.example.test/me"
headers = { Authorization = "Bearer <access_token>" }
alive = [{ status = 200, json = { id = "<holder>" } }]
dead = [{ status = 401 }]
[site]
shop = "acme"
[[sources]]
address = "https://docs.example.test"
read = true
"""

FAULTY = [
    ('name = "Example"', "", "example.toml.name is missing"),
    ('name = "Example"', 'nome = "Example"', "example.toml.nome is not a known key"),
    ('name = "Example"', "name = 1", "example.toml.name is not of type str"),
    ('name = "Example"', "name = ", "example.toml is not TOML"),
    ('name = "Example"', 'name = ""\nkey = "example"', "example.toml.key is the file"),
    ("status = 404", "state = 404", "revoke.gone.0.state is not a known key"),
    ("status = 404", 'status = "404"', "revoke.gone.0.status is not of type int"),
    ("[{ status = 404", "[404, { status = 404", "revoke.gone.0 is not a table"),
    ('gone = [{ status = 404, text = "gone" }]', "gone = []", "revoke.gone is empty"),
    ('by_refresh = ["refresh"]', "", "revoke.by_refresh is missing"),
    ('["refresh"]\neffect', '["password"]\neffect', "revoke.by_password is missing"),
    ("POST https://<shop>", "PUT https://<shop>", "revoke.request is no method"),
    ("POST https://<shop>", "POST http://<shop>", "revoke.request is no method"),
    ("<shop>.example.test/me", "<store>.example.test/me", "names ['store']"),
    ('client = "fields"', 'client = "post"', "revoke.client is none of"),
    ('client = "fields"', 'client = "none"', "revoke.no_client says why"),
    (', client_secret = "<client_secret>"', "", "revoke.client is not what"),
    ("[[sources]]", "[[sauces]]", "example.toml.sauces is not a known key"),
]


@pytest.mark.parametrize(("old", "new", "reason"), FAULTY)
def test_a_faulty_recording_is_refused_with_file_and_key(old, new, reason):
    assert old in TEXT

    with pytest.raises(BadRecording) as caught:
        parse(TEXT.replace(old, new), "example.toml")

    assert reason in str(caught.value)


def test_the_recordings_name_their_sources_and_whether_they_were_read():
    recordings = load(FOLDER)

    assert len(recordings) >= 66
    assert all(recording.sources for recording in recordings.values())
    addresses = [
        one.address for all_of in recordings.values() for one in all_of.sources
    ]
    # Of a source that others can look up, never a file of somebody's machine.
    assert not [one for one in addresses if one.startswith(("/", "file:", "~"))]


# -- played ----------------------------------------------------------------------------------------


@pytest.fixture
def connect(acme):
    """Connect an account of a provider that only a recording knows."""

    def connected(provider, **row):
        acme.emulator.control("elements", {"key": provider, "provider": provider})
        app = {"provider": provider, "client_id": f"{provider}-app"}
        app |= {"client_secret": "secret", "redirect_uris": [CALLBACK]}
        acme.emulator.control("clients", app)
        return acme.instance(provider, **row)

    return connected


def revoked(acme, provider, instance, **fields):
    """Send a form to the provider's published address."""
    addresses = {
        "asana": "https://app.asana.com/-/oauth_revoke",
        "google": "https://oauth2.googleapis.com/revoke",
        "coinbase": "https://login.coinbase.com/oauth2/revoke",
    }
    body = {"token": instance["refresh_token"], "client_id": f"{provider}-app"}
    body |= {"client_secret": "secret"} | fields
    return acme.provider("POST", addresses[provider], *form(**body))


def test_a_revoked_grant_is_dead_through_the_platform_as_well(acme, connect):
    instance = connect("asana")
    assert acme.ping(instance).status == 200

    assert revoked(acme, "asana", instance).status == 200

    assert acme.ping(instance).status == 401
    effects = [entry["effect"] for entry in acme.emulator.log(instance=instance["id"])]
    assert effects == ["alive", "revoked", "refresh_failed"]


def test_a_token_of_the_wrong_kind_gets_the_provider_s_own_error(acme, connect):
    instance = connect("asana")

    answer = revoked(acme, "asana", instance, token=instance["access_token"])

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")
    assert acme.truth(instance)["access_alive"]


@pytest.mark.parametrize("fields", [{"token": ""}, {"client_secret": "wrong"}])
def test_a_request_that_is_not_in_order_kills_nothing(fields, acme, connect):
    instance = connect("asana")

    assert revoked(acme, "asana", instance, **fields).status in (400, 401)
    assert acme.truth(instance)["refresh_alive"]


def test_a_token_in_the_wrong_place_is_not_found(acme, connect):
    instance = connect("asana")
    token = quote(instance["refresh_token"])
    address = f"https://app.asana.com/-/oauth_revoke?token={token}"

    answer = acme.provider(
        "POST", address, *form(client_id="asana-app", client_secret="secret")
    )

    assert answer.status == 400
    assert acme.truth(instance)["refresh_alive"]


def test_a_form_is_refused_where_the_provider_takes_an_empty_body(acme, connect):
    instance = connect("dropbox")
    address = "https://api.dropboxapi.com/2/auth/token/revoke"
    bearer = {"Authorization": f"Bearer {instance['access_token']}"}
    body, kind = form(a="b")

    refused = acme.provider("POST", address, body, {**bearer, **kind})
    done = acme.provider("POST", address, None, bearer)

    assert (refused.status, done.status) == (400, 200)
    assert not acme.truth(instance)["refresh_alive"]


def test_another_site_does_not_know_the_token(acme, connect):
    instance = connect("zoho")
    path = f"/oauth/v2/token/revoke?token={quote(instance['refresh_token'])}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    elsewhere = acme.provider("POST", f"https://accounts.zoho.com{path}", None, kind)
    at_home = acme.provider("POST", f"https://accounts.zoho.eu{path}", None, kind)

    assert (elsewhere.status, at_home.status) == (400, 200)


def test_an_app_cannot_revoke_the_token_of_another(acme, connect):
    instance = connect("coinbase")
    other = {"provider": "coinbase", "client_id": "other", "client_secret": "secret"}
    acme.emulator.control("clients", other)

    revoked(acme, "coinbase", instance, client_id="other")

    assert acme.truth(instance)["refresh_alive"]


@pytest.mark.parametrize(
    ("provider", "sibling_lives"), [("google", False), ("coinbase", True)]
)
def test_what_dies_beside_the_token_is_as_published(
    provider, sibling_lives, acme, connect
):
    instance, sibling = (
        connect(provider, account="ann"),
        connect(provider, account="ann"),
    )
    stranger = connect(provider, account="bob")

    revoked(acme, provider, instance)
    acme.emulator.control("clock", {"advance": 61})
    for one in (instance, sibling, stranger):
        acme.emulator.control("tokens", {"token": one["refresh_token"]})

    assert not acme.truth(instance)["refresh_alive"]
    assert acme.truth(sibling)["refresh_alive"] == sibling_lives
    assert acme.truth(stranger)["refresh_alive"]


def test_a_person_consents_at_the_published_address(acme, connect):
    connect("google")
    query = f"client_id=google-app&redirect_uri={quote(CALLBACK)}&response_type=code&state=s"
    address = f"https://accounts.google.com/o/oauth2/v2/auth?{query}"

    page = acme.provider("GET", address)
    sent = acme.provider("POST", address, *form(decision="allow", account="same"))

    assert b"Google (emulated)" in page.body
    target, values = sent.location()
    assert (target, values["state"]) == (CALLBACK, "s")
    assert values["code"]


def test_a_recording_can_be_handed_in_and_is_gone_after_a_reset(acme, connect):
    assert acme.emulator.control("recordings", {"example": TEXT}) == {
        "added": ["example"]
    }
    instance = connect("example")
    words = form(
        token=instance["refresh_token"], client_id="example-app", client_secret="secret"
    )

    answer = acme.provider("POST", "https://acme.example.test/revoke", *words)

    assert answer.status == 200
    acme.emulator.control("reset")
    assert (
        acme.provider("POST", "https://acme.example.test/revoke", *words).status == 404
    )


def test_basic_credentials_are_read_as_rfc_6749_has_them(acme, connect):
    instance = connect("canva")
    pair = b64encode(f"{quote('canva-app')}:{quote('secret')}".encode()).decode()
    body, kind = form(token=instance["refresh_token"])
    address = "https://api.canva.com/rest/v1/oauth/revoke"

    answer = acme.provider(
        "POST", address, body, {**kind, "Authorization": f"Basic {pair}"}
    )

    assert (answer.status, json.loads(answer.body)) == (200, {})
