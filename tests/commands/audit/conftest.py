"""Fixtures of the tests of `export_audit` and `verify_audit`."""

import csv
import uuid
from datetime import UTC, datetime

import pytest
from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from tests.commands.conftest import manage
from tests.people import make_user
from tests.start.installations import Installation

AT = datetime(2026, 11, 23, tzinfo=UTC)
ANN = Actor(uuid.uuid4(), "person", "Ann", None, address="192.0.2.7", mail="ann@x.test")
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "|calc", "＝1")


@pytest.fixture
def acme(team):
    """Acme with an auditor, Ada, and five events."""
    make_user("Ada", team.acme, is_auditor=True)
    write(team.acme.chain, *("plain", '“quoted” "x"', "Bücher", "=cmd|' /C calc'!A0"))
    return team.acme


@pytest.fixture(autouse=True)
def apart(settings, tmp_path):
    """Keep the checkpoints of these tests apart."""
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoints.jsonl")


@pytest.fixture
def installation(tmp_path) -> Installation:
    """A machine on which nothing is set up."""
    return Installation(tmp_path)


def write(chain: str, *reasons: str) -> None:
    """Record an event for each reason."""
    with transaction.atomic():
        for reason in reasons:
            subject = Subject("run", "", reason)
            record(
                Action.RUN_STARTED,
                chain=chain,
                actor=ANN,
                at=AT,
                reason=reason,
                subject=subject,
            )


def export(path, *more: str, who: str = "ada"):
    return manage("export_audit", str(path), "--as", f"{who}@example.com", *more)


@pytest.fixture(params=["jsonl", "csv"])
def exported(request, acme, tmp_path):
    """Acme's audit in a file."""
    path = tmp_path / f"acme.{request.param}"
    assert export(path).code == 0
    return path


def problems(path, *more: str) -> list[tuple[int, str]]:
    """Return which event is bad, and why, as verifying the file says."""
    ended = manage("verify_audit", str(path), "--json", *more)
    assert ended.code == int(bool(ended.json["problems"]))
    assert ended.json["whole"] is not bool(ended.code)
    return [(one["sequence"], one["code"]) for one in ended.json["problems"]]


def cells_of(path) -> list[list[str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.reader(file))


def edit(path, change) -> None:
    """Change the lines of a file."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))
