"""Watching a run: lines in a pipe, one moving line on a terminal, silence for JSON."""

import io

import pytest
from django.core.management.base import OutputWrapper

from instances.choices import RunKind
from instances.management.following import Follower
from instances.models import Run
from tests.commands.conftest import manage

RITA = ("--organization", "acme", "--as", "rita@example.com")


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self):
        return True


def watched(run, out):
    Follower(OutputWrapper(out)).follow(run, 0)
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

    assert text.startswith(f"\r{run}: finished, 2 of 2 done, 2 need attention")
    assert text.endswith("\n")


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
