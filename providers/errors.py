"""What goes wrong between a record, an instance and a request that may leave.

ValueError
├── SpecError          a record is wrong: names its file and key
├── NotRevocable       nothing can be sent: says why and what a person does
└── BadCallbackValue   the provider's redirect carries a value that does not fit
"""


class SpecError(ValueError):
    """A record that cannot be used; `file` and `key` say where."""

    def __init__(self, key: str, message: str, *, file: str = "") -> None:
        self.file, self.key, self.message = file, key, message
        place = f"{file}: " if file else ""
        super().__init__(f"{place}{key}: {message}")

    def inside(self, file: str) -> "SpecError":
        """Return the same error with the file it was found in."""
        return SpecError(self.key, self.message, file=file)


class NotRevocable(ValueError):
    """Nothing can be sent for this grant.

    `code` is one of unsupported, masked_token, missing_site_value, bad_host, bad_token,
    no_client_secret, nothing_to_revoke, unknown_form. `sentence` says what to do and
    ends with the record's steps for a person, which `steps` has one by one.
    """

    def __init__(self, code: str, sentence: str, steps: tuple[str, ...] = ()) -> None:
        self.code, self.steps = code, steps
        self.sentence = " ".join([sentence, *_by_hand(steps)])
        super().__init__(self.sentence)


def _by_hand(steps: tuple[str, ...]) -> list[str]:
    return [f"By hand: {'; '.join(steps)}."] if steps else []


class BadCallbackValue(ValueError):
    """A value beside the code is missing, repeated or of the wrong shape."""

    def __init__(self, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(f"The callback's {name} is {problem}.")
