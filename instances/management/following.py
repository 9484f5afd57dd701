"""Watch a run until it ends: a line that moves on a terminal, plain lines in a pipe."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.core.management.base import OutputWrapper
from redis.exceptions import RedisError

from ceadmin.lib import broker
from instances import reconnect, runs
from instances.choices import RunStatus
from instances.models import ReconnectLink, Run

#: Between two looks: short at first, longer with a run that takes its time.
_LOOK, _LONGEST_LOOK = 0.2, 2.0
#: In a pipe a line comes at most so often, unless the run's status changed.
_BREATH = 5.0
_WIDTH = 78


@dataclass(slots=True)
class Follower:
    """One run being watched; without an output it is watched in silence."""

    out: OutputWrapper | None
    last: str = ""
    said_at: float = 0.0
    status: str = ""
    told: set[int] = field(default_factory=set)

    def follow(self, run: Run, seconds: float | None) -> bool:
        """Watch until the run ends; return False when `seconds` were over before."""
        began = time.monotonic()
        end = None if seconds is None else began + seconds
        while True:
            run.refresh_from_db()
            self._tell(run)
            if run.is_terminal:
                self._close_line()
                return True
            if end is not None and time.monotonic() >= end:
                self._close_line()
                return False
            spent = time.monotonic() - began
            time.sleep(min(_LOOK + spent / 50, _LONGEST_LOOK))

    def _tell(self, run: Run) -> None:
        if self.out is None:
            return
        counts = runs.progress(run)
        if counts.waiting:
            self._tell_links(run)
        line = line_of(run, counts)
        if line == self.last:
            return
        if self.out.isatty():
            self.out.write(f"\r{line[:_WIDTH]:<{_WIDTH}}", ending="")
        elif self._is_time(run):
            self.out.write(line)
        else:
            return
        self.out.flush()
        self.last, self.said_at, self.status = line, time.monotonic(), run.status

    def _is_time(self, run: Run) -> bool:
        return run.status != self.status or time.monotonic() - self.said_at > _BREATH

    def _tell_links(self, run: Run) -> None:
        for link in open_links(run):
            if link.pk not in self.told and self.out is not None:
                self.told.add(link.pk)
                self._close_line()
                self.out.write(f"{link.instance}: {reconnect.address_of(link)}")

    def _close_line(self) -> None:
        if self.out is not None and self.out.isatty() and self.last:
            self.out.write("")
            self.last = ""


def open_links(run: Run) -> list[ReconnectLink]:
    """Return the links of a run that a person may use; none where a run consents by itself."""
    if run.options.get("self_consent"):
        return []
    links = ReconnectLink.objects.filter(item__run=run).select_related("instance")
    return [link for link in links.order_by("item__number", "pk") if link.is_open]


def line_of(run: Run, counts: runs.Progress) -> str:
    """Return how far a run is, in a line."""
    if run.status == RunStatus.PLANNING:
        return f"{run}: waiting for the worker"
    parts = [f"{counts.done} of {counts.total} done"]
    if counts.waiting:
        parts.append(f"{counts.waiting} waiting for a person")
    if counts.attention:
        parts.append(f"{counts.attention} need attention")
    return f"{run}: {run.get_status_display().lower()}, {', '.join(parts)}"


def queue_note() -> str:
    """Return what is to be said of a run that was left to the worker."""
    try:
        alive = broker.live_workers()
    except RedisError:
        return "queued, waiting for the worker (the broker does not answer; nothing is lost)"
    if not alive:
        return "queued, waiting for the worker (none is running)"
    return "queued, waiting for the worker"
