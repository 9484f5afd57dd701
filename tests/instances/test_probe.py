"""How a probe reads the platform's answers, one script of answers per case."""

import pytest

from ceadmin.lib import http
from instances.actions.calls import drive
from instances.actions.probe import probe
from tests.instances.canned import (
    BAD_SECRETS,
    CREDENTIALS,
    DEAD,
    PAGE_OF_A_PROXY,
    PONG,
    TOKEN,
    Script,
    answer,
    case,
    instance,
)

PING, LOOK = "GET /ping", "GET /instances/471196"
DISABLED = {
    "requestId": "65e1b7c6e4b0aa31ae39b535",
    "message": "Element instance is disabled",
}
GONE = {"message": "No element instance found with id 471196"}


def lost(request):
    return http.Lost(request, "timeout")


def unreachable(request):
    return http.Unreachable(request, "nobody_listens")


def blocked(request):
    return http.Blocked(request, "blocked_address")


def probed(script, **changed):
    result = drive(probe(case(**changed)), send=script.send, sleep=script.slept.append)
    assert not script.answers, "the flow asked less than the script has"
    return result


def test_a_pong_means_connected():
    script = Script(answer(200, PONG))

    assert probed(script).outcome == "connected"
    assert script.paths == [PING]


def test_an_instance_known_as_disabled_that_answers_is_marked_enabled():
    assert probed(Script(answer(200, PONG)), status="disabled").changes == {
        "disabled": False
    }


def test_a_revoked_grant_is_dead_once_the_instance_was_read():
    script = Script(answer(401, DEAD), answer(200, instance()))

    result = probed(script)

    assert (result.outcome, result.cause) == ("dead", "grant_dead")
    assert "Reauthenticate" in result.explanation
    assert result.facts["excerpt"].startswith("INVALID_ACCESS_TOKEN")
    assert script.paths == [PING, LOOK]


def test_wrong_secrets_are_the_organizations_problem():
    result = probed(Script(answer(401, BAD_SECRETS), answer(401, BAD_SECRETS)))

    assert (result.outcome, result.cause, result.status) == (
        "misconfigured",
        "organization_secrets",
        None,
    )


def test_a_provider_message_does_not_make_an_instance_dead_under_wrong_secrets():
    result = probed(Script(answer(401, DEAD), answer(401, BAD_SECRETS)))

    assert result.cause == "organization_secrets"


def test_an_instance_deleted_meanwhile_is_missing():
    result = probed(Script(answer(401, BAD_SECRETS), answer(404, GONE)))

    assert (result.outcome, result.cause, result.status) == (
        "misconfigured",
        "gone",
        "missing",
    )


def test_a_changed_element_token_is_taken_over_and_tried_once():
    script = Script(
        answer(401, BAD_SECRETS),
        answer(200, instance(token="new0token=")),
        answer(200, PONG),
    )

    result = probed(script)

    assert result.outcome == "connected"
    assert result.changes == {"element_token": "new0token="}
    assert dict(script.sent[2].headers)["Authorization"].endswith("Element new0token=")


def test_a_grant_may_be_dead_under_a_changed_element_token():
    script = Script(
        answer(401, BAD_SECRETS),
        answer(200, instance(token="new0token=")),
        answer(401, DEAD),
    )

    result = probed(script)

    assert result.outcome == "dead"
    assert set(result.changes) == {"element_token"}


@pytest.mark.parametrize("token", [TOKEN, "", "********", None])
def test_a_401_that_nothing_explains_is_unclear(token):
    result = probed(
        Script(answer(401, BAD_SECRETS), answer(200, instance(token=token)))
    )

    assert (result.outcome, result.cause) == ("unclear", "ambiguous_401")


def test_disabled_is_taken_from_the_platforms_own_words():
    script = Script(answer(403, DISABLED))

    result = probed(script)

    assert (result.outcome, result.changes) == ("disabled", {"disabled": True})
    assert script.paths == [PING]


@pytest.mark.parametrize(
    "refusal",
    [answer(401, DEAD), answer(403, {"message": "Forbidden"}), answer(403, b"")],
)
def test_disabled_is_taken_from_the_instance(refusal):
    assert (
        probed(Script(refusal, answer(200, instance(disabled=True)))).outcome
        == "disabled"
    )


@pytest.mark.parametrize(
    ("refusal", "outcome", "cause"),
    [
        (answer(403, {"message": "Forbidden"}), "misconfigured", "privilege_missing"),
        (
            answer(403, {"message": "x", "providerMessage": "scope"}),
            "misconfigured",
            "provider_forbids",
        ),
        (
            answer(400, {"message": "x", "providerMessage": "invalid_grant"}),
            "unclear",
            "provider_refused",
        ),
        (
            answer(404, {"message": "x", "providerMessage": "no such folder"}),
            "unclear",
            "provider_refused",
        ),
    ],
)
def test_other_refusals_are_not_called_dead(refusal, outcome, cause):
    result = probed(Script(refusal, answer(200, instance())))

    assert (result.outcome, result.cause) == (outcome, cause)


TEMPORARY = [
    answer(500, {"message": "x", "providerMessage": "INVALID_ACCESS_TOKEN"}),
    answer(502, PAGE_OF_A_PROXY),
    answer(503, b""),
    answer(504, b""),
    answer(401, PAGE_OF_A_PROXY),
    answer(403, PAGE_OF_A_PROXY),
    answer(200, PAGE_OF_A_PROXY),
    answer(200, b""),
    answer(200, b'{"endpoint": "bo'),
    answer(200, b"\xff\xfe"),
    answer(200, b'{"endpoint": "\x00"}'),
    answer(429, {"message": "slow down"}),
    lost,
    unreachable,
]


@pytest.mark.parametrize("failure", TEMPORARY)
def test_what_fails_twice_in_passing_is_transient_and_never_dead(failure):
    script = Script(failure, failure)

    result = probed(script)

    assert result.outcome == "transient"
    assert result.cause
    assert script.paths == [PING, PING]
    assert len(script.slept) == 1


@pytest.mark.parametrize("failure", TEMPORARY)
def test_what_fails_once_is_asked_again(failure):
    assert probed(Script(failure, answer(200, PONG))).outcome == "connected"


@pytest.mark.parametrize("failure", TEMPORARY)
def test_a_failure_of_the_second_call_is_transient_too(failure):
    result = probed(Script(answer(401, DEAD), failure, failure))

    assert result.outcome == "transient"


def test_retry_after_is_waited_for():
    script = Script(answer(429, {}, Retry_After="7"), answer(200, PONG))

    probed(script)

    assert script.slept == [7.0]


def test_a_long_retry_after_is_left_to_the_run():
    script = Script(answer(429, {}, Retry_After="600"))

    result = probed(script)

    assert (result.outcome, result.facts["retry_after"]) == ("transient", 600.0)
    assert script.slept == []


def test_an_element_without_ping_is_probed_by_its_smallest_call():
    script = Script(
        answer(404, {"message": "Not supported for this element"}),
        answer(200, {"id": 1}),
    )

    assert probed(script, element_key="github", hub="general").outcome == "connected"
    assert script.paths == [PING, "GET /hubs/general/me"]


def test_a_dead_element_without_ping_is_dead():
    script = Script(
        answer(404, {"message": "no"}), answer(401, DEAD), answer(200, instance())
    )

    assert probed(script, element_key="github").outcome == "dead"


@pytest.mark.parametrize(
    "answers", [[answer(404, {"message": "no"})], [answer(405, b"")]]
)
def test_an_element_of_which_no_call_is_known_is_not_supported(answers):
    result = probed(Script(*answers), element_key="unheard", hub="")

    assert (result.outcome, result.cause) == ("not_supported", "no_probe")


def test_an_element_whose_fallback_is_unknown_too_is_not_supported():
    script = Script(answer(404, {"message": "no"}), answer(404, {"message": "no"}))

    assert probed(script).outcome == "not_supported"


def test_without_an_element_token_the_platform_is_asked_for_it():
    script = Script(answer(200, instance()), answer(200, PONG))

    result = probed(script, element_token="")

    assert result.outcome == "connected"
    assert set(result.changes) == {"element_token"}


def test_without_an_element_token_anywhere_nothing_is_called():
    result = probed(Script(answer(200, instance(token=None))), element_token="")

    assert (result.outcome, result.cause) == ("misconfigured", "no_element_token")


def test_a_token_of_another_instance_is_found_out():
    other = answer(200, PONG, Elements_Element_Instance_Id="8")

    result = probed(Script(other, answer(200, instance())))

    assert (result.outcome, result.cause) == ("misconfigured", "other_instance")


@pytest.mark.parametrize(
    ("script", "changed", "cause"),
    [
        (Script(blocked), {}, "blocked_address"),
        (Script(answer(302, b"", Location="https://x.test")), {}, "redirected"),
        (Script(), {"element_token": "two words"}, "malformed_secret"),
    ],
)
def test_what_no_repetition_helps_is_misconfigured(script, changed, cause):
    result = probed(script, **changed)

    assert (result.outcome, result.cause) == ("misconfigured", cause)


def test_a_result_quotes_no_secret():
    echo = {
        "message": "x",
        "providerMessage": f"{'y' * 190} {TOKEN} {CREDENTIALS.user_secret}",
    }

    result = probed(Script(answer(401, echo), answer(200, instance())))

    assert TOKEN[:8] not in repr(result)
    assert CREDENTIALS.user_secret[:8] not in repr(result)
