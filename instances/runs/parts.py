"""A run's parts as scripts read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from instances.choices import PartStatus
from instances.models import Part, Run


def parts_json(run: Run) -> list[dict[str, Any]]:
    """Return the parts of a run in their documented JSON form (docs/commands.md)."""
    return [
        {
            "provider_key": part.provider_key,
            "status": part.status,
            "total": part.total,
            "cause": part.cause,
            "explanation": part.explanation,
            "decided_by": part.decided_by,
        }
        for part in Part.objects.filter(run=run).order_by("provider_key")
    ]


def held_parts(run: Run) -> list[Part]:
    """Return the parts that wait for a decision."""
    held = Part.objects.filter(run=run, status=PartStatus.HELD)
    return [] if run.is_terminal else list(held.order_by("provider_key"))


def alike(held: Iterable[Part]) -> list[list[Part]]:
    """Group parts that are held for the same reason: they are one trouble."""
    groups: dict[tuple[str, str], list[Part]] = {}
    for one in held:
        groups.setdefault((one.cause, commonest(one)), []).append(one)
    return list(groups.values())


def commonest(part: Part) -> str:
    """Return the cause that most of a held part's failures have, or their outcome."""
    causes = Counter(part.evidence.get("causes") or part.evidence.get("outcomes") or {})
    return causes.most_common(1)[0][0] if causes else ""
