"""The comparison with the SDKs can fail, and what it lets pass stands in the records."""

import tomllib
from pathlib import Path

import pytest

from providers import catalogue
from tests.house.sources import ROOT
from tests.sdks.comparison import differences, facts, open_points

CASES = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())
PARTS = [
    pytest.param(key, part, id=f"{key}-{number}")
    for key, case in CASES.items()
    for number, part in enumerate(case.get("differences", []))
]
SENT = {
    "method": "POST",
    "target": "/oauth2/revoke%2Fall?dry=1",
    "headers": [
        ["host", "api.example.com"],
        ["user-agent", "sdk/1.0"],
        ["content-type", "application/x-www-form-urlencoded"],
        ["authorization", "Basic Y2xpZW50OnNlY3JldA=="],
        ["x-version", "7"],
    ],
    "body": "token=a%2Bb",
}
JSON = [
    ["host", "api.example.com"],
    ["content-type", "application/json; charset=utf-8"],
]


def with_header(name, text):
    kept = [pair for pair in SENT["headers"] if pair[0] != name]
    return {**SENT, "headers": [*kept, [name, text]]}


@pytest.mark.parametrize(
    ("altered", "name"),
    [
        ({**SENT, "method": "DELETE"}, "method"),
        (with_header("host", "api.example.org"), "host"),
        ({**SENT, "target": "/oauth2/revoke/all?dry=1"}, "path"),
        ({**SENT, "target": "/oauth2/revoke%2Fall?dry=0"}, "query.dry"),
        ({**SENT, "target": "/oauth2/revoke%2Fall"}, "query.dry"),
        ({**SENT, "body": "token=a+b"}, "field.token"),
        ({**SENT, "body": "token=a%2Bb&hint=x"}, "field.hint"),
        ({**SENT, "body": "token=a%2Bb&hint="}, "field.hint"),
        ({**SENT, "body": "token=a%2Bb&token=a%2Bb"}, "field.token"),
        (with_header("authorization", "Basic Y2xpZW50Om90aGVy"), "authorization"),
        (with_header("authorization", "Bearer client:secret"), "authorization"),
        (with_header("x-version", "8"), "header.x-version"),
        (with_header("accept", "text/html"), "header.accept"),
    ],
)
def test_one_altered_part_is_found_and_named(altered, name):
    found = differences(facts(SENT), facts(altered))

    assert list(found) == [name]
    assert len(open_points(found, {})) == 1


def test_form_and_json_of_the_same_fields_differ_in_their_type():
    sent = {**SENT, "headers": JSON, "body": '{"token": "a+b"}'}
    form = [JSON[0], ["content-type", "application/x-www-form-urlencoded"]]

    found = differences(facts({**SENT, "headers": form}), facts(sent))

    assert list(found) == ["content-type"]


def test_how_the_bytes_are_written_is_no_difference():
    spelt = with_header("user-agent", "other/2.0")
    spelt = {**spelt, "headers": [*spelt["headers"], ["accept", "*/*"]]}

    assert differences(facts(SENT), facts({**spelt, "body": "token=%61%2bb"})) == {}


@pytest.mark.parametrize(
    ("found", "explained", "points"),
    [
        ({}, {}, 0),
        ({"host": ("a", "b")}, {"host": ["a", "b"]}, 0),
        ({"host": ("a", "b")}, {"host": ["a", "*"]}, 0),
        ({"host": ("a", "c")}, {"host": ["a", "b"]}, 1),
        ({"host": ("a", "b")}, {}, 1),
        ({}, {"host": ["a", "b"]}, 1),
    ],
    ids=["same", "explained", "whatever", "another", "unexplained", "gone"],
)
def test_a_difference_is_explained_exactly_while_it_is_there(found, explained, points):
    assert len(open_points(found, explained)) == points


@pytest.mark.parametrize(("key", "part"), PARTS)
def test_what_concerns_more_than_a_header_is_explained_in_the_record(key, part):
    record = catalogue.get(key)
    told = {*record.notes, *(call.note for call in record.calls().values())}

    only_headers = all(name.startswith("header.") for name in part["facts"])

    assert part["note"] in told if "note" in part else only_headers and part["why"]


@pytest.mark.parametrize("key", CASES)
def test_the_record_names_the_sdk_among_its_sources(key):
    words = [source.ref.split() for source in catalogue.get(key).sources]

    assert ["PyPI", CASES[key]["sdk"]] in [found[:2] for found in words]


def test_the_catalogue_is_compared_with_enough_sdks():
    assert len(CASES) >= 20
    assert {"box", "quickbooks", "slack", "dropbox"} <= CASES.keys()
    assert f"send, for {len(CASES)} of them" in (ROOT / "README.md").read_text()


def test_no_sdk_is_something_that_ceadmin_or_its_tests_run_on():
    sdks = pinned("tests/sdks/requirements.txt", "~=")
    own = pinned("requirements.lock", "==") | pinned("tests/requirements.lock", "==")

    assert sdks & own == {"trustme"}  # it makes the certificates for both


def pinned(file, sign):
    lines = (ROOT / file).read_text().splitlines()
    return {line.partition(sign)[0] for line in lines if sign in line}
