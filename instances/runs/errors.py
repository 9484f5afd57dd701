"""Why a run can't be made, started or changed."""

from __future__ import annotations

from django.utils.functional import Promise

from ceadmin.lib.sayings import english, later


class RunError(Exception):
    """A refusal with a machine word and a sentence that says what to do.

    `sentence` is in the language of whoever reads it, and `str` is in English: that is
    what the audit and commands keep.
    """

    def __init__(self, code: str, sentence: str | Promise, **holes: object) -> None:
        self.code = code
        self._sentence, self._holes = sentence, holes
        super().__init__(english(later(lambda: self.sentence)))

    @property
    def sentence(self) -> str:
        """Return what to tell a person."""
        text = str(self._sentence)
        return text % self._holes if self._holes else text


class Denied(RunError):
    """A refusal that the audit keeps: somebody tried what takes a second person."""
