"""What a provider's answer to a revocation means, and what it never means."""

import pytest

from providers import catalogue
from providers.choices import Proof, Verdict
from providers.revocation import plan, read
from tests.providers.support import REVOCABLE, answer, grant, record

HTML = "<!DOCTYPE html><html><body>Sign in</body></html>"
INVALID_CLIENT = '{"error": "invalid_client", "error_description": "no"}'
INVALID_TOKEN = '{"error": "invalid_token"}'


def reading(key, status, body=b"", **headers):
    provider = catalogue.get(key)
    [step, *_] = plan(provider, grant(key))
    return read(provider, step, answer(status, body, **headers))


def verdict(key, status, body=b"", **headers):
    got = reading(key, status, body, **headers)
    return got.verdict, got.code


def says(key, status):
    """Tell whether the bare status means something by the record."""
    rules = catalogue.get(key).revoke.answers
    return any(status in rule.status and not rule.match for rule in rules)


@pytest.mark.parametrize("key", [key for key in REVOCABLE if says(key, 200)])
@pytest.mark.parametrize("body", ["", "  \r\n", "{}", "null", "\ufeff{}"])
def test_200_means_that_the_provider_said_yes(key, body):
    assert verdict(key, 200, body) == (Verdict.REVOKED, "revoked")


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_an_error_about_the_client_never_means_a_dead_token(key, status, error):
    body = INVALID_CLIENT.replace("invalid_client", error)

    assert verdict(key, status, body) == (Verdict.REFUSED, error)


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("body", ['{"error": "%s"}', "error=%s&error_description=no"])
def test_a_kind_of_token_that_is_not_taken_is_refused(key, body):
    error = "unsupported_token_type"

    assert verdict(key, 400, body % error) == (Verdict.REFUSED, error)


@pytest.mark.parametrize("key", REVOCABLE)
def test_429_is_throttled_whatever_the_body(key):
    for body in ("", INVALID_TOKEN, HTML):
        assert verdict(key, 429, body) == (Verdict.THROTTLED, "throttled")


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_s_failure_leaves_the_token_alive(key, status):
    for body in ("", INVALID_TOKEN, HTML):
        assert verdict(key, status, body) == (Verdict.UNAVAILABLE, f"http_{status}")


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("body", [HTML, "<html>", " \n<HTML lang=en>", "<head></head>"])
def test_a_page_of_html_says_nothing(key, status, body):
    assert verdict(key, status, body) == (Verdict.UNCLEAR, "html")


GARBAGE = [b'{"error": "inval', b"\xff\xfe\x00", b"OK?", b"\x00", b"[" * 100_000]


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_says_nothing(key, status, body):
    assert verdict(key, status, body) == (Verdict.UNCLEAR, "garbage")


@pytest.mark.parametrize("key", REVOCABLE)
@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 101])
def test_a_redirect_says_nothing(key, status):
    assert verdict(key, status) == (Verdict.UNCLEAR, f"http_{status}")


@pytest.mark.parametrize("key", REVOCABLE)
def test_200_with_an_error_in_it_is_no_yes(key):
    assert verdict(key, 200, '{"error": "try_later"}') == (Verdict.REFUSED, "try_later")


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_refusal_that_nobody_documented_is_a_refusal(key):
    for status in {402, 403, 404} - {s for s in (403, 404) if says(key, s)}:
        said = verdict(key, status, '{"error": "forbidden"}')
        assert said == (Verdict.REFUSED, "forbidden")
        assert verdict(key, status) == (Verdict.REFUSED, f"http_{status}")


ALREADY = [
    ("box", 400, INVALID_TOKEN),
    ("box", 400, ""),
    ("box", 400, '{"error": "invalid_request", "error_description": "Invalid token"}'),
    ("salesforce", 400, INVALID_TOKEN),
    ("salesforce", 400, "error=invalid_token&error_description=invalid+token"),
    ("adobe_sign", 400, '{"code": "INVALID_ACCESS_TOKEN"}'),
    ("adobe_sign", 401, ""),
    ("quickbooks", 400, ""),
    ("quickbooks", 400, '{"error": "invalid_grant"}'),
    ("generic_rfc7009", 400, INVALID_TOKEN),
]


@pytest.mark.parametrize(("key", "status", "body"), ALREADY)
def test_a_known_answer_means_already_gone_and_is_to_be_verified(key, status, body):
    got = reading(key, status, body)

    assert (got.verdict, got.proof) == (Verdict.ALREADY, Proof.VERIFY)


@pytest.mark.parametrize(
    ("key", "status", "body"),
    [
        ("salesforce", 400, ""),
        ("salesforce", 400, '{"error": "invalid_grant"}'),
        ("salesforce", 400, "error=invalid_request"),
        ("quickbooks", 401, ""),
        ("quickbooks", 400, '{"error": "other"}'),
        ("generic_rfc7009", 401, ""),
    ],
)
def test_what_is_not_documented_as_gone_is_not_read_as_gone(key, status, body):
    assert reading(key, status, body).verdict == Verdict.REFUSED


DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"Retry_After": "0"}, 0.0),
        ({"Retry_After": "9999999"}, 86_400.0),
        ({"Retry_After": "Mon, 23 Nov 2026 10:02:00 GMT", "Date": DATE}, 120.0),
        ({"Retry_After": "Mon, 23 Nov 2026 09:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry_After": "Mon, 23 Nov 2026 10:02:00 -0000", "Date": DATE}, 120.0),
        ({"Retry_After": "Mon, 23 Nov 2026 10:02:00 GMT"}, None),
        ({"Retry_After": "soon", "Date": DATE}, None),
        ({"Retry_After": "-5", "Date": DATE}, None),
        ({"Retry_After": "1e9", "Date": DATE}, None),
        ({"Retry_After": "٧", "Date": DATE}, None),
        ({"Retry_After": "Mon, 99 Nov 99999 10:02:00 GMT", "Date": DATE}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_time_to_wait_is_read_from_seconds_or_a_date(status, headers, seconds):
    assert reading("box", status, **headers).retry_after == seconds


def test_a_time_to_wait_on_any_other_answer_is_ignored():
    assert reading("box", 200, Retry_After="7").retry_after is None


def test_a_quoted_answer_shows_no_secret():
    body = '{"error": "refresh-1", "seen": ["access-1", "secret-1"], "x": "' + "y" * 900

    got = reading("box", 400, body + '"}')

    assert got.code != "refresh-1"
    assert len(got.excerpt) <= 210
    for secret in ("refresh-1", "access-1", "secret-1"):
        assert secret not in got.excerpt


@pytest.mark.parametrize(
    "error", ["refresh-1", "bad:refresh-1", "Y2xpZW50LTE6c2VjcmV0LTE"]
)
def test_a_code_that_repeats_a_secret_is_dropped(error):
    got = reading("quickbooks", 400, f'{{"error": "{error}", "x": "{error}="}}')

    assert (got.verdict, got.code) == (Verdict.REFUSED, "")
    assert error not in got.excerpt


def slack():
    """A record that answers 200 to everything, and says in the body what it means."""
    dead = {"path": "error", "equals": ["token_revoked", "invalid_auth"]}
    return record(
        revoke__answers=[
            {
                "status": [200],
                "means": "revoked",
                "match": [
                    {"path": "ok", "equals": [True]},
                    {"path": "revoked", "equals": [True]},
                ],
            },
            {"status": [200], "means": "already", "proof": "grant", "match": [dead]},
        ]
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"ok": true, "revoked": true}', Verdict.REVOKED),
        ('{"ok": true, "revoked": false}', Verdict.UNCLEAR),
        ('{"ok": 1, "revoked": 1}', Verdict.UNCLEAR),
        ('{"ok": false, "error": "token_revoked"}', Verdict.ALREADY),
        ('{"ok": false, "error": "ratelimited"}', Verdict.REFUSED),
        ('{"ok": false, "error": "invalid_client"}', Verdict.REFUSED),
        ("{}", Verdict.UNCLEAR),
        ("[]", Verdict.UNCLEAR),
        ("", Verdict.UNCLEAR),
    ],
)
def test_a_record_can_judge_by_the_body(body, expected):
    provider = slack()
    [step, *_] = plan(provider, grant())

    got = read(provider, step, answer(200, body))

    assert got.verdict == expected
    assert (got.proof == Proof.GRANT) == (expected == Verdict.ALREADY)


def test_a_record_can_judge_by_the_body_s_text():
    rule = {
        "status": [200],
        "means": "revoked",
        "match": [{"text": "<Ack>Success</Ack>"}],
    }
    provider = record(revoke__answers=[rule])
    [step, *_] = plan(provider, grant())

    yes = read(provider, step, answer(200, "<?xml version='1.0'?><Ack>Success</Ack>"))
    no = read(provider, step, answer(200, "<?xml version='1.0'?><Ack>Failure</Ack>"))

    assert (yes.verdict, no.verdict) == (Verdict.REVOKED, Verdict.UNCLEAR)


def test_a_record_can_judge_by_how_a_word_begins():
    rule = {
        "status": [401],
        "means": "already",
        "match": [{"path": "error_summary", "starts_with": "invalid_access_token"}],
    }
    provider = record(revoke__answers=[{"status": [200], "means": "revoked"}, rule])
    [step, *_] = plan(provider, grant())

    got = read(
        provider, step, answer(401, '{"error_summary": "invalid_access_token/..."}')
    )

    assert got.verdict == Verdict.ALREADY
