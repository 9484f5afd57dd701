"""Why a run can't be made, started or changed."""

from __future__ import annotations


class RunError(Exception):
    """A refusal with a machine word and a sentence that says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Denied(RunError):
    """A refusal that the audit keeps: somebody tried what takes a second person."""
