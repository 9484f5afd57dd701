"""Watch a run until it ends: a bar that moves on a terminal, plain lines in a pipe."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.utils import timezone
from redis.exceptions import RedisError

from ceadmin import ui
from ceadmin.lib import broker
from instances import reconnect, runs
from instances.choices import RunStatus
from instances.management.deciding import held_lines
from instances.models import ReconnectLink, Run

#: Between two looks: short at first, longer with a run that takes its time.
_LOOK, _LONGEST_LOOK = 0.2, 2.0
#: In a pipe a line comes at most so often, unless the run's status changed.
_BREATH = 5.0
#: A bar has so many cells where there is room, and none on a terminal narrower than this.
_CELLS, _NARROW = 24, 60


@dataclass(slots=True)
class Follower:
    """One run being watched; without an output it is watched in silence."""

    out: OutputWrapper | None
    linked: bool = False  # whether who watches may have the links' addresses
    last: str = ""
    said_at: float = 0.0
    status: str = ""
    problem: str = ""
    told: set[int] = field(default_factory=set)
    held: list[str] = field(default_factory=list)

    def follow(self, run: Run, seconds: float | None) -> bool:
        """Watch until the run ends; return False when `seconds` were over before, or on Ctrl-C."""
        began = time.monotonic()
        end = None if seconds is None else began + seconds
        try:
            while not self._look(run):
                if end is not None and time.monotonic() >= end:
                    return False
                spent = time.monotonic() - began
                time.sleep(min(_LOOK + spent / 50, _LONGEST_LOOK))
        except KeyboardInterrupt:
            return False
        finally:
            self._close_line()
        return True

    def _look(self, run: Run) -> bool:
        run.refresh_from_db()
        self._tell(run)
        return run.is_terminal

    def _tell(self, run: Run) -> None:
        if self.out is None:
            return
        counts = runs.progress(run)
        if counts.waiting and self.linked:
            self._tell_links(run)
        self._tell_problem(run)
        self._tell_held(run)
        speed = runs.pace(run, counts, timezone.now())
        if self.out.isatty():
            line = bar_of(run, counts, speed, width=_columns())
            if line != self.last:
                self.out.write(f"\r{line}{_rest_of_line(line)}", ending="")
        else:
            line = line_of(run, counts, speed)
            if line == self.last or not self._is_time(run):
                return
            self.out.write(line)
        self.out.flush()
        self.last, self.said_at, self.status = line, time.monotonic(), run.status

    def _is_time(self, run: Run) -> bool:
        return run.status != self.status or time.monotonic() - self.said_at > _BREATH

    def _tell_problem(self, run: Run) -> None:
        """Say that nobody can work on the run, once for each time."""
        problem = runs.crew(run).problem
        if problem and problem != self.problem:
            self._say(problem)
        self.problem = problem

    def _tell_held(self, run: Run) -> None:
        """Say which providers wait for a decision and how to decide, once for each time."""
        lines = list(held_lines(run))
        if lines != self.held:
            for line in lines:
                self._say(line)
        self.held = lines

    def _tell_links(self, run: Run) -> None:
        for link in open_links(run):
            if link.pk not in self.told:
                self.told.add(link.pk)
                self._say(f"{link.instance}: {reconnect.address_of(link)}")

    def _say(self, line: str) -> None:
        self._close_line()
        if self.out is not None:
            self.out.write(line)

    def _close_line(self) -> None:
        if self.out is not None and self.out.isatty() and self.last:
            self.out.write("")
            self.last = ""


def _columns() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _rest_of_line(line: str) -> str:
    """Return what wipes the rest of a line that was longer before."""
    return " " * (_columns() - 1 - len(_bare(line)))


def open_links(run: Run) -> list[ReconnectLink]:
    """Return the links of a run that a person may use; none where a run consents by itself."""
    if run.options.get("self_consent"):
        return []
    links = ReconnectLink.objects.filter(item__run=run).select_related("instance")
    return [link for link in links.order_by("item__number", "pk") if link.is_open]


def word_of(run: Run) -> str:
    """Return what a run is now, as a line has it."""
    return str(ui.look(run.word).label).lower()


def line_of(run: Run, counts: runs.Progress, speed: runs.Pace) -> str:
    """Return how far a run is, in a line."""
    if run.status == RunStatus.PLANNING:
        return f"{run}: waiting for the worker"
    parts = [f"{counts.done} of {counts.total} done", *_details(run, counts, speed)]
    return f"{run}: {word_of(run)}, {', '.join(parts)}"


def _details(run: Run, counts: runs.Progress, speed: runs.Pace) -> list[str]:
    """Return what is worth telling beside how many are done, the most important first."""
    told = []
    if counts.attention:
        told.append(f"{counts.attention} need attention")
    if counts.waiting:
        told.append(f"{counts.waiting} waiting for a person")
    if not run.is_terminal:
        told += [ui.per_second(speed.rate)] if speed.rate else []
        told += [speed.words] if speed.words else []
    return told


def bar_of(run: Run, counts: runs.Progress, speed: runs.Pace, *, width: int) -> str:
    """Return a run's bar and numbers in one line of a terminal with `width` columns.

    What does not fit is left out from the end; colours only where `NO_COLOR` allows them.
    """
    if run.status == RunStatus.PLANNING:
        return f"{run}: waiting for the worker"[: width - 1]
    words = [f"{run} {word_of(run)}", f"{counts.percent:>3} %"]
    words += [f"{ui.number(counts.done)}/{ui.number(counts.total)}"]
    words += _details(run, counts, speed)
    bar = _bar(counts.percent) if width >= _NARROW else ""
    room = width - 1 - (len(bar) + 2 if bar else 0)
    line = words[0]
    for word in words[1:]:
        if len(line) + 2 + len(word) <= room:
            line += f"  {word}"
    head, _, rest = line[:room].partition("  ")
    return f"{head}  {_coloured(bar)}  {rest}" if bar else line[:room]


def _bar(percent: int) -> str:
    full = _CELLS * percent // 100
    return "█" * full + "░" * (_CELLS - full)


_BLUE, _PLAIN = "\033[34m", "\033[0m"


def _coloured(bar: str) -> str:
    return bar if settings.NO_COLOR else f"{_BLUE}{bar}{_PLAIN}"


def _bare(line: str) -> str:
    return line.replace(_BLUE, "").replace(_PLAIN, "")


def queue_note() -> str:
    """Return what is to be said of a run that was left to the worker."""
    try:
        alive = broker.live_workers()
    except RedisError:
        return "queued, waiting for the worker (the broker does not answer; nothing is lost)"
    if not alive:
        return f"queued, waiting for the worker. {runs.NO_WORKER}"
    return "queued, waiting for the worker"


def how_to_look_again(run: Run, mail: str) -> str:
    """Return the sentence for who leaves a run that goes on."""
    again = f"manage.py runs {str(run.uid)[:8]} --as {mail} --wait"
    return f"{run} is not finished yet and goes on; look again with “{again}”."
