"""What verifying found, in words and as a document."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ceadmin.audit.walk import Problem, Walk


@dataclass(frozen=True, slots=True)
class Report:
    """The chains that were followed, and what is wrong, the first bad event first."""

    source: str
    walks: Sequence[Walk]
    problems: Sequence[Problem]
    checkpoints: int
    names: Mapping[str, str]  # chain → organization

    @property
    def notes(self) -> list[Problem]:
        """Return what is odd and breaks nothing."""
        return [note for walk in self.walks for note in walk.notes]

    def document(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "whole": not self.problems,
            "source": self.source,
            "events": sum(walk.events for walk in self.walks),
            "checkpoints": self.checkpoints,
            "chains": [self._chain(walk) for walk in self.walks],
            "problems": [self._problem(one) for one in self.problems],
            "notes": [self._problem(one) for one in self.notes],
        }

    def _chain(self, walk: Walk) -> dict[str, Any]:
        return {
            "chain": walk.chain,
            "organization": self.names.get(walk.chain, ""),
            "events": walk.events,
            "sequence": walk.sequence,
            "hash": walk.last,
            "whole": not walk.problems,
        }

    def _problem(self, one: Problem) -> dict[str, Any]:
        return {
            "chain": one.chain,
            "sequence": one.sequence,
            "line": one.line or None,
            "code": one.code,
            "text": one.text,
        }

    def lines(self) -> Iterator[str]:
        """Yield it for a person."""
        for walk in self.walks:
            state = "whole" if not walk.problems else "NOT whole"
            end = f", ends at {walk.last[:16]}…" if walk.last else ""
            yield f"{self._name(walk.chain)}: {walk.events} events, {state}{end}"
        for note in self.notes:
            yield f"Note: {self._say(note)}"
        for number, problem in enumerate(self.problems):
            yield f"{'First bad event: ' if not number else ''}{self._say(problem)}"
        if not self.problems:
            yield self._verdict()

    def _verdict(self) -> str:
        if self.checkpoints:
            return f"Everything is whole; {self.checkpoints} checkpoints hold."
        return (
            "Everything that is here is whole. Without checkpoints nobody can tell "
            "whether the end was cut off or the database is an older one."
        )

    def _name(self, chain: str) -> str:
        return self.names.get(chain) or chain or "system"

    def _say(self, one: Problem) -> str:
        if not one.sequence and not one.chain:
            return one.text + (f" (line {one.line})" if one.line else "")
        at = f" (line {one.line})" if one.line else ""
        return f"{self._name(one.chain)} #{one.sequence}{at}: {one.text}"
