"""A run as scripts read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from instances.models import Run
from instances.runs.pace import pace
from instances.runs.parts import parts_json
from instances.runs.progress import Progress, progress


def as_json(run: Run, now: datetime, counts: Progress | None = None) -> dict[str, Any]:
    """Return the documented JSON form of a run and its counts (docs/commands.md)."""
    counts = counts or progress(run)
    speed = pace(run, counts, now)
    return {
        "run": str(run.uid),
        "kind": run.kind,
        "organization": run.organization.slug,
        "status": run.status,
        "problem": run.problem,
        "problem_text": run.problem_text,
        "reason": run.reason,
        "ticket": run.ticket,
        "requested_by": run.requested_by_name,
        "created_at": run.created_at.isoformat(),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "seconds": ((run.finished_at or now) - run.started_at).total_seconds()
        if run.started_at
        else None,
        "total": counts.total,
        "done": counts.done,
        "waiting": counts.waiting,
        "rate": round(speed.rate, 3) if speed.rate else None,
        "seconds_left": round(speed.left.total_seconds()) if speed.left else None,
        "outcomes": counts.outcomes,
        "weights": counts.weights,
        "causes": counts.causes,
        "selection_hash": run.selection_hash,
        "connections": run.connections,
        "parts": parts_json(run),
        "calls_removed_at": _moment(run.attempts_removed_at),
        "items_removed_at": _moment(run.items_removed_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
