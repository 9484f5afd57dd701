"""A zero where a number must be at least one is refused by name, wherever it can be written."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from ceadmin.environment import Environment
from instances import runs
from instances.choices import RunKind
from instances.models import Run
from providers import rules, strict
from providers.choices import LimitScope
from providers.errors import SpecError
from providers.models import Limit
from providers.spec import Provider
from tests.providers.support import table
from tests.start.installations import GOOD, MANAGE, Installation

NOW = timezone.now()

SETTINGS = (
    "RUN_CONNECTIONS",
    "WORKER_PROCESSES",
    "WEB_PROCESSES",
    "LEASE_SECONDS",
    "PLATFORM_RATE",
    "PLATFORM_CONCURRENCY",
    "RETAIN_ATTEMPTS_DAYS",
    "RETAIN_ITEMS_DAYS",
    "RETAIN_LINKS_DAYS",
    "RETAIN_FLIPS_DAYS",
    "DRAFT_DAYS",
)


def test_a_number_has_its_bounds():
    environment = Environment({"LOW": "0", "HIGH": "1001", "FITS": "7"})

    assert environment.number("LOW", 5, least=1) == 5
    assert environment.number("HIGH", 5, least=1, most=1000) == 5
    assert environment.number("FITS", 5, least=1, most=1000) == 7
    assert environment.problems == [
        ("LOW", "is not a whole number from 1 on"),
        ("HIGH", "is not a whole number from 1 to 1000"),
    ]


def test_a_start_with_zeros_is_refused_and_names_each(tmp_path):
    zeros = dict.fromkeys(SETTINGS, "0")

    ended = Installation(tmp_path).run(*MANAGE, "check", **GOOD, **zeros)

    assert ended.returncode == 1
    assert [name for name in SETTINGS if f"{name} is n" not in ended.stderr] == []


# Limits of calls


@pytest.mark.parametrize("zero", [{"rate": 0.0}, {"rate": -1.0}, {"concurrency": 0}])
def test_a_limit_of_zero_is_refused_by_its_form_and_by_the_database(team, zero):
    limit = Limit(organization=team.acme, scope=LimitScope.PLATFORM, **zero)

    with pytest.raises(ValidationError, match="A limit is above 0"):
        limit.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        limit.save()


@pytest.mark.parametrize("zero", [{"rate": 0.0}, {"rate": -0.5}, {"concurrency": 0}])
def test_a_record_with_a_limit_of_zero_is_refused(zero):
    record = strict.build(Provider, table(limits=zero))

    with pytest.raises(SpecError, match="above 0"):
        rules.check(record)


@pytest.mark.parametrize("connections", [0, -1, 1001])
def test_a_run_with_no_connections_is_refused(team, connections):
    run = Run.objects.create(
        organization=team.acme, kind=RunKind.PROBE, status="running", created_at=NOW
    )

    with pytest.raises(runs.RunError, match="1 to 1000"):
        runs.set_connections(run, connections, user=team.olga, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(connections=connections)
