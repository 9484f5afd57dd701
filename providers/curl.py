"""A request as a curl command whose values are shell variables: to be read, copied and run."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from ceadmin.lib import http

_FORM = "application/x-www-form-urlencoded"
#: What a shell reads as something else between double quotes.
_SPECIAL = re.compile(r'([\\"`$])')
_WORD = re.compile(r"[A-Za-z0-9_]")
#: Stands for what only a program can make.
SIGNATURE = "SIGNATURE"


def text(request: http.Request, names: Mapping[str, str], *, signs: bool) -> str:
    """Return the command of a request in which marks stand for values.

    `names` tells for each mark the variable to write instead; `signs` says that the
    Authorization header is an OAuth 1 signature, which curl can't make.
    """
    return " \\\n  ".join(_parts(request, names, signs=signs))


def names(variable: str, command: str) -> bool:
    """Say whether a command has a variable in it."""
    return bool(re.search(rf"\$\{{?{variable}(?![A-Z0-9_])", command))


def _parts(
    request: http.Request, names: Mapping[str, str], *, signs: bool
) -> Iterator[str]:
    method = "" if request.method == "GET" else f"--request {request.method} "
    yield f"curl {method}{_quoted(request.url, names)}"
    kind = ""
    for name, value in request.headers:
        if name == "Content-Type":
            kind = value
        if name == "Authorization" and value.startswith("Basic "):
            yield f"--user {_quoted(_pair(value), names)}"
        elif name == "Authorization" and signs:
            yield f'--header "Authorization: OAuth ${SIGNATURE}"'
        elif not (kind == _FORM and name == "Content-Type" and request.body):
            yield f"--header {_quoted(f'{name}: {value}', names)}"
    if request.body:
        yield from _body(request.body.decode(), kind, names)


def _pair(basic: str) -> str:
    return base64.b64decode(basic.removeprefix("Basic ")).decode("ascii")


def _body(body: str, kind: str, names: Mapping[str, str]) -> Iterator[str]:
    if kind == _FORM:
        for name, value in parse_qsl(body, keep_blank_values=True):
            yield f"--data-urlencode {_quoted(f'{name}={value}', names)}"
        return
    # As a here-document, since quotes within quotes can be read by nobody.
    shown = json.dumps(json.loads(body), ensure_ascii=False)
    yield f"--data @- <<END\n{_named(shown, names, special=_IN_DOCUMENT)}\nEND"


_IN_DOCUMENT = re.compile(r"([\\`$])")


def _quoted(value: str, names: Mapping[str, str]) -> str:
    return f'"{_named(value, names)}"'


def _named(
    value: str, names: Mapping[str, str], *, special: re.Pattern[str] = _SPECIAL
) -> str:
    """Write variables where marks stand, and the rest so that a shell leaves it as it is."""
    pattern = "|".join(re.escape(mark) for mark in sorted(names, key=len, reverse=True))
    pieces = re.split(f"({pattern})", value)
    written = []
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            written.append(special.sub(r"\\\1", piece))
            continue
        follows = pieces[at + 1][:1]
        name = names[piece]
        written.append(f"${{{name}}}" if _WORD.match(follows) else f"${name}")
    return "".join(written)
