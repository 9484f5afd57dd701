"""The requests on pages and in the docs: what a shell makes of them is what is really sent.

A shell runs every command with a stand-in for curl that writes down its arguments; these
are read as curl reads them and compared with the request that `calls.build` makes of the
same values.
"""

import json
import re
import subprocess
from urllib.parse import parse_qsl

import pytest

from providers import calls, catalogue, oauth, rules
from providers.choices import TokenKind
from providers.grants import Grant
from providers.samples import samples
from tests.providers.support import ALL_KEYS, SITES, record

#: With what a shell, a form and JSON write differently, as far as each place may hold it.
GRANT = {
    "access_token": "access.1~x",
    "refresh_token": "refresh-1_y",
    "token_secret": "token-secret",
    "client_id": "client-1",
    "client_secret": "secret.1",
}
AWKWARD = {"refresh_token": "re+f/r==", "client_secret": "s`e$c r!t'&\\"}
CURL = 'curl() { printf "%s\\0" "$@"; case "$*" in *@-*) cat;; esac; printf "\\0\\1"; }'


def shell(commands: list[str], values: dict[str, str]) -> list[list[str]]:
    """Return the arguments, and what came in, of each command as a shell understands it."""
    given = {**values, "PATH": "/usr/bin:/bin"}
    script = "\n".join([CURL, *commands])
    done = subprocess.run(
        ["bash", "-c", script], env=given, capture_output=True, text=True, check=True
    )
    return [one.split("\0")[:-1] for one in done.stdout.split("\1")[:-1]]


def understood(arguments: list[str]) -> dict[str, object]:
    """Return the request that curl would make."""
    *words, stdin = arguments
    made = {"method": "", "url": "", "headers": {}, "fields": [], "json": None}
    pending = iter(words)
    for word in pending:
        match word:
            case "--request":
                made["method"] = next(pending)
            case "--header":
                name, _, value = next(pending).partition(": ")
                made["headers"][name] = value
            case "--user":
                pair = next(pending).split(":", 1)
                made["headers"]["Authorization"] = oauth.basic(*pair)
            case "--data-urlencode":
                made["fields"].append(tuple(next(pending).split("=", 1)))
            case "--data":
                assert next(pending) == "@-"
                made["json"] = json.loads(stdin)
            case _:
                made["url"] = word
    return made | {"method": made["method"] or "GET"}


def sent(request) -> dict[str, object]:
    """Return a real request in the same words."""
    headers, text = dict(request.headers), (request.body or b"").decode()
    if "oauth_signature=" in headers.get("Authorization", ""):
        headers["Authorization"] = "OAuth signed"
    is_json = text.startswith("{")
    fields = [] if is_json or not text else parse_qsl(text, keep_blank_values=True)
    if fields:
        del headers["Content-Type"]  # curl adds it
    return {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "fields": fields,
        "json": json.loads(text) if is_json else None,
    }


def built(provider, key: str, grant: Grant):
    call, order = provider.calls()[key], provider.revoke.order
    kind = order[0] if order and key.startswith("revoke") else TokenKind.ACCESS
    return calls.build(provider, call, grant, kind)


def values_of(provider, grant: dict[str, str], site: dict[str, str]) -> dict[str, str]:
    known = {name.upper(): value for name, value in {**grant, **site}.items()}
    return known | {"SIGNATURE": "signed"}


def test_a_shell_understands_each_request_as_it_is_really_sent():
    for key in ALL_KEYS:
        provider, site = catalogue.get(key), SITES[key]
        shown = samples(provider).calls
        grant = Grant(site=site, **GRANT)
        ran = shell([one.curl for one in shown], values_of(provider, GRANT, site))
        for one, arguments in zip(shown, ran, strict=True):
            assert understood(arguments) == sent(built(provider, one.key, grant)), key


@pytest.mark.parametrize("key", ["box", "quickbooks", "generic_rfc7009", "auth0"])
def test_values_that_a_shell_reads_otherwise_arrive_as_they_are(key):
    provider, site = catalogue.get(key), SITES[key]
    grant = GRANT | AWKWARD
    if provider.revoke.call.token.place == "json":
        grant["client_secret"] = (
            "s`e$c r!t'&"  # a quote in JSON is the reader's to escape
        )

    [ran, *_] = shell(
        [samples(provider).calls[0].curl], values_of(provider, grant, site)
    )

    real = sent(built(provider, "revoke.call", Grant(site=site, **grant)))
    assert understood(ran) == real


def test_every_call_is_shown_once_and_every_variable_is_explained():
    for key in ALL_KEYS:
        provider = catalogue.get(key)
        book = samples(provider)
        shown = [one.curl for one in book.calls]
        used = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]*)", "\n".join(shown)))

        assert bool(shown) == bool(provider.calls())
        assert len(shown) == len(set(shown))
        assert used <= {one.name for one in book.variables}, key
        assert all(one.meaning for one in book.variables)


def test_no_mark_and_no_secret_is_left_in_a_request():
    for key in ALL_KEYS:
        text = "\n".join(one.curl for one in samples(catalogue.get(key)).calls)

        assert not re.search(
            r"xqz|zqx|\{\w+\}(?!})|Basic |oauth_nonce", text.replace("${", "")
        ), key


def test_a_literal_that_means_something_to_a_shell_is_escaped():
    call = {
        "url": "https://api.example.com/revoke",
        "token": {"place": "form", "name": "token"},
    }
    odd = record(revoke__call={**call, "fields": {"note": 'a"b`c$d\\e'}})

    [arguments] = shell([samples(odd).calls[0].curl], values_of(odd, GRANT, {}))

    assert ("note", 'a"b`c$d\\e') in understood(arguments)["fields"]


def test_a_value_beside_letters_and_one_that_a_shell_has_itself_stay_apart():
    place = {"meaning": "x", "kind": "value", "pattern": "[a-z]+"}
    odd = record(
        revoke__call__url="https://api.example.com/{path}x/{home}",
        placeholders={"path": place, "home": place},
    )

    [arguments] = shell(
        [samples(odd).calls[0].curl], GRANT | {"PATH_VALUE": "a", "HOME_VALUE": "b"}
    )

    assert understood(arguments)["url"] == "https://api.example.com/ax/b"


def test_the_note_of_a_signed_call_says_what_signs_it():
    signed = [
        key
        for key in ALL_KEYS
        if any(
            call.client_auth in rules.SIGNING
            for call in catalogue.get(key).calls().values()
        )
    ]

    assert signed
    for key in signed:
        [one] = [
            v for v in samples(catalogue.get(key)).variables if v.name == "SIGNATURE"
        ]
        assert "HMAC-SHA" in one.meaning
        assert "RFC 5849" in one.meaning
