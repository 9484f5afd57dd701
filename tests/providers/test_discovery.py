"""What a server says of itself, asked through the one seam, and all the ways in which it is not believed."""

import json
from dataclasses import replace

import pytest

from ceadmin.lib import http
from providers import own_rules, writing
from providers.discovery import NotFound, addresses, discover
from tests.providers.own_records import text

ISSUER = "https://auth.example.com"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


def refused(issuer: str = ISSUER, **given) -> str:
    """Return the sentence of a refusal."""
    with pytest.raises(NotFound) as problem:
        discover(issuer, **given)
    return problem.value.sentence


def answers(emulator, status: int = 200, path: str = OAUTH, **options) -> None:
    """Let the server answer something else."""
    rule = {"kind": "status", "match": {"path": path}, "times": 0, "status": status}
    emulator.control("faults", {**rule, **options})


def says(emulator, **changes) -> None:
    """Let the server's metadata say something else."""
    told = {"issuer": ISSUER, "revocation_endpoint": f"{ISSUER}/oauth/revoke"}
    body = {name: one for name, one in {**told, **changes}.items() if one is not ...}
    answers(emulator, body=json.dumps(body))


def asked(emulator) -> list[str]:
    return [row["path"] for row in emulator.log() if ".well-known" in row["path"]]


def test_a_server_says_how_its_tokens_are_revoked(emulator):
    found = discover(f" {ISSUER} ")

    assert found.revocation_url == f"{ISSUER}/oauth/revoke"
    assert (found.client_auth, found.check_url) == ("basic", f"{ISSUER}/oauth/userinfo")
    assert found.address == ISSUER + OAUTH
    assert asked(emulator) == [OAUTH]


def test_openid_s_address_is_asked_where_the_other_one_is_not_there(emulator):
    answers(emulator, 404)

    assert discover(ISSUER).address == ISSUER + OPENID
    assert asked(emulator) == [OAUTH, OPENID]


def test_the_well_known_part_stands_before_or_behind_an_issuer_s_path():
    assert addresses("https://id.example.com/realms/acme/") == (
        "https://id.example.com/.well-known/oauth-authorization-server/realms/acme",
        "https://id.example.com/realms/acme/.well-known/openid-configuration",
    )


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://auth.example.com", "Begin the issuer with https://"),
        ("auth.example.com", "Begin the issuer with https://"),
        ("https://auth.example.com?x=1", "neither a query nor a fragment"),
        ("https://auth.example.com#", "neither a query nor a fragment"),
        ("https://10.0.0.1", "no address of a public host"),
        ("https://[::1]/", "no address of a public host"),
        ("https://[::1", "This is no address"),
        ("https://2130706433", "no address of a public host"),
        ("https://login.localhost", "no address of a public host"),
        ("https://login.corp", "no address of a public host"),
        ("https://a@auth.example.com", "no address of a public host"),
        ("https://bücher.example.com", "no address of a public host"),
        ("https://auth.example.com/a b", "no address of a public host"),
        ("https://auth.example.com/{x}", "no address of a public host"),
        ("https://auth.example.com/" + "x" * 500, "no address of a public host"),
    ],
)
def test_what_is_no_issuer_is_not_asked(emulator, issuer, words):
    assert words in refused(issuer)
    assert asked(emulator) == []


def test_a_name_that_leads_into_a_private_network_is_stopped_at_the_door():
    def resolved(request):
        """Go where a name of a public look leads."""
        private = request.url.replace("auth.example.com", "10.0.0.1")
        return http.send(replace(request, url=private))

    assert "leads into a private network" in refused(send=resolved)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(emulator, status):
    answers(emulator, status, headers={"Location": "https://evil.example.com/"})

    assert f"answers with a redirect ({status}), which is not followed" in refused()
    assert asked(emulator) == [OAUTH]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html>", "did not answer with JSON (html)"),
        ("", "did not answer with JSON (empty)"),
        ("{", "did not answer with JSON (truncated)"),
        ("[" * 100_000, "did not answer with JSON"),
        ("[]", "did not answer with a JSON object"),
        (
            json.dumps({"issuer": ISSUER, "x": "x" * 260_000}),
            "larger than 256000 bytes",
        ),
        ("x" * 1_200_000, "gave no answer that could be read"),
    ],
)
def test_what_is_no_metadata_is_not_believed(emulator, body, words):
    answers(emulator, body=body)

    assert words in refused()


def test_a_server_in_trouble_is_told_with_its_status(emulator):
    answers(emulator, 503)

    assert "answered 503. Try again later" in refused()


def test_a_server_without_metadata_is_written_by_hand(emulator):
    answers(emulator, 404)
    answers(emulator, 404, OPENID)

    assert "has no metadata at the addresses" in refused()


ELSEWHERE = f"{ISSUER}/other"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": ELSEWHERE}, f"asked for {ISSUER}, it says {ELSEWHERE}"),
        ({"issuer": f"{ISSUER}/"}, "letter by letter"),
        ({"issuer": "https://evil.example.com"}, "is another issuer's"),
        ({"issuer": "a\u202eb"}, "it says another one"),
        ({"issuer": ...}, "names no issuer"),
        ({"issuer": 7}, "names no issuer"),
        ({"revocation_endpoint": ...}, "names no revocation_endpoint"),
        ({"revocation_endpoint": ""}, "names no revocation_endpoint"),
        ({"revocation_endpoint": "http://auth.example.com/r"}, "no https address"),
        ({"revocation_endpoint": "https://10.0.0.1/r"}, "no https address"),
        ({"revocation_endpoint": ["x"]}, "no https address"),
        ({"revocation_endpoint": f"{ISSUER}/\u00f6"}, "no https address"),
        ({"revocation_endpoint": f"{ISSUER}/{{token}}"}, "no https address"),
        (
            {"introspection_endpoint": "https://login.corp/"},
            "introspection_endpoint is",
        ),
        ({"userinfo_endpoint": 1}, "userinfo_endpoint is no https address"),
    ],
)
def test_metadata_that_lies_or_lacks_is_told_by_its_name(emulator, changes, words):
    says(emulator, **changes)

    assert words in refused()


@pytest.mark.parametrize(
    ("methods", "word"),
    [
        (..., "basic"),
        (["client_secret_post"], "body"),
        (["private_key_jwt", "client_secret_post", "client_secret_basic"], "basic"),
        (["none"], "public"),
    ],
)
def test_the_client_proves_itself_as_the_server_wants(emulator, methods, word):
    says(emulator, revocation_endpoint_auth_methods_supported=methods)

    assert discover(ISSUER).client_auth == word


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        (["private_key_jwt"], "authenticate by private_key_jwt"),
        ([], "authenticate by nothing known"),
        ("none", "authenticate by nothing known"),
        (["\u202e"], "authenticate by nothing known"),
    ],
)
def test_a_way_to_authenticate_that_nobody_here_knows_is_told(emulator, methods, words):
    says(emulator, revocation_endpoint_auth_methods_supported=methods)

    assert words in refused()


def test_the_longest_issuer_makes_a_key():
    key = writing.key_for("login." + "very-" * 20 + "long.example.com")

    assert own_rules.read(text(key=key)).key == key
