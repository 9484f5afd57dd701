"""Seeding and steering, over HTTP as in process."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

from tests.emulator import control, faults, start
from tests.emulator.switches import SWITCHES, UnknownSwitch
from tests.test_emulator.tenant import send

HERE = Path(faults.__file__).parent
README = (HERE / "README.md").read_text()


def post(emulator, path, payload):
    body = json.dumps(payload)
    return send(emulator.port, "POST", f"/_control/{path}", body)


def test_seeding_works_over_http(emulator):
    organization = post(emulator, "organizations", {"id": 7, "name": "Acme"}).json()
    app = {"provider": "box", "client_id": "a", "client_secret": "s"}
    assert post(emulator, "clients", app).json()["client_secret"] == "s"
    row = {
        "organization": 7,
        "element": "box",
        "client_id": "a",
        "id": 5,
        "token": "t=",
    }

    made = post(emulator, "instances", [row]).json()["instances"]

    assert organization["id"] == 7
    assert (made[0]["id"], made[0]["token"]) == (5, "t=")


def test_fixed_values_are_kept(acme):
    fixed = {"id": 42, "token": "el", "access_token": "at", "refresh_token": "rt"}

    instance = acme.instance(**fixed, name="N", tags=["x"], account="9")

    assert {name: instance[name] for name in fixed} == fixed
    truth = acme.truth(instance)
    assert (truth["name"], truth["tags"], truth["account"]) == ("N", ["x"], "9")
    assert acme.alive("box", "at").status == 200


def test_seeding_again_leaves_what_is_there(acme):
    acme.instance(id=42)
    acme.revoke("box", acme.instance(id=42)["refresh_token"])

    acme.instance(id=42, name="Other")

    assert not acme.truth({"id": 42})["access_alive"]


def test_registering_again_changes_the_callbacks(acme):
    row = {
        "provider": "box",
        "client_id": "box-app",
        "redirect_uris": ["https://a.test/"],
    }

    changed = acme.emulator.control("clients", row)

    assert changed["redirect_uris"] == ["https://a.test/"]
    assert changed["client_secret"] == acme.secrets["box"]


@pytest.mark.parametrize(
    ("state", "status"),
    [("alive", 200), ("access_dead", 200), ("dead", 401), ("disabled", 403)],
)
def test_instances_start_in_any_state(acme, state, status):
    instance = acme.instance("salesforce", state=state)

    assert acme.ping(instance).status == status


def test_an_instance_can_be_changed_and_brought_back(acme):
    instance = acme.instance(state="disabled")
    path = f"instances/{instance['id']}"

    change = {"state": "alive", "name": "New", "token": "rotated"}
    truth = acme.emulator.control(path, change, "PATCH")

    assert (truth["name"], truth["access_alive"]) == ("New", True)
    assert acme.ping(instance).status == 401
    assert acme.ping({"token": "rotated"}).status == 200


def test_asking_for_the_truth_changes_nothing(acme):
    acme.switch(propagation_checks=1)
    instance = acme.instance()
    acme.revoke("box", instance["refresh_token"])

    for _ in range(3):
        assert acme.truth(instance)["access_alive"]

    assert acme.alive("box", instance["access_token"]).status == 200


def test_a_token_can_be_checked(acme):
    instance = acme.instance()

    answer = acme.emulator.control("tokens", {"token": instance["refresh_token"]})

    assert answer == {"access": False, "refresh": True}


def test_five_thousand_instances_are_seeded_in_seconds(acme):
    made = acme.instances(5000)

    assert len({row["id"] for row in made}) == 5000
    assert acme.emulator.control("health")["instances"] == 5000


def test_a_reset_forgets_everything(acme):
    acme.instance()
    acme.switch(code_life=5)
    acme.fault("latency", seconds=1)

    acme.emulator.control("reset")

    health = acme.emulator.control("health")
    assert (health["organizations"], health["instances"]) == (0, 0)
    assert acme.emulator.control("switches")["code_life"] == 60
    assert acme.emulator.control("faults")["faults"] == []


@pytest.mark.parametrize(
    ("path", "payload", "status"),
    [
        ("nothing", {}, 404),
        ("instances", {"organization": 99}, 400),
        ("instances", {"element": "nothing"}, 400),
        ("clients", {"provider": "nothing"}, 400),
        ("elements", {}, 400),
        ("switches", {"nothing": 1}, 400),
        ("switches", {"code_life": "soon"}, 400),
        ("switches", {"element_scoped_get": "maybe"}, 400),
        ("consents", {"provider": "box", "client_id": "nobody"}, 404),
    ],
)
def test_nonsense_is_refused_with_the_reason(emulator, path, payload, status):
    answer = post(emulator, path, payload)

    assert answer.status == status
    assert answer.json()["error"]


def test_an_unknown_switch_does_not_start(emulator):
    with pytest.raises(UnknownSwitch):
        start(switches={"nothing": 1})


def test_switches_can_be_set_at_the_start():
    with start(switches={"code_life": 5}) as running:
        assert running.control("switches")["code_life"] == 5


# -- the emulator itself -------------------------------------------------------------------


def test_the_readme_lists_every_switch_with_grade_and_default():
    for switch in SWITCHES.values():
        row = rf"\| `{switch.name}` \| `{json.dumps(switch.default)}` \| {switch.grade} \|"
        assert re.search(row, README), row


def test_the_readme_lists_every_fault_with_its_options():
    for kind, what in faults.KINDS.items():
        row = re.search(rf"^\| `{kind}` \|.*$", README, re.MULTILINE)
        assert row, kind
        assert all(f"`{option}`" in row[0] for option in what.options), kind


def test_the_readme_lists_every_control_path():
    for method, noun in control.ROUTES:
        assert re.search(rf"\| `{method} /_control/{noun}[^`]*` \|", README), (
            method,
            noun,
        )


def test_nothing_but_the_standard_library_is_imported():
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            tops = {name.partition(".")[0] for name in names}
            assert tops <= sys.stdlib_module_names, path
