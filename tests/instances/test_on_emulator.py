"""The client, listing and connection tests over real HTTP."""

import pytest

from ceadmin.lib import http
from instances import cloud_elements as ce
from instances.actions import connection
from instances.actions.calls import drive
from instances.actions.sync import pages
from instances.cloud_elements import Code, Credentials, OAuthClient
from tests.instances.acme import Acme


@pytest.fixture
def acme(emulator):
    return Acme(emulator)


def listed(acme, **options):
    delivered = []
    result = drive(
        pages(acme.credentials, delivered.append, **options), sleep=lambda seconds: None
    )
    return result, [one for page in delivered for one in page.instances]


# -- sync ----------------------------------------------------------------------------------------


def test_all_pages_are_listed(acme):
    made = acme.instances(431)

    result, found = listed(acme)

    assert {one.remote_id for one in found} == {str(row["id"]) for row in made}
    assert (result.total, result.complete) == (431, True)


def test_an_empty_organization_is_listed_as_empty(acme):
    result, found = listed(acme)

    assert (found, result.complete) == ([], True)


def test_configurations_missing_in_the_list_are_read_by_id(acme):
    acme.switch(list_hydrated=False)
    acme.instances(3)

    _, found = listed(acme)

    assert all(one.access_token for one in found)


@pytest.mark.parametrize("kind", ["ids_as_strings", "nul", "clock_skew"])
def test_odd_but_readable_lists_are_read(acme, kind):
    made = acme.one()
    acme.fault(kind, "/instances", times=0)

    _, found = listed(acme)

    assert [one.remote_id for one in found] == [str(made["id"])]


def test_masked_tokens_are_seen_as_such(acme):
    acme.switch(mask_user_tokens=True)
    acme.one()

    _, found = listed(acme)

    assert [one.token_problem for one in found] == ["masked_token"]


# -- reading and reauthenticating one ------------------------------------------------------------


@pytest.mark.parametrize("form", ["object", "array"])
def test_the_instance_of_a_token_is_read_in_either_form(acme, form):
    acme.switch(element_scoped_get=form)
    instance = acme.one()

    read = ce.read_instance(
        http.send(ce.instance_of_token(acme.credentials, instance["token"]))
    )

    assert read.access_token == instance["access_token"]


def patch(acme, instance, code):
    return ce.patch_instance(acme.credentials, instance["token"], code)


def patch_by_id(acme, instance, code):
    return ce.patch_instance_by_id(acme.credentials, str(instance["id"]), code)


def put(acme, instance, code):
    fetched = ce.read_instance(
        http.send(ce.instance_by_id(acme.credentials, str(instance["id"])))
    )
    return ce.put_instance(
        acme.credentials, fetched, code, ce.app_configuration(acme.client)
    )


@pytest.mark.parametrize("build", [patch, patch_by_id, put])
def test_each_form_of_reauthenticating_brings_a_dead_instance_back(acme, build):
    instance = acme.one(state="dead")
    request = build(acme, instance, acme.code(instance))

    read = ce.read_reauthenticated(http.send(request), expected_id=str(instance["id"]))

    assert read.token == instance["token"]
    assert acme.probe(instance).outcome == "connected"


def test_put_leaves_the_real_secret_at_the_platform(acme):
    instance = acme.one(state="dead")
    ce.read_reauthenticated(http.send(put(acme, instance, acme.code(instance))))

    again = ce.read_reauthenticated(
        http.send(patch(acme, instance, acme.code(instance)))
    )

    assert again.tokens_masked is False


def test_a_code_used_twice_is_refused_in_the_providers_words(acme):
    instance = acme.one(state="dead")
    code = acme.code(instance)
    http.send(patch(acme, instance, code))

    with pytest.raises(ce.Refused) as caught:
        ce.read_reauthenticated(http.send(patch(acme, instance, code)))

    assert (caught.value.status, caught.value.code) == (400, Code.PROVIDER_REFUSED)
    assert caught.value.excerpt


def test_an_instance_is_enabled(acme):
    instance = acme.one(state="disabled")

    ce.read_enabled(http.send(ce.enable(acme.credentials, str(instance["id"]))))

    assert acme.truth(instance)["disabled"] is False


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_consent_address_names_our_app_and_state(acme, method):
    request = ce.oauth_url(
        acme.credentials, "box", acme.client, state="s t", method=method
    )

    url = ce.read_oauth_url(http.send(request))

    assert url.startswith("https://account.box.com/")
    assert "state=s%20t" in url


def test_an_oauth1_app_gets_a_request_token(acme):
    request = ce.oauth_token(acme.credentials, "twitter", acme.register("twitter"))

    assert ce.read_request_token(http.send(request)).token


def test_the_bearer_pair_gives_the_secrets(acme):
    send_to = acme.credentials.base_url
    bearer = ce.read_login(http.send(ce.login(send_to, "ann", "pw")))

    secrets = ce.read_secrets(http.send(ce.secrets(send_to, bearer)))

    assert (
        secrets.user_secret,
        secrets.organization_secret,
    ) == acme.credentials.secrets


# -- connection tests ----------------------------------------------------------------------------


def report_of(flow):
    return drive(flow, sleep=lambda seconds: None)


def test_a_good_organization_is_named_and_counted(acme):
    acme.instances(3)

    report = report_of(connection.organization(acme.credentials))

    assert (
        report.code,
        report.facts["organization_name"],
        report.facts["instances"],
    ) == ("secrets_work", "Acme", 3)


def spoiled(acme, **changed):
    own = acme.credentials
    values = {
        "base_url": own.base_url,
        "user_secret": own.user_secret,
        "organization_secret": own.organization_secret,
    }
    return Credentials(**(values | changed))


@pytest.mark.parametrize(
    ("changed", "with_instance", "code"),
    [
        ({"organization_secret": "0" * 32}, True, "organization_secret_wrong"),
        ({"user_secret": "wrong="}, True, "user_secret_suspected"),
        ({"user_secret": "wrong="}, False, "one_secret_wrong"),
        (
            {"base_url": "https://api.cloud-elements.com/somewhere"},
            True,
            "wrong_base_url",
        ),
    ],
)
def test_what_is_wrong_with_an_organization_is_told_as_far_as_it_can_be(
    acme, changed, with_instance, code
):
    token = acme.one()["token"] if with_instance else ""

    assert (
        report_of(
            connection.organization(spoiled(acme, **changed), element_token=token)
        ).code
        == code
    )


@pytest.mark.parametrize(
    ("element", "code"), [("box", "address_made"), ("unheard", "unknown_element")]
)
def test_a_provider_app_is_tested_without_sending_anybody_anywhere(acme, element, code):
    report = report_of(connection.provider_app(acme.credentials, element, acme.client))

    assert report.code == code


@pytest.mark.parametrize(
    ("secret", "code"), [(None, "request_token_made"), ("wrong", "app_refused")]
)
def test_an_oauth1_app_is_tested_for_real(acme, secret, code):
    registered = acme.register("twitter")
    client = OAuthClient(
        registered.client_id,
        secret or registered.client_secret,
        registered.callback_url,
    )

    report = report_of(
        connection.provider_app(acme.credentials, "twitter", client, oauth1=True)
    )

    assert report.code == code
