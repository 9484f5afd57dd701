"""The log of what was received, and a state that survives the process."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.emulator import start
from tests.test_emulator.tenant import Tenant, send


def test_the_log_goes_on_after_a_number(acme):
    instance = acme.instance()
    acme.ping(instance)
    last = acme.emulator.control("log")["last"]
    acme.configuration(instance)

    entries = acme.emulator.control(f"log?since={last}")["entries"]

    assert [(row["seq"], row["method"], row["path"]) for row in entries] == [
        (last + 1, "GET", "/elements/api-v2/instances")
    ]
    assert entries[0]["organization"] == acme.organization["id"]


def test_the_log_can_be_had_for_one_instance_and_cleared(acme):
    first, second = acme.instances(2)
    acme.ping(first)
    acme.ping(second)

    rows = acme.emulator.control(f"log?instance={second['id']}")["entries"]

    assert [row["instance"] for row in rows] == [second["id"]]
    acme.emulator.control("log", method="DELETE")
    assert acme.emulator.log() == []


def test_calls_are_counted_per_instance_and_side(acme):
    instance = acme.instance()
    acme.configuration(instance)
    acme.revoke("box", instance["refresh_token"])
    last = acme.emulator.log()[-1]["seq"]
    acme.ping(instance)
    acme.ping(instance)

    total = acme.truth(instance)["calls"]
    since = acme.emulator.control(f"counts?since={last}")["instances"]

    assert total == {"platform": 1, "element": 2, "provider": 1}
    assert since[str(instance["id"])] == {"platform": 0, "element": 2, "provider": 0}


def test_no_secret_is_logged(acme, tmp_path):
    acme.revoke("salesforce", acme.instance("salesforce")["refresh_token"])
    instance = acme.instance("adobe_sign")
    url = "https://secure.na1.echosign.com/oauth/revoke?token=sesame"
    acme.provider("POST", url)
    acme.oauth_url("box", apiSecret="sesame")
    acme.reconnect(instance, {"code": "sesame"})

    text = json.dumps(acme.emulator.log())

    assert "sesame" not in text
    assert instance["token"] not in text
    assert acme.organization["user_secret"] not in text


def test_the_log_can_be_a_file_that_is_read_again(tmp_path):
    path = tmp_path / "log.jsonl"
    with start(log=path) as emulator:
        acme = Tenant(emulator)
        acme.ping(acme.instance())
    path.write_text(path.read_text() + '{"torn')

    with start(log=path) as emulator:
        assert [row["effect"] for row in emulator.log()] == ["alive"]
        assert emulator.control("log")["last"] == 1


def test_the_world_survives_a_restart(tmp_path):
    with start(state=tmp_path / "state") as emulator:
        acme = Tenant(emulator)
        alive, dead = acme.instances(2)
        acme.revoke("box", dead["refresh_token"])
        acme.switch(code_life=600)
        sides = acme.code(dead)

    with start(state=tmp_path / "state") as emulator:
        acme.emulator = emulator
        assert acme.ping(alive).status == 200
        assert acme.ping(dead).status == 401
        assert emulator.control("switches")["code_life"] == 600
        assert acme.reconnect(dead, sides).status == 200
        fresh = acme.instance()
        assert fresh["id"] > dead["id"]
        acme.platform("DELETE", f"/instances/{alive['id']}")

    with start(state=tmp_path / "state") as emulator:
        acme.emulator = emulator
        assert acme.ping(alive).status == 401
        assert acme.ping(dead).status == 200


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "state"
    with start(state=path) as emulator:
        instance = Tenant(emulator).instance()
    path.write_text(path.read_text() + '["instance",471002,{"id":')

    with start(state=path) as emulator:
        rows = emulator.control("instances")["instances"]
        assert [row["id"] for row in rows] == [instance["id"]]


@pytest.fixture
def process(tmp_path):
    """Run the emulator as a process without site packages; returns a starter."""
    running = []

    def run(*arguments):
        command = [sys.executable, "-S", "-m", "tests.emulator", *arguments]
        program = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(program)
        return program

    yield run
    for program in running:
        program.kill()
        program.communicate()


def port_of(program):
    return int(program.stdout.readline().rpartition(":")[2])


def test_a_killed_process_loses_nothing_that_was_answered_a_moment_ago(
    process, tmp_path
):
    state = str(tmp_path / "state")
    program = process("--port", "0", "--state", state)
    port = port_of(program)
    send(port, "POST", "/_control/organizations", json.dumps({"name": "Kept"}))
    time.sleep(0.3)
    os.kill(program.pid, signal.SIGKILL)

    again = port_of(process("--port", "0", "--state", state))

    health = send(again, "GET", "/_control/health").json()
    assert health["organizations"] == 1


def test_a_process_ends_in_order_and_takes_switches(process):
    program = process("--port", "0", "--switch", "code_life=5")
    port = port_of(program)

    assert send(port, "GET", "/_control/switches").json()["code_life"] == 5
    program.terminate()
    assert program.wait(timeout=5) == 0


def test_a_taken_port_is_reported(process, emulator):
    program = process("--port", str(emulator.port))

    assert program.wait(timeout=10) == 2
    assert str(emulator.port) in program.stderr.read()


def test_a_taken_port_is_reported_in_process(emulator):
    with pytest.raises(OSError, match="address already in use"):
        start(port=emulator.port)
