"""What goes wrong between a record, an instance and a request that may leave.

ValueError
├── SpecError          a record is wrong: names its file and key
├── NotRevocable       nothing can be sent: says why and what a person does
└── BadCallbackValue   the provider's redirect carries a value that does not fit
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_noop


class SpecError(ValueError):
    """A record that cannot be used; `file` and `key` say where.

    It is found once and read in any language, so its message is translated when it is
    read. `values` stand in the message's holes; `quoted` is what Python says, in English.
    """

    def __init__(
        self,
        key: str,
        message: str | Promise,
        *,
        file: str = "",
        quoted: str = "",
        **values: Any,
    ) -> None:
        self.file, self.key, self.quoted = file, key, quoted
        self._words, self._values = message, values
        super().__init__(key)

    def __str__(self) -> str:
        """Return the whole problem in one line."""
        place = f"{self.file}: " if self.file else ""
        return f"{place}{self.key}: {self.message}"

    @property
    def message(self) -> str:
        """What is wrong there, in the language of whoever asks."""
        return ": ".join(part for part in (self.words, self.quoted) if part)

    @property
    def words(self) -> str:
        """The same without what Python says."""
        words = str(self._words)
        return words % self._values if self._values else words

    def inside(self, file: str) -> "SpecError":
        """Return the same error with the file it was found in."""
        return SpecError(
            self.key, self._words, file=file, quoted=self.quoted, **self._values
        )


class NotRevocable(ValueError):
    """Nothing can be sent for this grant.

    `code` is one of unsupported, masked_token, missing_site_value, bad_host, bad_token,
    no_client_secret, nothing_to_revoke, unknown_form. `sentence` says what to do and
    ends with the record's steps for a person, which `steps` has one by one. It is kept with
    a run's item, so it is English whoever caused it.
    """

    def __init__(self, code: str, sentence: str, steps: tuple[str, ...] = ()) -> None:
        self.code, self.steps = code, steps
        self.sentence = " ".join([sentence, *_by_hand(steps)])
        super().__init__(self.sentence)


def _by_hand(steps: tuple[str, ...]) -> list[str]:
    words = gettext_noop("By hand: %(steps)s.")
    return [words % {"steps": "; ".join(steps)}] if steps else []


class BadCallbackValue(ValueError):
    """A value beside the code is missing, repeated or of the wrong shape.

    No page shows this message: a page says it in its own words.
    """

    def __init__(self, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(f"the callback's {name} is {problem}")
