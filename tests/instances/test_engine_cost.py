"""What the engine costs the database and the memory: the same for many items as for few."""

import tracemalloc
from collections import deque
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from ceadmin.audit.verify import verify
from ceadmin.lib import http, redact
from instances import runs, selection
from instances.actions import evidence
from instances.actions.calls import Call, Result
from instances.actions.load import actor_of_run, load_cases
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.engine import claim, shard
from instances.engine import writer as writer_module
from instances.engine.writer import Intent, Writer
from instances.models import Attempt, Flip, Hold, Instance, Item, Part
from instances.runs.freezing import CHUNK_SIZE
from providers.models import ProviderApp
from tests.instances.crowds import make_instances
from tests.people import allow_alone

SEEN = http.Request.get("https://api.cloud-elements.com/elements/api-v2/ping")
KILLS = http.Request.get("https://api.box.com/oauth2/revoke")
ALIVE = http.Answer(200, body=b"{}", elapsed=0.01)
FEW, MANY = 3, 180


@pytest.fixture(autouse=True)
def fleet_of_many(team):
    """Instances of Acme with a provider app."""
    allow_alone(team.acme)
    app = ProviderApp(
        name="Acme box",
        organization=team.acme,
        provider_key="box",
        element_key="box",
        client_id="box-client",
        callback_mode="ours",
    )
    app.client_secret = "box-client-secret"
    app.save()
    return app


def begun(team, app, kind: str, count: int):
    """Return a started run over `count` instances, with its parts open."""
    make_instances(
        team.acme,
        count,
        provider_app=app,
        element_token="element-token",
        status=InstanceStatus.UNKNOWN,
    )
    run = runs.create(
        kind,
        team.acme,
        selection.everything(),
        user=team.rita,
        now=timezone.now(),
        options={},
    )
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=team.rita, now=timezone.now(), reason="a test")
    Part.objects.filter(run=run).update(status="open")
    return run


@contextmanager
def counted():
    """Count the statements of a block."""
    found = []

    def note(execute, sql, *rest):
        found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield found


def claimed(run) -> list[Item]:
    """Claim all that there is for one worker."""
    items = []
    while got := claim(run, "one"):
        items += got[1]
    return items


def worst(item: Item) -> Result:
    """Return a result with facts, changes and a token of its own."""
    return Result(
        Outcome.VERIFIED_DEAD,
        cause=f"cause_{item.pk % 7}",
        facts={"said": ["revoked"], "revoked": ["refresh"], "number": item.pk},
        changes={"element_token": f"token-{item.pk}", "account": f"{item.pk}"},
    )


def intend(writer: Writer, item: Item, sent: list) -> None:
    call = Call(KILLS, purpose="revoke_refresh", intent=True, grant=f"k1:{item.pk}")

    def go(attempt: evidence.Sent) -> None:
        evidence.answered(attempt, call, ALIVE)
        sent.append((item, call, attempt))

    attempt = evidence.intended(item, call, timezone.now())
    refuse = drop = pytest.fail
    writer.intend(Intent(item, call, attempt, go, refuse, drop))


def statements_of_revocations(team, app, count: int) -> tuple[int, int]:
    """Return the statements of the flush of intents, and of the one of everything else."""
    run = begun(team, app, RunKind.REVOKE, count)
    items = claimed(run)
    assert len(items) == count
    writer = Writer(run, actor_of_run(run), timezone.now, "one")
    sent: list = []
    for item in items:
        intend(writer, item, sent)
    with counted() as intents:
        writer.flush()
    for item, call, attempt in sent:
        writer.note(item, call, attempt)
        look = Call(SEEN, purpose="verify")
        writer.note(item, look, evidence.intended(item, look, timezone.now()))
        writer.end(item, worst(item))
    with counted() as rest:
        writer.flush()
    assert_written(run, count)
    return len(intents), len(rest)


def assert_written(run, count: int) -> None:
    """All rows of a revocation are there."""
    assert Item.objects.filter(run=run, outcome="verified_dead").count() == count
    assert Attempt.objects.filter(item__run=run, state="answered").count() == count
    assert Flip.objects.filter(run=run, to_status="revoked").count() == count
    instances = Instance.objects.filter(status="revoked", revoked_at__isnull=False)
    for instance in instances:
        item = Item.objects.get(run=run, instance=instance)
        assert instance.account == str(item.pk)
        assert instance.element_token.reveal() == f"token-{item.pk}"
        assert item.facts["number"] == item.pk
    assert len(instances) == count
    assert not Hold.objects.exists()
    assert verify() == []


def again(team) -> None:
    """Clear the way for a second run."""
    Item.objects.all().delete()
    Instance.objects.all().delete()


def test_a_flush_has_as_many_statements_for_many_revocations_as_for_few(
    team, fleet_of_many
):
    few = statements_of_revocations(team, fleet_of_many, FEW)
    again(team)
    many = statements_of_revocations(team, fleet_of_many, MANY)

    # The window of the breaker is written once in a hundred items: one statement.
    assert many[0] == few[0] <= 14
    assert many[1] <= few[1] + 1 <= 26


def statements_of_probes(team, app, count: int) -> int:
    run = begun(team, app, RunKind.PROBE, count)
    items = claimed(run)
    writer = Writer(run, actor_of_run(run), timezone.now, "one")
    for item in items:
        call = Call(SEEN, purpose="probe")
        attempt = evidence.intended(item, call, timezone.now())
        writer.note(item, call, evidence.answered(attempt, call, ALIVE))
        writer.end(item, Result(Outcome.CONNECTED))
    with counted() as found:
        writer.flush()
    assert Instance.objects.filter(status="connected").count() == count
    return len(found)


def test_a_flush_has_as_many_statements_for_many_probes_as_for_few(team, fleet_of_many):
    few = statements_of_probes(team, fleet_of_many, FEW)
    again(team)
    many = statements_of_probes(team, fleet_of_many, MANY)

    assert many <= few + 1 <= 16


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.REVOKE])
def test_a_claim_has_as_many_statements_for_many_items_as_for_few(
    team, fleet_of_many, kind
):
    counts = []
    for count in (FEW, MANY):
        run = begun(team, fleet_of_many, kind, count)
        with counted() as found:
            chunk = claim(run, "one")
            load_cases(chunk[1], run)
        counts.append(len(found))
        again(team)

    assert counts[0] == counts[1] <= 14


def test_apps_that_were_refused_alike_are_written_together(team, fleet_of_many):
    counts = []
    for count in (FEW, MANY):
        run = begun(team, fleet_of_many, RunKind.REVOKE, count)
        writer = Writer(run, actor_of_run(run), timezone.now, "one")
        for item in claimed(run):
            facts = {"refused": "invalid_client", "number": item.pk}
            ours = Result(Outcome.REFUSED, cause="internal_error", facts=facts)
            writer.end(item, ours)
        with counted() as found:
            writer.flush()
        counts.append(len(found))
        fleet_of_many.refresh_from_db()
        assert fleet_of_many.last_problem == "invalid_client"
        ProviderApp.objects.update(last_problem="")
        again(team)

    assert counts[1] <= counts[0] + 1


# Memory


class Echo:
    """A loop without a network: every call is answered at the next turn."""

    def __init__(self, connections: int = 50) -> None:
        self.waiting = deque()
        self.most = 0

    @property
    def idle(self) -> bool:
        return not self.waiting

    in_flight = property(lambda self: len(self.waiting))

    def add(self, request, done, sure=None) -> None:
        self.waiting.append(done)
        self.most = max(self.most, len(self.waiting))

    def poll(self, timeout: float) -> None:
        for _ in range(len(self.waiting)):
            self.waiting.popleft()(ALIVE)

    def later(self, seconds, call) -> None:
        call()

    def resize(self, connections: int) -> None:
        pass

    def close(self) -> None:
        pass


def looked_at(case):
    """Probe without the platform."""
    yield Call(SEEN, purpose="probe", secrets=case.secrets)
    return Result(Outcome.CONNECTED, facts={"account": case.name})


def at_once(case):
    """End without a call."""
    return Result(Outcome.MISCONFIGURED, cause="no_app")
    yield


def peak_of(team, app, flow, count: int) -> int:
    """Return the most bytes that Python held while a run of `count` items was worked."""
    run = begun(team, app, RunKind.PROBE, count)
    worker = shard.Shard(run, flow, worker="one", clock=timezone.now, seconds=120)
    tracemalloc.start()
    try:
        worker.work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not Item.objects.filter(run=run, finished_at=None).exists()
    return peak


@pytest.mark.parametrize("flow", [looked_at, at_once], ids=["calls", "no_calls"])
def test_a_run_of_twice_the_items_takes_no_more_memory(
    team, fleet_of_many, monkeypatch, flow
):
    monkeypatch.setattr(shard.http, "Multi", Echo)
    # What is known of secrets is bounded, at more items than this test has.
    monkeypatch.setattr(redact, "REMEMBERED", 100)
    # Batches by number alone: those by age are smaller, however fast the machine is.
    monkeypatch.setattr(writer_module, "RESULT_AGE", 60)
    monkeypatch.setattr(writer_module, "WORTH_AGE", 60)
    peaks = []
    for count in (CHUNK_SIZE, 8 * CHUNK_SIZE, 16 * CHUNK_SIZE):
        peaks.append(peak_of(team, fleet_of_many, flow, count))
        again(team)

    # What a batch holds at its fullest differs from run to run; an item that was kept
    # would be some 2,000 bytes.
    assert peaks[2] - max(peaks[:2]) < 8 * CHUNK_SIZE * 250
