"""The pages of own providers: three ways in, one that saves, versions, files, and who may."""

import pytest
from django.urls import reverse

from ceadmin.audit.models import Event
from providers.models import OwnProvider
from tests.instances.writing import ADD, NAME, shown
from tests.people import PASSWORD
from tests.providers.own_records import HOST, HOSTS, own, text
from tests.teams.pages import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
BY_HAND, DISCOVER = reverse(f"{NAME}_by_hand"), reverse(f"{NAME}_discover")
PREVIEW = reverse(f"{NAME}_preview_do")


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


@pytest.fixture
def vic(client, team):
    assert client.login(username=team.vic.email, password=PASSWORD)
    return client


def typed(team, **values) -> dict:
    fixed = {"organization": team.acme.pk, "text": text(), "vouched": HOSTS}
    return {**fixed, "why": "our own server", "act": "save", **values}


# Adding


def test_an_owner_adds_a_record_and_sees_what_it_does(otto, team):
    answer = otto.post(ADD, typed(team), follow=True)

    made = OwnProvider.objects.get()
    assert (made.key, made.name, made.version) == ("own_acme_login", "Acme Login", 1)
    version = made.current
    assert (version.text, version.hosts) == (text(), HOSTS)
    assert (version.why, version.made_by_name) == ("our own server", str(team.otto))
    told = shown(answer)
    assert f"https://{HOST}/oauth/revoke&quot;" in told
    assert "token=$REFRESH_TOKEN" in told
    assert "token_type_hint=refresh_token" in told
    assert "$CLIENT_ID:$CLIENT_SECRET" in told
    assert f"/oauth/callback/own_acme_login-{team.acme.uid.hex}/" in told


LACKS = {
    "no reason": ({"why": " "}, "Say why in words"),
    "no vouching": ({"vouched": []}, f"Tick that you vouch for {HOST}"),
    "another host vouched for": ({"vouched": ["evil.com"]}, "Tick that you vouch for"),
    "no text": ({"text": ""}, "Write the record, or read it from a file"),
    "no TOML": ({"text": "key"}, "<code>toml</code>: "),
    "an unknown key": (
        {"text": text() + "\n[x]\n"},
        "<code>x</code>: is not a known key",
    ),
    "the catalogue's key": (
        {"text": text(key="box")},
        "<code>key</code>: is not a lower-case word",
    ),
    "an element of the catalogue": (
        {"text": text(element_keys=("box",))},
        "belongs to Box, whose record comes with ceadmin",
    ),
    "a private host": (
        {"text": text(revocation_url="https://10.0.0.1/r")},
        "<code>revoke.call.url</code>: is no https address of a public host",
    ),
}


@pytest.mark.parametrize("case", LACKS)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(otto, team, case):
    values, words = LACKS[case]

    answer = otto.post(ADD, typed(team, **values))

    assert answer.status_code == 422
    told = shown(answer).replace("&#x27;", "'")
    assert words in told
    kept = fields_of(shown(answer))
    sent = typed(team, **values)
    assert kept["text"].strip() == sent["text"].strip()
    assert kept["why"] == sent["why"]
    assert not OwnProvider.objects.exists()


def test_a_key_and_an_element_are_taken_once(otto, team):
    own(team.acme)

    same = otto.post(ADD, typed(team))
    other = otto.post(ADD, typed(team, text=text(key="own_other")))

    assert "has a record of this key" in shown(same)
    assert "belongs to Acme Login already" in shown(other)
    assert OwnProvider.objects.count() == 1


def test_a_preview_saves_nothing(otto, team):
    answer = otto.post(ADD, typed(team, act="preview"))

    assert answer.status_code == 200
    assert "Revoke the refresh token" in shown(answer)
    assert not OwnProvider.objects.exists()


def test_the_live_preview_says_what_the_button_says(otto, team):
    good = otto.post(PREVIEW, {"text": text(), "vouched": HOSTS})
    bad = otto.post(PREVIEW, {"text": text(("basic", "magic"))})
    by_hand = otto.post(PREVIEW, by_hand_typed(team))
    unready = otto.post(PREVIEW, by_hand_typed(team, revocation_url="ftp://x"))

    assert f'value="{HOST}" checked' in shown(good)
    assert "<code>revoke.call.client_auth</code>: is none of" in shown(bad)
    assert "https://login.example.org/revoke" in shown(by_hand)
    assert "vouch" not in shown(by_hand)
    assert "What would be sent is shown here" in shown(unready)


@pytest.mark.parametrize("way", [ADD, BY_HAND, DISCOVER, PREVIEW])
def test_only_owners_write(vic, team, way):
    assert vic.post(way, typed(team)).status_code == 403
    assert not OwnProvider.objects.exists()


def test_an_owner_elsewhere_adds_nothing_here(client, team):
    assert client.login(username=team.eve.email, password=PASSWORD)

    answer = client.post(ADD, typed(team))

    assert answer.status_code == 422
    assert not OwnProvider.objects.exists()
    event = Event.objects.get(action="access_denied", outcome="not_offered")
    assert event.actor_uid == team.eve.uid


# The ways in


def by_hand_typed(team, **values) -> dict:
    return {
        "organization": team.acme.pk,
        "name": "Büro",
        "elements": "mine, yours",
        "revocation_url": "https://login.example.org/revoke",
        "client_auth": "body",
        "order": "refresh",
        "source": "told by Ann",
        "act": "write",
        **values,
    }


def test_a_few_answers_make_a_record_that_can_be_saved(otto, team):
    answer = otto.post(BY_HAND, by_hand_typed(team))

    fields = fields_of(shown(answer))
    assert 'element_keys = ["mine", "yours"]' in fields["text"]
    more = {"vouched": "login.example.org", "why": "ours", "act": "save"}
    otto.post(ADD, {**fields, **more})
    assert OwnProvider.objects.get().key == "own_login_example_org"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"revocation_url": "http://login.example.org/"}, "no https address"),
        ({"check_url": "https://10.0.0.1/me"}, "no https address"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_answers_that_make_no_record_are_told_beside_their_fields(
    otto, team, values, words
):
    answer = otto.post(BY_HAND, by_hand_typed(team, **values))

    assert words in shown(answer)
    assert fields_of(shown(answer))["source"] == "told by Ann"


def test_what_a_server_refuses_is_told_beside_the_issuer(otto, team):
    issuer = {"organization": team.acme.pk, "issuer": "http://auth.example.com"}

    answer = otto.post(DISCOVER, {**issuer, "name": "Mine"})

    assert "Begin the issuer with https://" in shown(answer)
    assert fields_of(shown(answer))["name"] == "Mine"
