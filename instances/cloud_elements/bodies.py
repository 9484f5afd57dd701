"""Answer bodies as the platform may send them: read without trust, and named when unreadable."""

from __future__ import annotations

import json
import re
from contextlib import suppress

from ceadmin.lib import http

#: Controls, line separators, what turns the reading direction, and lone surrogates.
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class BodyProblem(ValueError):
    """A body that cannot be read; `code` names why and is a `Code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_html(answer: http.Answer) -> bool:
    """Tell whether a page came where the platform sends JSON."""
    return answer.body[:256].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def parse(answer: http.Answer) -> object:
    """Read a JSON body; raises BodyProblem."""
    if not answer.body.strip():
        raise BodyProblem("empty_body")
    if is_html(answer):
        raise BodyProblem("html")
    if b"\x00" in answer.body:
        raise BodyProblem("nul_bytes")
    with suppress(http.BadBody):
        return answer.json()
    try:
        text = answer.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BodyProblem("bad_encoding") from None
    return _json(text.rstrip())


def plain(value: object, limit: int) -> str:
    """Return remote text fit to be stored and shown, at most `limit` characters of it."""
    return visible(value.strip())[:limit] if isinstance(value, str) else ""


def visible(text: str) -> str:
    """Return a text in which everything that `_UNFIT` names stands escaped."""
    if text.isprintable():  # as good as always, and it names everything unfit and more
        return text
    return _UNFIT.sub(_escaped, text)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text) or error.msg.startswith("Unterminated")
        raise BodyProblem("truncated_json" if cut else "bad_json") from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or nesting of thousands of levels.
        raise BodyProblem("bad_json") from None


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
