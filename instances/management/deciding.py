"""What waits for a decision in a run, and what to type."""

from __future__ import annotations

from collections.abc import Iterator

from instances import runs
from instances.actions.causes import sentence
from instances.models import Part, Run
from providers.book import book_of


def held_lines(run: Run) -> Iterator[str]:
    """Yield what waits for a decision in a run, and how to decide."""
    if run.problem and not run.is_terminal:
        yield f"  {run.problem_text or sentence(run.problem) or run.problem}"
    for some in runs.alike(runs.held_parts(run)):
        yield from _trouble(run, some)


def _trouble(run: Run, some: list[Part]) -> Iterator[str]:
    """Yield one trouble, however many providers it holds."""
    book = book_of(run.organization)
    names = ", ".join(book.name_of(part.provider_key) for part in some)
    are = "is" if len(some) == 1 else "are"
    yield f"  {names} {are} held: {some[0].explanation}"
    keys = " ".join(part.provider_key or "unknown" for part in some)
    ways = " or ".join(f"--{way} {keys}" for way in ("go-on", "leave-out"))
    yield f"    Decide: manage.py runs {str(run.uid)[:8]} {ways}"
