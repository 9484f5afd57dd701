"""Runs: what people ask for, how it is frozen, worked, swept and counted."""

from instances.runs.acts import create, discard, pause, resume, stop, take_along
from instances.runs.again import bring_back, retriable, retry, to_bring_back
from instances.runs.approval import approve, latest, refuse, withdraw
from instances.runs.crew import NO_WORKER, Crew, crew, missing
from instances.runs.decisions import go_on, leave_out, set_connections
from instances.runs.digest import digest_of
from instances.runs.document import as_json
from instances.runs.ending import fail, finish_if_done
from instances.runs.errors import Denied, RunError
from instances.runs.forecast import Forecast, forecast
from instances.runs.glass import break_glass, review
from instances.runs.history import costs
from instances.runs.kin import Kin, Reached, doubtful_of, kin_of, siblings_of
from instances.runs.pace import Pace, pace, pace_by_provider, waits_for_people
from instances.runs.parts import alike, commonest, held_parts
from instances.runs.plan import plan, wait_for_plan
from instances.runs.preview import Effect, Preview, obstacle, preview
from instances.runs.progress import (
    Outage,
    Progress,
    Trouble,
    counted,
    exit_code,
    progress,
    progress_of,
)
from instances.runs.resting import resting
from instances.runs.retention import thin_out
from instances.runs.rights import act_of, act_on_selection, may_do, requester_may
from instances.runs.starting import ask, start
from instances.runs.sweep import sweep
from instances.runs.tallies import removed_words, rows_of
from instances.runs.threshold import needed
from instances.runs.wishes import Wish
from instances.runs.work import consent, work

__all__ = [
    "NO_WORKER",
    "Crew",
    "Denied",
    "Effect",
    "Forecast",
    "Kin",
    "Outage",
    "Pace",
    "Preview",
    "Progress",
    "Reached",
    "RunError",
    "Trouble",
    "Wish",
    "act_of",
    "act_on_selection",
    "alike",
    "approve",
    "as_json",
    "ask",
    "break_glass",
    "bring_back",
    "commonest",
    "consent",
    "costs",
    "counted",
    "create",
    "crew",
    "digest_of",
    "discard",
    "doubtful_of",
    "exit_code",
    "fail",
    "finish_if_done",
    "forecast",
    "go_on",
    "held_parts",
    "kin_of",
    "latest",
    "leave_out",
    "may_do",
    "missing",
    "needed",
    "obstacle",
    "pace",
    "pace_by_provider",
    "pause",
    "plan",
    "preview",
    "progress",
    "progress_of",
    "refuse",
    "removed_words",
    "requester_may",
    "resting",
    "resume",
    "retriable",
    "retry",
    "review",
    "rows_of",
    "set_connections",
    "siblings_of",
    "start",
    "stop",
    "sweep",
    "take_along",
    "thin_out",
    "to_bring_back",
    "wait_for_plan",
    "waits_for_people",
    "withdraw",
    "work",
]
