"""Revocations while everything goes wrong: every fault at every step ends in a named outcome."""

from itertools import pairwise

import pytest

from instances.choices import Outcome
from instances.models import Instance
from tests.instances.fleet import Fleet
from tests.instances.killing import fleet, killed, quick, revocations

__all__ = ["fleet", "quick"]

pytestmark = [pytest.mark.usefixtures("quick"), pytest.mark.any_database]

#: What a server can send instead of an answer.
FAULTS = {
    "html": {"kind": "html"},
    "html_401": {"kind": "html", "status": 401},
    "truncated": {"kind": "truncated"},
    "invalid_utf8": {"kind": "invalid_utf8"},
    "nul": {"kind": "nul", "raw": True},
    "escaped_nul": {"kind": "nul"},
    "ids_as_strings": {"kind": "ids_as_strings"},
    "empty": {"kind": "empty"},
    "429": {"kind": "status", "status": 429},
    "429_retry_after": {"kind": "status", "status": 429, "retry_after": 0},
    "429_later": {"kind": "status", "status": 429, "retry_after": 9999},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502, "body": "<html>Bad gateway</html>"},
    "503": {"kind": "status", "status": 503, "retry_after": "date:0"},
    "redirect": {"kind": "status", "status": 302, "headers": {"Location": "/x"}},
    "timeout": {"kind": "timeout"},
    "cut": {"kind": "cut"},
    "clock_skew": {"kind": "clock_skew", "seconds": 7200},
    "oversize": {"kind": "oversize", "bytes": 20_000_000},
}

#: The steps of a revocation: where it can be spoiled, and whether by the article's own side.
STEPS = {
    "read": "/instances",
    "look": "/instances/*",
    "source": "/2.0/users/me",
    "revoke": "*revoke",
    "platform": "/ping",
}

#: What is answered at once; an item whose server wants to be left alone for hours waits
#: (test_politeness).
AT_ONCE = [name for name in FAULTS if name != "429_later"]
HARMLESS = ["clock_skew", "ids_as_strings", "escaped_nul"]
REFUSED = ["redirect", "oversize"]
BROKEN = [name for name in AT_ONCE if name not in (*HARMLESS, *REFUSED)]


def spoiled(fleet: Fleet, step: str, name: str, **more):
    """Revoke one instance while a step is spoiled for good."""
    fleet.synced("box")
    fault = dict(FAULTS[name])
    fleet.fault(fault.pop("kind"), STEPS[step], **({"times": 0} | fault | more))
    return killed(fleet)


def truth(fleet):
    """Return how the one instance stands at the emulator."""
    fleet.emulator.control("faults", method="DELETE")
    return fleet.truth(Instance.objects.get())


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("step", ["read", "look"])
def test_odd_answers_that_can_be_read_change_nothing(fleet, step, name):
    item = spoiled(fleet, step, name)

    assert item.outcome == Outcome.VERIFIED_DEAD


@pytest.mark.parametrize("name", BROKEN)
def test_a_spoiled_read_sends_nothing(fleet, name):
    item = spoiled(fleet, "read", name)

    assert item.outcome == Outcome.TRANSIENT
    assert revocations(fleet) == []
    assert truth(fleet)["access_alive"] is True


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_read_is_made_by_id(fleet, name):
    item = spoiled(fleet, "read", name)

    assert item.outcome == Outcome.VERIFIED_DEAD


@pytest.mark.parametrize("name", [*BROKEN, *REFUSED])
def test_a_spoiled_look_after_a_refused_read_sends_nothing(fleet, name):
    (instance,) = fleet.synced("box")
    instance.element_token = "outdated="
    instance.save()
    fault = dict(FAULTS[name])
    fleet.fault(fault.pop("kind"), STEPS["look"], **({"times": 0} | fault))

    item = killed(fleet)

    assert item.outcome in (Outcome.TRANSIENT, Outcome.MISCONFIGURED)
    assert revocations(fleet) == []


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_source_that_cannot_be_asked_leaves_the_proof_to_the_platform(fleet, name):
    item = spoiled(fleet, "source", name)

    assert item.outcome == Outcome.VERIFIED_DEAD
    assert len(revocations(fleet)) == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_platform_that_cannot_be_asked_leaves_the_proof_to_the_source(fleet, name):
    item = spoiled(fleet, "platform", name)

    assert item.outcome == Outcome.VERIFIED_DEAD
    assert Instance.objects.get().status == "revoked"


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_revocation_that_never_arrives_is_not_called_dead(fleet, name):
    item = spoiled(fleet, "revoke", name)

    alive = truth(fleet)["access_alive"]
    dead = item.outcome in (Outcome.VERIFIED_DEAD, Outcome.ALREADY_DEAD)
    assert dead is not alive, (item.outcome, item.cause)
    assert item.outcome not in (Outcome.ACCEPTED, Outcome.MISCONFIGURED)
    assert len(revocations(fleet)) <= 2


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_revocation_whose_answer_is_spoiled_once_is_looked_at(fleet, name):
    item = spoiled(fleet, "revoke", name, times=1, when="after")

    assert item.outcome in (Outcome.VERIFIED_DEAD, Outcome.ALREADY_DEAD), item.cause
    assert truth(fleet)["access_alive"] is False


@pytest.mark.parametrize("name", ["timeout", "cut", "500", "html", "truncated"])
def test_an_answer_lost_after_the_effect_is_not_sent_again(fleet, name):
    spoiled(fleet, "revoke", name, times=0, when="after")

    assert len(revocations(fleet)) == 1


@pytest.mark.parametrize("name", ["timeout", "cut", "500", "html", "empty"])
def test_an_answer_lost_before_the_effect_is_sent_again_once_it_was_seen_alive(
    fleet, name
):
    item = spoiled(fleet, "revoke", name, times=1)

    log = fleet.emulator.log()
    sent = [row["seq"] for row in log if row["path"].endswith("revoke")]
    seen = [row["seq"] for row in log if row["path"].endswith("/users/me")]
    assert item.outcome in (Outcome.VERIFIED_DEAD, Outcome.STILL_ALIVE)
    assert all(
        any(first < look < second for look in seen) for first, second in pairwise(sent)
    )


def test_an_answer_lost_where_nothing_can_be_seen_is_unclear(fleet):
    fleet.synced("box")
    fleet.fault("timeout", "*revoke", times=0)
    fleet.fault("status", "/2.0/users/me", times=0)
    fleet.fault("status", "/ping", times=0)

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.UNCLEAR, "timeout")
    assert len(revocations(fleet)) == 1


def test_an_instance_deleted_between_the_steps_ends_with_what_the_source_shows(fleet):
    fleet.synced("box")
    fleet.fault("delete_instance", "*revoke", when="after")

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD


def test_an_instance_disabled_meanwhile_is_dead_all_the_same(fleet):
    fleet.synced("box")
    fleet.fault("disable_instance", "*revoke", when="after")

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD
