"""Every line that work on a run writes names the run, and the item where it is about one."""

import json
import logging
from importlib import import_module

import pytest
from django.utils import timezone

from ceadmin.lib import trace
from ceadmin.lib.logs import JsonFormatter
from instances import runs
from instances.choices import RunKind
from instances.models import Run
from tests.instances.fleet import Fleet

# Their names are functions in the package.
sweep, work = map(import_module, ("instances.runs.sweep", "instances.runs.work"))


class Lines(logging.Handler):
    """The lines that were written, as JSON objects."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.seen: list[dict] = []

    def emit(self, record):
        self.seen.append(json.loads(self.format(record)))


@pytest.fixture
def lines():
    handler, root = Lines(), logging.getLogger()
    root.addHandler(handler)
    yield handler.seen
    root.removeHandler(handler)


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


def test_a_share_names_its_run_and_the_item_whose_flow_broke(fleet, lines, monkeypatch):
    def broken(case):
        logging.getLogger("providers").warning("something is odd")
        raise RuntimeError
        yield

    fleet.synced("box", 2)
    monkeypatch.setitem(work.FLOWS, RunKind.PROBE, broken)
    del lines[:]

    run = fleet.run(RunKind.PROBE)

    about = {str(item.pk) for item in run.items.all()}
    of_work = [line for line in lines if line["logger"] != "ceadmin.middleware"]
    assert {line.get("run") for line in of_work} == {str(run.uid)}
    for words in ("something is odd", "the flow of an item broke"):
        assert {line.get("item") for line in lines if line["message"] == words} == about
    shares = [line for line in lines if "worked a share" in line["message"]]
    assert [line.get("item") for line in shares] == [None]
    assert (trace.run_uid.get(), trace.item_id.get()) == ("", "")


def test_planning_and_the_sweep_name_the_run(fleet, lines, monkeypatch):
    fleet.synced("box", 1)
    run = fleet.draft(RunKind.PROBE)
    Run.objects.filter(pk=run.pk).update(status="running")
    said = logging.getLogger("instances.anything")
    monkeypatch.setattr(sweep, "bring_on", lambda *_: said.info("brought on"))

    runs.sweep(now=timezone.now())

    told = {line["message"].split()[0]: line.get("run") for line in lines}
    assert told["brought"] == str(run.uid)
    assert told["planned"] == str(run.uid)
