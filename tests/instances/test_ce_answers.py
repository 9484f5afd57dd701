"""What is made of the platform's answers, good and hostile."""

import pytest

from ceadmin.lib import http
from instances import cloud_elements as ce
from instances.cloud_elements import Code, RateLimited, Refused, Unclear, Unreachable
from tests.instances.canned import BAD_SECRETS, DEAD, PAGE_OF_A_PROXY, answer, instance

CUT = b'{"id": 471196, "configuration": {"oauth.user.token": "acc'
GARBAGE = [
    (PAGE_OF_A_PROXY, Code.HTML),
    (b"", Code.EMPTY_BODY),
    (b" \r\n", Code.EMPTY_BODY),
    (CUT, Code.TRUNCATED_JSON),
    (b'[{"id": 1},', Code.TRUNCATED_JSON),
    (b"{'id': 1}", Code.BAD_JSON),
    (b'{"id": ' + b"9" * 5000 + b"}", Code.BAD_JSON),
    (b"[" * 100_000, Code.BAD_JSON),
    (b'{"name": "\xff\xfe"}', Code.BAD_ENCODING),
    (b'{"id": 1, "name": "a\x00b"}', Code.NUL_BYTES),
    (b'"a string"', Code.WRONG_SHAPE),
    (b"null", Code.WRONG_SHAPE),
    (b"[]", Code.WRONG_SHAPE),
    (b"[{}, {}]", Code.WRONG_SHAPE),
    (b'{"id": true}', Code.WRONG_SHAPE),
    (b'{"id": [1]}', Code.WRONG_SHAPE),
    (b'{"id": 1e400}', Code.WRONG_SHAPE),
    (b'{"id": -1}', Code.WRONG_SHAPE),
    (b'{"id": "../8"}', Code.WRONG_SHAPE),
]


@pytest.mark.parametrize("body", [instance(), [instance()]])
def test_an_instance_is_read_from_an_object_or_a_list_of_one(body):
    read = ce.read_instance(answer(200, body))

    assert (read.remote_id, read.element_key, read.hub) == (
        "471196",
        "box",
        "documents",
    )
    assert (read.access_token, read.refresh_token) == ("access0token", "refresh0token")
    assert read.client_id == "********"
    assert read.tags == ("finance",)


@pytest.mark.parametrize("sent", [471196, "471196", " 471196 ", 471196.0])
def test_an_id_may_be_a_number_or_text(sent):
    assert ce.read_instance(answer(200, instance(id=sent))).remote_id == "471196"


def test_unknown_and_missing_fields_are_tolerated():
    read = ce.read_instance(answer(200, {"id": 1, "surprise": {"a": []}}))

    assert read == ce.RemoteInstance("1", "", "", "", "", (), False, None, None)
    assert read.token_problem == "no_configuration"


def test_fields_of_a_wrong_type_are_read_as_absent():
    odd = instance(
        name=7,
        element=[],
        token={},
        tags="x",
        disabled="true",
        valid=3,
        configuration="no",
    )

    read = ce.read_instance(answer(200, odd))

    assert (read.name, read.element_key, read.token, read.tags) == ("", "", "", ())
    assert (read.disabled, read.valid, read.configuration) == (True, None, None)


def test_configuration_values_become_text_whatever_their_type():
    read = ce.read_instance(
        answer(
            200, instance(configuration={"a": True, "b": 3600, "c": None, "d": ["x"]})
        )
    )

    assert read.configuration == {"a": "true", "b": "3600", "c": None, "d": '["x"]'}
    assert read.token_problem == "no_token"


def test_the_old_list_form_of_a_configuration_is_read():
    entries = [{"key": "oauth.user.token", "propertyValue": "t1"}, "junk", {"key": 3}]

    assert (
        ce.read_instance(answer(200, instance(configuration=entries))).access_token
        == "t1"
    )


def test_masked_tokens_are_recognised_and_not_handed_out():
    masked = {"oauth.user.token": "********", "oauth.user.refresh_token": "********"}

    read = ce.read_instance(answer(200, instance(configuration=masked)))

    assert (read.tokens_masked, read.token_problem, read.access_token) == (
        True,
        "masked_token",
        "",
    )


def test_a_token_that_cannot_be_one_is_not_handed_out():
    read = ce.read_instance(
        answer(200, instance(configuration={"oauth.user.token": "a\u0000b\r\n"}))
    )

    assert (read.access_token, read.token_problem) == ("", "garbled_token")


def test_text_of_any_language_is_kept():
    name = "株式会社\u3000アクメ – می\u200cخواهم 👩\u200d💻"

    assert ce.read_instance(answer(200, instance(name=name))).name == name


def test_hostile_configuration_can_be_stored():
    hostile = {"oauth.api.key": "a\u0000", "na\u0000me": "b\ud800", "c": ["\u0000"]}

    read = ce.read_instance(answer(200, instance(configuration=hostile)))

    assert read.client_id == "a\\x00"
    assert read.configuration_names == ("c", "na\\x00me", "oauth.api.key")
    assert "\0" not in str(read.configuration)
    assert str(read.configuration).encode()


def test_hostile_text_is_escaped():
    read = ce.read_instance(
        answer(200, instance(name="a\u0000b\u202e\ud800", tags=["x\n", "x\n", ""]))
    )

    assert read.name == "a\\x00b\\u202e\\ud800"
    assert read.tags == ("x",)


@pytest.mark.parametrize(("body", "code"), GARBAGE)
def test_a_read_that_cannot_be_used_may_be_repeated(body, code):
    with pytest.raises(Unreachable) as caught:
        ce.read_instance(answer(200, body))

    assert caught.value.code == code


@pytest.mark.parametrize(("body", "code"), GARBAGE)
def test_a_write_whose_answer_cannot_be_used_is_unclear(body, code):
    with pytest.raises(Unclear) as caught:
        ce.read_reauthenticated(answer(200, body))

    assert caught.value.code == code


@pytest.mark.parametrize(("body", "code"), GARBAGE)
def test_nothing_of_a_good_answer_is_quoted(body, code):
    with pytest.raises(ce.PlatformError) as caught:
        ce.read_instance(answer(200, body))

    assert "acc" not in caught.value.excerpt
    assert "acc" not in str(caught.value)


def test_another_instance_than_asked_for_is_not_taken():
    with pytest.raises(Unreachable) as caught:
        ce.read_instance(answer(200, instance()), expected_id="8")

    assert caught.value.code == Code.OTHER_INSTANCE


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, BAD_SECRETS, Code.UNAUTHORIZED),
        (401, DEAD, Code.GRANT_REFUSED),
        (401, b"", Code.UNAUTHORIZED),
        (403, {"message": "Element instance is Disabled"}, Code.DISABLED),
        (403, {"message": "Missing privilege"}, Code.FORBIDDEN),
        (
            403,
            {"message": "Failed", "providerMessage": "User account disabled"},
            Code.PROVIDER_FORBIDS,
        ),
        (
            400,
            {"message": "Bad Request", "providerMessage": "invalid_grant"},
            Code.PROVIDER_REFUSED,
        ),
        (400, {"message": "Bad Request"}, Code.BAD_REQUEST),
        (404, {"message": "No element instance found with id 7"}, Code.NOT_FOUND),
        (409, [1, 2], Code.BAD_REQUEST),
        (302, b"", Code.REDIRECTED),
        (501, b"", Code.BAD_REQUEST),
    ],
)
def test_refusals_have_names(status, body, code):
    problem = ce.trouble(answer(status, body))

    assert isinstance(problem, Refused)
    assert (problem.code, problem.status) == (code, status)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_error_is_temporary_for_a_read_and_unclear_for_a_write(status):
    failed = answer(status, {"message": "oops"})

    assert isinstance(ce.trouble(failed), Unreachable)
    assert isinstance(ce.trouble(failed, write=True), Unclear)


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_a_page_of_html_is_never_the_platform_speaking(status):
    problem = ce.trouble(answer(status, b"\xef\xbb\xbf\n " + PAGE_OF_A_PROXY))

    assert isinstance(problem, Unreachable)
    assert problem.code == Code.HTML


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "17"}, 17.0),
        ({"Retry_After": " 0.5 "}, 0.5),
        ({}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-3"}, None),
        ({"Retry_After": "9" * 400}, None),
        (
            {
                "Retry_After": "Sun, 01 Mar 2026 10:00:30 GMT",
                "Date": "Sun, 01 Mar 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "Retry_After": "Sun, 01 Mar 2026 09:00:00 GMT",
                "Date": "Sun, 01 Mar 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"Retry_After": "Sun, 01 Mar 2026 10:00:30 GMT"}, None),
        ({"Retry_After": "Sun, 99 Mar 2026 10:00:30 GMT", "Date": "never"}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(headers, seconds):
    problem = ce.trouble(answer(429, {"message": "slow down"}, **headers), write=True)

    assert isinstance(problem, RateLimited)
    assert problem.retry_after == seconds


def test_an_error_quotes_at_most_200_redacted_characters():
    said = {
        "message": "x",
        "providerMessage": "token canary0token is dead " + "y" * 500,
    }

    problem = ce.trouble(answer(401, said))
    problem.secrets = ("canary0token",)

    assert "canary0token" not in problem.excerpt
    assert len(problem.excerpt) <= 200


def test_the_request_id_is_taken_from_body_or_header():
    from_body = ce.trouble(answer(401, BAD_SECRETS))
    from_header = ce.trouble(answer(401, b"", Elements_Request_Id="abc\t1"))

    assert from_body.request_id == "65e1b7c6e4b0aa31ae39b533"
    assert from_header.request_id == "abc\\t1"


def test_a_page_tells_its_cursor_and_the_total():
    page = ce.read_page(
        answer(
            200, [instance()], Elements_Next_Page_Token="c2", Elements_Total_Count="431"
        )
    )

    assert (len(page.instances), page.next_page, page.total, page.unreadable) == (
        1,
        "c2",
        431,
        0,
    )


def test_rows_without_an_id_are_counted_not_lost_silently():
    page = ce.read_page(
        answer(200, [instance(), {"id": None}, "junk"], Elements_Total_Count="many")
    )

    assert (len(page.instances), page.unreadable, page.total) == (1, 2, None)


@pytest.mark.parametrize("absent", [None, {}, []])
def test_a_light_list_has_no_configuration(absent):
    page = ce.read_page(answer(200, [instance(configuration=absent)]))

    assert page.instances[0].configuration is None


def test_404_is_an_empty_list():
    assert ce.read_page(answer(404, {"message": "No instances found"})) == ce.Page(
        total=0
    )


@pytest.mark.parametrize("body", [PAGE_OF_A_PROXY, b"", b"not found"])
def test_a_404_of_something_else_is_not_an_empty_list(body):
    with pytest.raises(ce.PlatformError):
        ce.read_page(answer(404, body))


def test_enabling_succeeds_with_any_body():
    assert ce.read_enabled(answer(200, b"")) is None


@pytest.mark.parametrize(
    "body", [{"valid": True}, {"valid": "true"}, {"dateTime": "x"}, []]
)
def test_a_pong_is_good_whatever_valid_says(body):
    assert ce.read_pong(answer(200, body)) is None


def test_a_pong_of_another_instance_is_refused():
    with pytest.raises(Refused) as caught:
        ce.read_pong(answer(200, {}, Elements_Element_Instance_Id="8"), expected_id="7")

    assert caught.value.code == Code.OTHER_INSTANCE


def test_the_bearer_pair_is_read():
    bearer = ce.read_login(answer(200, {"token": "b1"}))
    secrets = ce.read_secrets(
        answer(200, {"userSecret": "u", "organizationSecret": "o"})
    )

    assert (bearer, secrets) == ("b1", ce.Secrets("u", "o"))


@pytest.mark.parametrize(
    ("error", "write", "kind"),
    [
        (http.Blocked, False, Refused),
        (http.Blocked, True, Refused),
        (http.Unreachable, False, Unreachable),
        (http.Unreachable, True, Unreachable),
        (http.Lost, False, Unreachable),
        (http.Lost, True, Unclear),
    ],
)
def test_a_call_without_an_answer_is_sorted_by_what_may_have_happened(
    error, write, kind
):
    request = http.Request.get("https://h.test/")

    assert type(ce.from_transport(error(request, "word"), write=write)) is kind


def test_an_answer_too_large_to_read_is_not_asked_for_again():
    error = http.Lost(http.Request.get("https://h.test/"), "too_large")

    assert type(ce.from_transport(error)) is Refused
    assert type(ce.from_transport(error, write=True)) is Unclear
