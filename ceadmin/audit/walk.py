"""Follow a chain event by event and keep what is wrong with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

# One broken link says it all; a chain rewritten as a whole would give one a row.
MOST_PROBLEMS = 100
#: Writers take the time before they queue for the chain, on machines whose clocks differ:
#: so much of a step back is nothing.
CLOCK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a chain, and at which event."""

    chain: str
    sequence: int
    code: str
    text: str
    line: int = 0  # of a file

    def __str__(self) -> str:
        at = f" (line {self.line})" if self.line else ""
        return f"{self.chain or 'system'} #{self.sequence}{at}: {self.text}"


@dataclass(slots=True)
class Walk:
    """One chain being followed: where it is, and what was found."""

    chain: str
    #: Sequence → the hash that a signed checkpoint has there.
    marks: Mapping[int, str] = field(default_factory=dict)
    sequence: int = 0
    last: str = ""
    events: int = 0
    at: str = ""
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Tell whether enough was found to stop."""
        return len(self.problems) >= MOST_PROBLEMS

    def find(self, sequence: int, code: str, text: str, line: int = 0) -> None:
        """Keep a problem."""
        if not self.full:
            self.problems.append(Problem(self.chain, sequence, code, text, line))

    def misstep(self, sequence: int, line: int = 0) -> int:
        """Say why an event is not the next one; return the number to go on with."""
        expected = self.sequence + 1
        if not isinstance(sequence, int):  # SQLite holds what somebody forged
            self.find(expected, "misplaced", "its number is no number", line)
            return expected
        if sequence != expected:
            self._out_of_place(sequence, expected, line)
        else:
            text = "it does not follow the event before it"
            self.find(sequence, "broken", text, line)
        return sequence

    def _out_of_place(self, sequence: int, expected: int, line: int) -> None:
        if sequence < expected:
            text = (
                f"it stands where event {expected} should, after event {expected - 1}"
            )
            self.find(sequence, "misplaced", text, line)
            return
        gone = f"event {expected} is missing"
        if sequence - expected > 1:
            gone = f"events {expected} to {sequence - 1} are missing"
        self.find(sequence, "missing", gone, line)

    def compare(self, sequence: int, hash_: str, line: int = 0) -> None:
        """Hold an event against the checkpoint that was signed there, if there is one."""
        signed = self.marks.get(sequence)
        if signed is not None and signed != hash_:
            text = "it is not the event that a checkpoint was signed for"
            self.find(sequence, "checkpoint", text, line)

    def clock(self, sequence: int, at: str, line: int = 0) -> None:
        """Go on to an event's time; take note if it is well before the one before it."""
        before, self.at = self.at, at
        if at >= before or len(self.notes) >= MOST_PROBLEMS:
            return
        try:
            back = datetime.fromisoformat(before) - datetime.fromisoformat(at)
        except (TypeError, ValueError):
            return  # what is no time is told as a wrong column
        if back.total_seconds() > CLOCK_SECONDS:
            text = (
                f"its time is {back} before the event before it: a clock was set back"
            )
            self.notes.append(Problem(self.chain, sequence, "clock", text, line))

    def end_marks(self, told: Callable[[int], str]) -> None:
        """Say that a checkpoint was signed behind the last event."""
        beyond = max(self.marks, default=0)
        if beyond > self.sequence:
            self.find(self.sequence, "cut", told(beyond))
