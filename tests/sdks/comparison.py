"""Two recorded requests, fact by fact, and which of their differences are explained."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

Facts = dict[str, str]
Pair = tuple[str, str]

#: Says how the bytes travel or who sends them, and nothing about what is asked for.
TRANSPORT = {
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "user-agent",
}
ANY = "*"  # stands for a value that differs from run to run


def facts(sent: Mapping[str, Any]) -> Facts:
    """Return what a request says, decoded: method, host, path, query, body, headers."""
    headers = _joined(pair for pair in sent["headers"] if pair[0] not in TRANSPORT)
    parts = urlsplit(sent["target"])
    found = {
        "method": sent["method"],
        "host": dict(sent["headers"])["host"],
        "path": "/".join(
            quote(unquote(part), safe="") for part in parts.path.split("/")
        ),
        **_named("query", parse_qsl(parts.query, keep_blank_values=True)),
    }
    if sent["body"]:
        kind = headers.pop("content-type", "").partition(";")[0]
        found |= {"content-type": kind} | _body(kind, sent["body"])
    if headers.get("accept") == "*/*":  # RFC 9110 §12.5.1: what its absence says
        del headers["accept"]
    if "authorization" in headers:
        found["authorization"] = _credentials(headers.pop("authorization"))
    return found | _named("header", headers.items())


def _joined(pairs: Iterable[Pair]) -> Facts:
    """Return pairs by name: twice is not once, and empty is not absent."""
    found: Facts = {}
    for name, text in pairs:
        before = f"{found[name]} and " if name in found else ""
        found[name] = before + (text or "(empty)")
    return found


def _named(place: str, pairs: Iterable[Pair]) -> Facts:
    return {f"{place}.{name}": text for name, text in _joined(pairs).items()}


def _body(kind: str, body: str) -> Facts:
    if kind == "application/x-www-form-urlencoded":
        return _named(
            "field", parse_qsl(body, keep_blank_values=True, strict_parsing=True)
        )
    data = json.loads(body)
    if isinstance(data, dict) and data:
        return _named("field", ((name, _text(value)) for name, value in data.items()))
    return {"body": body}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _credentials(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    return f"Basic {base64.b64decode(rest).decode()}" if scheme == "Basic" else value


def differences(ours: Facts, theirs: Facts) -> dict[str, Pair]:
    """Return what is not the same, ours first; "" where one of the two does not say it."""
    pairs = {name: (ours.get(name, ""), theirs.get(name, "")) for name in ours | theirs}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def open_points(found: Mapping[str, Pair], explained: Mapping[str, Pair]) -> list[str]:
    """Return a sentence for each difference without explanation, and the other way round."""
    points = [
        f"{name} is {ours!r} here and {theirs!r} in the SDK: explain or mend it"
        for name, (ours, theirs) in found.items()
        if not _covers(explained.get(name), (ours, theirs))
    ]
    return points + [
        f"{name} is explained and not different any more"
        for name in sorted(explained.keys() - found.keys())
    ]


def _covers(explained: Pair | None, pair: Pair) -> bool:
    if explained is None:
        return False
    return all(
        said in (ANY, is_so) for said, is_so in zip(explained, pair, strict=True)
    )
