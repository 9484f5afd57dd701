"""What a connection test finds out, and what it says it cannot."""

import pytest

from ceadmin.lib import http
from instances.actions import connection
from instances.actions.calls import drive
from instances.actions.findings import Unknown
from instances.cloud_elements import Credentials, OAuthClient
from tests.instances.canned import (
    BAD_SECRETS,
    CREDENTIALS,
    DEAD,
    PAGE_OF_A_PROXY,
    PONG,
    TOKEN,
    Script,
    answer,
    instance,
)

ME = {"id": 77, "name": "Acme"}
NO = answer(401, BAD_SECRETS)
CLIENT = OAuthClient(
    "client-id", "client0secret", "https://ceadmin.test/oauth/callback/box/"
)
ADDRESS = (
    "https://account.box.com/authorize?client_id=client-id"
    "&redirect_uri=https%3A%2F%2Fceadmin.test%2Foauth%2Fcallback%2Fbox%2F&state=box"
)


def lost(request):
    return http.Lost(request, "timeout")


def organization(script, credentials=CREDENTIALS, **options):
    report = drive(
        connection.organization(credentials, **options),
        send=script.send,
        sleep=script.slept.append,
    )
    assert not script.answers
    return report


def app(script, client=CLIENT, **options):
    flow = connection.provider_app(CREDENTIALS, "box", client, **options)
    report = drive(flow, send=script.send, sleep=script.slept.append)
    assert not script.answers
    return report


def address(url):
    return answer(200, {"element": "box", "oauthUrl": url})


def test_good_secrets_are_shown_with_what_they_open():
    script = Script(
        answer(200, ME), answer(200, [instance()], Elements_Total_Count="431")
    )

    report = organization(script)

    assert (report.ok, report.code) == (True, "secrets_work")
    assert report.facts == {
        "organization_id": "77",
        "organization_name": "Acme",
        "instances": 431,
    }


def test_an_organization_without_instances_works():
    assert organization(
        Script(answer(200, ME), answer(404, {"message": "No instances found"}))
    ).ok


def test_a_user_without_the_privilege_to_list_is_told_so():
    assert (
        organization(Script(answer(200, ME), answer(403, {"message": "no"}))).code
        == "cannot_list"
    )


def test_exchanged_secrets_are_recognised():
    script = Script(NO, answer(200, ME))

    report = organization(script)

    assert (report.ok, report.code) == (False, "secrets_swapped")
    assert dict(script.sent[1].headers)["Authorization"].startswith(
        f"User {CREDENTIALS.organization_secret},"
    )


def test_without_a_working_instance_it_cannot_be_told_which_secret_is_wrong():
    assert organization(Script(NO, NO)).code == "one_secret_wrong"


@pytest.mark.parametrize(
    "through",
    [answer(200, PONG), answer(401, DEAD), answer(403, {"message": "disabled"})],
)
def test_a_user_secret_that_reaches_the_instance_proves_the_other_wrong(through):
    report = organization(Script(NO, NO, through), element_token=TOKEN)

    assert report.code == "organization_secret_wrong"


def test_a_user_secret_that_does_not_reach_the_instance_is_suspected():
    assert (
        organization(Script(NO, NO, NO), element_token=TOKEN).code
        == "user_secret_suspected"
    )


def test_an_outage_while_finding_out_proves_nothing():
    assert (
        organization(Script(NO, NO, lost, lost), element_token=TOKEN).code
        == "one_secret_wrong"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        answer(302, b""),
        answer(404, {"message": "no route"}),
        answer(404, b""),
    ],
)
def test_a_wrong_base_url_is_named(wrong):
    assert organization(Script(wrong)).code == "wrong_base_url"


@pytest.mark.parametrize(
    "page",
    [answer(200, PAGE_OF_A_PROXY), answer(404, PAGE_OF_A_PROXY), answer(200, b"pong")],
)
def test_a_web_page_is_not_the_api(page):
    assert organization(Script(page, page)).code == "wrong_base_url"


@pytest.mark.parametrize("failure", [lost, answer(503, b""), answer(200, b"")])
def test_an_outage_is_not_a_wrong_secret(failure):
    report = organization(Script(failure, failure))

    assert (report.ok, report.sentence != "") == (False, True)
    assert report.code in {"timeout", "server_error", "empty_body"}


def test_a_malformed_secret_is_found_without_a_call():
    assert (
        organization(Script(), Credentials("https://h.test", "a b", "c")).code
        == "malformed_secret"
    )


def test_an_app_whose_consent_address_can_be_made_still_has_unknowns():
    report = app(Script(address(ADDRESS)))

    assert (report.ok, report.code, report.facts) == (
        True,
        "address_made",
        {"host": "account.box.com"},
    )
    assert set(report.unknown) == set(Unknown)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (answer(404, {"message": "No element found with key box"}), "unknown_element"),
        (NO, "organization_refused"),
        (answer(400, {"message": "siteAddress is required"}), "app_refused"),
        (address("http://account.box.com/"), "bad_oauth_url"),
        (address(ADDRESS.replace("client-id", "other")), "other_client"),
        (address(ADDRESS.replace("ceadmin.test", "other.test")), "other_callback"),
    ],
)
def test_what_is_wrong_with_an_app_is_named(given, code):
    report = app(Script(given))

    assert (report.ok, report.code) == (False, code)
    assert report.sentence


def test_an_oauth1_app_is_tried_with_the_provider():
    script = Script(
        answer(200, {"token": "t1", "secret": "s1"}),
        address("https://api.twitter.com/o?oauth_token=t1"),
    )

    report = app(script, oauth1=True)

    assert (report.ok, report.code) == (True, "request_token_made")
    assert "requestToken=t1" in script.sent[1].url


def test_a_report_quotes_no_secret():
    echo = answer(
        400,
        {
            "message": f"bad apiSecret {CLIENT.client_secret} of {CREDENTIALS.user_secret}"
        },
    )

    report = app(Script(echo))

    assert CLIENT.client_secret not in repr(report)
    assert CREDENTIALS.user_secret not in repr(report)
