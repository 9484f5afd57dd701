"""`/healthz` and `/readyz` tell monitoring what is well, and nothing else."""

import time

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from ceadmin.lib import broker as broker_client
from tests.audit_support import lifted

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker_seen(broker):
    """A sign of life of a worker."""
    broker_client.worker_lives("ceadmin@test")
    yield
    broker_client.client().delete(broker_client.WORKERS)


def parts(client) -> dict[str, str]:
    return client.get("/readyz").json()["parts"]


def test_healthz_answers_anybody(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_is_ready_when_every_part_is_well(client, worker_seen):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["parts"]) == {
        *("database", "migrations", "broker", "worker", "audit_triggers"),
        "field_keys",
    }


def test_readyz_misses_a_worker(client, broker):
    broker_client.client().delete(broker_client.WORKERS)

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "not ready"
    assert answer.json()["parts"]["worker"] == "none seen lately"


def test_a_worker_seen_too_long_ago_does_not_count(client, broker):
    long_ago = time.time() - broker_client.LIFE_SECONDS - 5
    broker_client.client().zadd(broker_client.WORKERS, {"ceadmin@gone": long_ago})

    assert parts(client)["worker"] == "none seen lately"


def test_readyz_misses_the_broker_without_naming_its_address(client, settings):
    settings.REDIS_URL = "redis://:canary-password@127.0.0.1:1/0"
    broker_client.client.cache_clear()
    try:
        answer = client.get("/readyz")
    finally:
        broker_client.client.cache_clear()

    assert answer.status_code == 503
    assert answer.json()["parts"]["broker"] == "unreachable"
    assert b"canary" not in answer.content and b"127.0.0.1" not in answer.content


def test_readyz_counts_migrations_that_are_not_applied(client):
    recorder = MigrationRecorder(connection)
    name = max(name for app, name in recorder.applied_migrations() if app == "sessions")
    recorder.record_unapplied("sessions", name)

    assert parts(client)["migrations"] == "1 not applied"


def test_readyz_misses_the_audit_s_triggers(client):
    with lifted():
        assert client.get("/readyz").status_code == 503
        assert parts(client)["audit_triggers"] == "triggers missing"

    assert parts(client)["audit_triggers"] == "ok"


def test_both_refuse_to_be_posted_to(client):
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405
