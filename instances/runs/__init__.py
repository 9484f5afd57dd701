"""Runs: what people ask for, how it is frozen, worked, swept and counted."""

from instances.runs.acts import (
    ACT_OF_KIND,
    create,
    discard,
    pause,
    resume,
    retry,
    start,
    stop,
)
from instances.runs.ending import fail, finish_if_done
from instances.runs.errors import RunError
from instances.runs.plan import plan
from instances.runs.preview import Effect, Preview, preview
from instances.runs.progress import Outage, Progress, as_json, exit_code, progress
from instances.runs.sweep import sweep
from instances.runs.work import consent, work

__all__ = [
    "ACT_OF_KIND",
    "Effect",
    "Outage",
    "Preview",
    "Progress",
    "RunError",
    "as_json",
    "consent",
    "create",
    "discard",
    "exit_code",
    "fail",
    "finish_if_done",
    "pause",
    "plan",
    "preview",
    "progress",
    "resume",
    "retry",
    "start",
    "stop",
    "sweep",
    "work",
]
