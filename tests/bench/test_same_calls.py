"""The bench compares like with like: whoever is measured makes the same calls."""

import shutil
from collections import Counter

import pytest

from instances import runs
from tests.bench import bare, fleet, wire, xargs
from tests.bench.target import Target

INSTANCES = 20


@pytest.fixture(scope="module")
def processes():
    """A target of two processes."""
    with Target(processes=2) as one:
        yield one


@pytest.fixture
def target(processes):
    """The target, everything alive and nothing counted."""
    processes.fresh(0.0)
    return processes


def expected(kind: wire.Kind) -> dict[str, int]:
    """Return how many calls of each name `kind` makes for all instances."""
    return {name: n * INSTANCES for name, n in Counter(wire.CHAINS[kind]).items()}


@pytest.mark.parametrize("kind", ["probe", "revoke"])
def test_the_engine_makes_the_calls_of_the_chain(db, settings, target, kind):
    settings.EMULATOR_URL = target.url
    crowd = fleet.Fleet(INSTANCES)
    run = crowd.draft(kind, INSTANCES, 10)
    crowd.start(run)
    runs.work(run.pk, worker="bench")
    fleet.check(run, kind)
    assert target.counts() == expected(kind)


@pytest.mark.parametrize("kind", ["probe", "revoke"])
@pytest.mark.parametrize("processes_of_it", [1, 2])
def test_the_bare_loop_makes_the_same(target, kind, processes_of_it):
    took = bare.measure(target.url, kind, INSTANCES, 10, processes_of_it)
    assert target.counts() == expected(kind)
    assert took["wall"] > 0 and took["cpu"] > 0


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
@pytest.mark.parametrize("kind", ["probe", "revoke"])
def test_xargs_makes_the_same(target, kind):
    assert xargs.measure(target.url, kind, INSTANCES, 4)["wall"] > 0
    assert target.counts() == expected(kind)
    # What it sent was understood: every grant is dead, or none.
    dead = set(bytes(target.memory.state[:INSTANCES]))
    assert dead == {1 if kind == "revoke" else 0}


def test_a_run_that_ended_otherwise_is_no_measurement(db, settings, target):
    settings.EMULATOR_URL = target.url
    crowd = fleet.Fleet(2)
    target.memory.state[1] = 1
    run = crowd.draft("probe", 2, 10)
    crowd.start(run)
    runs.work(run.pk, worker="bench")
    with pytest.raises(AssertionError, match="dead"):
        fleet.check(run, "probe")


def test_the_bare_loop_takes_no_other_answers(target):
    target.memory.state[:INSTANCES] = b"\x01" * INSTANCES
    with pytest.raises(RuntimeError, match="should not get"):
        bare.measure(target.url, "probe", INSTANCES, 10)


def test_what_is_revoked_is_dead_at_once_in_every_process(target):
    # Asserted inside, call by call; with as many connections both processes have some.
    assert bare.measure(target.url, "revoke", 200, 20)["wall"] > 0


def test_latency_is_kept(target):
    target.fresh(0.05)
    took = bare.measure(target.url, "probe", 10, 5)
    assert took["wall"] >= 0.1


def test_one_shard_works_a_whole_run_under_limits_that_never_bind(db, settings, target):
    settings.EMULATOR_URL = target.url
    settings.WORKER_PROCESSES = 1
    crowd = fleet.Fleet(600)
    run = crowd.draft("revoke", 600, 20)
    crowd.start(run)
    # Once: had it left after a chunk, its connections would have drained.
    runs.work(run.pk, worker="bench")
    fleet.check(run, "revoke")
