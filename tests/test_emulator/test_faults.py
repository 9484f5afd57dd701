"""Faults: every kind, what it matches and how often."""

import gzip
import json
import socket
import time
from email.utils import parsedate_to_datetime
from http.client import IncompleteRead, RemoteDisconnected

import pytest

from tests.test_emulator.tenant import send

PING = {"path": "/ping"}
REVOKE = {"path": "/oauth2/revoke"}


@pytest.fixture
def box(acme):
    return acme.instance()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_status_comes_instead_of_the_effect(acme, box, status):
    acme.fault("status", status=status, match=REVOKE)

    assert acme.revoke("box", box["refresh_token"]).status == status
    assert acme.truth(box)["refresh_alive"]
    assert acme.emulator.log()[-1]["effect"] == "not_processed"
    assert acme.revoke("box", box["refresh_token"]).status == 200


def test_a_status_can_come_after_the_effect(acme, box):
    acme.fault("status", status=500, match=REVOKE, when="after")

    assert acme.revoke("box", box["refresh_token"]).status == 500
    assert not acme.truth(box)["refresh_alive"]
    assert acme.emulator.log()[-1]["effect"] == "revoked"


def test_retry_after_comes_in_seconds_as_a_date_or_not_at_all(acme, box):
    for wait in (7, "date:60", None):
        options = {} if wait is None else {"retry_after": wait}
        acme.fault("status", status=429, match=PING, **options)

    answers = [acme.ping(box) for _ in range(3)]

    assert [answer.status for answer in answers] == [429] * 3
    assert answers[0].headers["retry-after"] == "7"
    date = parsedate_to_datetime(answers[1].headers["retry-after"])
    assert 50 < date.timestamp() - time.time() < 65
    assert "retry-after" not in answers[2].headers


def test_a_status_can_carry_a_body_and_headers(acme, box):
    body = {"message": "Bad Gateway", "providerMessage": "down"}
    acme.fault("status", status=502, body=body, match=PING)
    acme.fault(
        "status",
        status=302,
        headers={"Location": "https://x.test/"},
        match=PING,
        skip=1,
    )

    assert acme.ping(box).json() == body
    assert acme.ping(box).headers["location"] == "https://x.test/"


@pytest.mark.parametrize("status", [200, 503])
def test_html_comes_instead_of_json(acme, box, status):
    acme.fault("html", status=status, match=PING)

    answer = acme.ping(box)

    assert answer.status == status
    assert answer.headers["content-type"].startswith("text/html")
    assert b"<html>" in answer.body


def test_an_answer_can_be_empty(acme, box):
    acme.fault("empty", match=PING)

    answer = acme.ping(box)

    assert (answer.status, answer.body) == (200, b"")


def test_json_can_be_truncated(acme, box):
    acme.fault("truncated", match=PING)

    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        acme.ping(box).json()


def test_text_can_be_invalid_utf8(acme, box):
    acme.fault("invalid_utf8", match=PING)

    with pytest.raises(UnicodeDecodeError):
        acme.ping(box).body.decode()


def test_text_can_hold_nul_bytes(acme, box):
    acme.fault("nul", match=PING)
    acme.fault("nul", raw=True, match=PING, skip=1)

    escaped, raw = acme.ping(box), acme.ping(box)

    assert "\x00" in escaped.json()["endpoint"]
    assert b"\x00" in raw.body


def test_ids_can_come_as_text_and_tokens_masked(acme, box):
    acme.fault("ids_as_strings", match={"path": "/instances*"})
    acme.fault("masked_tokens", match={"path": "/instances*"})

    body = acme.platform("GET", "/instances").json()[0]

    assert body["id"] == str(box["id"])
    assert body["configuration"]["oauth.user.token"] == "********"
    assert acme.platform("GET", "/instances").json()[0]["id"] == box["id"]


def test_a_clock_can_be_wrong(acme, box):
    acme.fault("clock_skew", seconds=-7200, match=PING)

    date = parsedate_to_datetime(acme.ping(box).headers["date"])

    assert 7000 < time.time() - date.timestamp() < 7300


def test_an_instance_can_vanish_meanwhile(acme, box):
    acme.fault("delete_instance", match={"path": "/instances", "method": "PATCH"})

    assert acme.reconnect(box, acme.code(box)).status == 401
    assert acme.platform("GET", f"/instances/{box['id']}").status == 404


def test_an_instance_can_be_disabled_meanwhile(acme, box):
    acme.fault("disable_instance", match=PING, when="after")

    assert [acme.ping(box).status for _ in range(2)] == [200, 403]


def test_a_fault_can_hit_another_instance(acme, box):
    other = acme.instance()
    acme.fault("delete_instance", instance=other["id"], match=PING)

    assert acme.ping(box).status == 200
    assert acme.ping(other).status == 401


def test_a_revocation_can_be_ignored(acme, box):
    acme.fault("ignored_revoke", match=REVOKE)

    assert acme.revoke("box", box["refresh_token"]).status == 200

    assert acme.ping(box).status == 200
    assert acme.emulator.log()[0]["effect"] == "ignored"


def test_a_revocation_can_take_time(acme, box):
    acme.fault("propagation", seconds=30, match=REVOKE)
    acme.revoke("box", box["refresh_token"])
    assert acme.alive("box", box["access_token"]).status == 200

    acme.emulator.control("clock", {"advance": 31})

    assert acme.alive("box", box["access_token"]).status == 401
    assert acme.ping(box).status == 401


def test_a_revocation_can_be_seen_after_some_checks(acme, box):
    acme.fault("propagation", checks=2, match=REVOKE)
    acme.revoke("box", box["refresh_token"])

    statuses = [acme.alive("box", box["access_token"]).status for _ in range(4)]

    assert statuses == [200, 200, 401, 401]


def test_the_switches_slow_every_revocation(acme, box):
    acme.switch(propagation_checks=1)
    acme.revoke("box", box["refresh_token"])

    statuses = [acme.alive("box", box["access_token"]).status for _ in range(2)]

    assert statuses == [200, 401]


def test_an_answer_can_be_late(acme, box):
    acme.fault("latency", seconds=0.3, match=PING)
    start = time.monotonic()

    assert acme.ping(box).status == 200
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize(("when", "lives"), [("before", True), ("after", False)])
def test_an_answer_can_stay_out(acme, box, when, lives):
    acme.fault("timeout", match={"path": "/instances"}, when=when)
    sides, before = acme.code(box), acme.truth(box)["grant"]

    with pytest.raises(TimeoutError):
        acme.platform("PATCH", "/instances", {"providerData": sides}, box, timeout=0.3)

    assert (acme.truth(box)["grant"] == before) is lives
    assert acme.emulator.log()[-1]["status"] is None


@pytest.mark.parametrize(("when", "lives"), [("before", True), ("after", False)])
def test_a_connection_can_be_cut(acme, box, when, lives):
    acme.fault("cut", match=REVOKE, when=when)

    with pytest.raises((RemoteDisconnected, ConnectionError)):
        acme.revoke("box", box["refresh_token"])

    assert acme.truth(box)["refresh_alive"] is lives
    assert acme.emulator.log()[-1]["fault"] == "cut"


def test_a_connection_can_be_cut_in_the_middle_of_the_body(acme, box):
    acme.fault("cut", midway=True, match=PING, when="after")

    with pytest.raises(IncompleteRead):
        acme.ping(box)


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_can_drip(acme, box, part):
    acme.fault("drip", part=part, interval=0.01, match=PING)
    start = time.monotonic()

    assert acme.ping(box).json()["endpoint"] == "box"
    assert time.monotonic() - start > 0.3


@pytest.mark.parametrize("gzipped", [False, True])
def test_an_answer_can_be_far_too_big(acme, box, gzipped):
    acme.fault("oversize", bytes=3_000_000, gzip=gzipped, match=PING)

    body = acme.ping(box).body

    assert len(gzip.decompress(body) if gzipped else body) == 3_000_000


def test_a_reader_who_leaves_a_big_answer_harms_nobody(acme, box):
    acme.fault("oversize", bytes=300_000_000, match={"path": "/me"})
    with socket.create_connection(("127.0.0.1", acme.emulator.port)) as sock:
        auth = acme.header(box)["Authorization"]
        head = f"GET /elements/api-v2/me HTTP/1.1\r\nAuthorization: {auth}\r\n\r\n"
        sock.sendall(head.encode())
        sock.recv(1000)

    assert acme.ping(box).status == 200


# -- matching ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "match",
    [
        {},
        {"host": "platform"},
        {"host": "api.*.com"},
        {"path": "/elements/api-v2/ping"},
        {"path": "/p*"},
        {"method": "get"},
        {"provider": "box"},
        {"side": "element"},
    ],
)
def test_a_fault_matches(acme, box, match):
    acme.fault("status", status=500, match=match)

    assert acme.ping(box).status == 500


@pytest.mark.parametrize(
    "match",
    [
        {"host": "provider"},
        {"host": "api.box.com"},
        {"path": "/instances"},
        {"method": "POST"},
        {"provider": "quickbooks"},
        {"side": "platform"},
        {"instance": 1},
        {"path": "/ping", "method": "PATCH"},
    ],
)
def test_a_fault_does_not_match(acme, box, match):
    acme.fault("status", status=500, match=match)

    assert acme.ping(box).status == 200


def test_a_fault_meant_for_one_instance_finds_it_at_the_provider_too(acme, box):
    other = acme.instance()
    acme.fault("status", status=503, match={"instance": box["id"]}, times=0)

    assert acme.revoke("box", other["refresh_token"]).status == 200
    assert acme.revoke("box", box["refresh_token"]).status == 503
    assert acme.alive("box", box["access_token"]).status == 503
    assert acme.ping(box).status == 503
    assert acme.platform("GET", f"/instances/{box['id']}").status == 503


def test_a_fault_lets_some_by_and_ends(acme, box):
    acme.fault("status", status=500, match=PING, skip=1, times=2)

    assert [acme.ping(box).status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert acme.emulator.control("faults")["faults"][0]["spent"] is True


def test_a_lasting_fault_is_removed_by_its_number(acme, box):
    added = acme.fault("status", status=500, match=PING, times=0)["faults"][0]
    assert [acme.ping(box).status for _ in range(3)] == [500] * 3

    acme.emulator.control(f"faults/{added['id']}", method="DELETE")

    assert acme.ping(box).status == 200


def test_faults_combine(acme, box):
    acme.fault("latency", seconds=0.2, match=PING)
    acme.fault("status", status=500, match=PING)

    assert acme.ping(box).status == 500
    assert acme.emulator.log()[-1]["fault"] == "latency,status"


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "nonsense"},
        {"kind": "status", "match": {"colour": "red"}},
        {"kind": "status", "sattus": 500},
        {"kind": "status", "when": "never"},
        {},
        [],
        5,
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(acme, rule):
    body = json.dumps(rule)
    answer = send(acme.emulator.port, "POST", "/_control/faults", body)

    assert answer.status == 400 or rule == []
    assert acme.emulator.control("faults")["faults"] == []
