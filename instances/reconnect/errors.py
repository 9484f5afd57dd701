"""Why a link or a callback is not acted upon."""

from __future__ import annotations

from instances.models import ReconnectLink


class LinkError(Exception):
    """A link that cannot be used as asked; `sentence` says what to do, in the asker's language."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class CallbackRefused(Exception):
    """A callback that was not acted upon.

    `link` is there only when the browser proved that the link is its own; nothing of a
    link may be shown to anybody else.
    """

    def __init__(self, code: str, link: ReconnectLink | None = None) -> None:
        super().__init__(f"callback refused: {code}")
        self.code = code
        self.link = link
