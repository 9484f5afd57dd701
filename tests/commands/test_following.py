"""Watching a run: lines in a pipe, one moving line on a terminal, silence for JSON."""

import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management.base import OutputWrapper
from django.db.models import Max
from django.utils import timezone

from ceadmin.lib import broker
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.engine import claim, release
from instances.management import following
from instances.management.following import Follower, bar_of
from instances.models import Chunk, Item, Run
from tests.commands.conftest import manage
from tests.instances.crowds import end_items, make_run
from tests.instances.parting import crowd, end, started, worker

RITA = ("--organization", "acme", "--as", "rita@example.com")


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self):
        return True


def watched(run, out):
    Follower(OutputWrapper(out), linked=True).follow(run, 0)
    return out.getvalue()


def test_a_pipe_gets_plain_lines(fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.PROBE)

    text = watched(run, io.StringIO())

    assert text == f"{run}: finished, 2 of 2 done\n"


def test_a_terminal_gets_one_line_that_is_written_over(fleet):
    fleet.synced("box", 2, state="dead")
    run = fleet.run(RunKind.PROBE)

    text = watched(run, Terminal())

    assert text.startswith(f"\r{run} finished  ")
    assert "100 %  2/2  2 need attention" in text
    assert text.endswith("\n")


@pytest.fixture
def going(team):
    """A run of 4,000 that has been worked for a while."""
    run = make_run(team.acme, 4_000, started_at=timezone.now() - timedelta(hours=1))
    end_items(run, share=0.61, seconds=122)
    return run


def bar(run, width: int) -> str:
    counts = runs.progress(run)
    newest = Item.objects.filter(run=run).aggregate(newest=Max("finished_at"))
    return bar_of(run, counts, runs.pace(run, counts, newest["newest"]), width=width)


def test_a_bar_shows_how_far_how_fast_and_how_long(going, settings):
    settings.NO_COLOR = "1"

    line = bar(going, 140)

    assert line.startswith(f"{going} running  {'█' * 14}{'░' * 10}   61 %  2,440/4,000")
    assert "244 need attention  20/s  about 75 seconds left" in line


@pytest.mark.parametrize("width", [10, 20, 40, 59, 60, 80, 100, 200])
def test_a_bar_fits_every_terminal(going, width):
    line = bar(going, width).replace("\033[34m", "").replace("\033[0m", "")

    assert 0 < len(line) < width
    assert ("█" in line) == (width >= 60)


@pytest.mark.parametrize(("no_color", "coloured"), [("1", False), ("", True)])
def test_colours_are_where_they_are_wanted(going, settings, no_color, coloured):
    settings.NO_COLOR = no_color

    assert ("\033[" in bar(going, 100)) is coloured


def test_a_line_in_a_pipe_has_the_rate_and_the_time_left(going):
    text = watched(going, io.StringIO())

    words = "running, 2440 of 4000 done, 244 need attention"
    line = rf"{going}: {words}, \d+/s, about \d+ \w+ left"
    assert re.fullmatch(line, text.splitlines()[-1])


def test_a_pipe_is_not_flooded(going, monkeypatch):
    out = io.StringIO()
    follower = Follower(OutputWrapper(out))
    monkeypatch.setattr(following, "_BREATH", 600)

    for share in (0.62, 0.63, 0.64):
        end_items(going, share=share)
        follower._look(going)
    Run.objects.filter(pk=going.pk).update(status="paused")
    follower._look(going)

    lines = out.getvalue().splitlines()
    assert [line.split(", ")[0].split()[-1] for line in lines] == ["running", "paused"]


def test_a_run_that_nobody_can_work_says_so_once(going, monkeypatch):
    cache.clear()
    Chunk.objects.create(run=going, number=0)
    monkeypatch.setattr(broker, "live_workers", lambda: 0)
    out = Terminal()
    follower = Follower(OutputWrapper(out))

    for _ in range(3):
        follower._look(going)
    cache.clear()

    assert out.getvalue().count("No worker is alive") == 1


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_look_again(fleet, monkeypatch):
    def pressed(seconds):
        raise KeyboardInterrupt

    fleet.synced()
    monkeypatch.setattr(following.time, "sleep", pressed)

    ended = manage("run", "probe", *RITA, "--wait")

    run = Run.objects.get(kind=RunKind.PROBE)
    assert (ended.code, run.status) == (1, RunStatus.PLANNING)
    again = f"manage.py runs {str(run.uid)[:8]} --as rita@example.com --wait"
    assert again in ended.text


def test_a_run_is_looked_at_again_to_its_end(fleet):
    fleet.synced("box", 2, state="dead")
    run = fleet.run(RunKind.PROBE)

    ended = manage("runs", str(run.uid)[:8], "--as", "rita@example.com", "--wait")

    assert ended.code == 1  # two need attention
    assert f"{run}: finished, 2 of 2 done" in ended.text
    assert "Dead" in ended.text


def test_links_are_shown_as_soon_as_they_are_there(fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.RECONNECT)

    lines = watched(run, io.StringIO()).splitlines()

    assert [line.partition(": http")[0] for line in lines[:2]] == ["box 0", "box 1"]
    assert "2 waiting for a person" in lines[2]


def test_a_run_that_nobody_works_ends_the_wait(fleet):
    fleet.synced()

    ended = manage("run", "probe", *RITA, "--wait", "--timeout", "0.3")

    assert ended.code == 1
    assert "waiting for the worker" in ended.text
    assert "goes on" in ended.text


@pytest.mark.parametrize(("state", "code"), [("alive", 0), ("dead", 1)])
def test_with_a_worker_the_exit_code_says_what_came_of_it(fleet, worker, state, code):
    fleet.synced("box", 2, state=state)

    ended = manage("run", "probe", *RITA, "--wait", "--timeout", "60")

    assert ended.code == code, ended.text
    assert "2 of 2 done" in ended.text
    assert Run.objects.get(kind="probe").status == "finished"


def test_a_drill_by_the_worker_ends_with_its_steps(fleet, worker):
    instance = fleet.synced()[0]

    ended = manage(
        *("drill", instance.remote_id, *RITA, "--reason", "a test"),
        *("--self-consent", "--wait", "--timeout", "60"),
    )

    assert ended.code == 0, ended.text
    assert "4 See it dead       401" in ended.text
    assert "Reconnected" in ended.text


def test_a_provider_that_is_held_is_told_once_with_what_to_type(fleet):
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.REVOKE)
    claimed = [claim(run, "one") for _ in range(2)]
    for chunk, items in claimed:
        end(worker(run), items, "refused", cause="invalid_client")
        release(chunk)
    out = io.StringIO()

    Follower(OutputWrapper(out)).follow(run, 0.5)

    short = str(run.uid)[:8]
    decide = f"manage.py runs {short} --go-on box salesforce or --leave-out box"
    assert out.getvalue().count(decide) == 1
    assert out.getvalue().count("Box, Salesforce are held: 5 of the first 5") == 1
