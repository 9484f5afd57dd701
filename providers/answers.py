"""What a provider's answer says, judged by the record's rules.

Some things are the same everywhere and no record may say otherwise: 429 and 5xx come
first, a redirect or a page of HTML says nothing, and an error about the client never
means that a token is gone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from ceadmin.lib import http
from providers.choices import Life, Proof, Verdict
from providers.rules import CLIENT_ERRORS
from providers.spec import LifeAnswer, Match, RevokeAnswer

#: These take back what a bare status would mean: the token was not touched.
_UNTOUCHED = frozenset({"unsupported_token_type", "access_denied", "invalid_scope"})
_ERROR_MEMBERS = ("error", "errorCode", "error_code", "code")
_PAGE = re.compile(r"<(!doctype|html|head|body)", re.IGNORECASE)
_FORM = re.compile(r"error=[^\s&<]+(&|$)")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,60}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,7}", re.ASCII)
_DAY = 86_400.0


class Shape(Enum):
    """What a body is."""

    EMPTY = "empty"
    JSON = "json"
    HTML = "html"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Body:
    """An answer's body, read once."""

    shape: Shape
    text: str
    data: Any = None

    @property
    def error(self) -> str:
        """The error code of the body's JSON, "" if it has none that looks like one."""
        item = self.data[0] if isinstance(self.data, list) and self.data else self.data
        if not isinstance(item, Mapping):
            return ""
        for name in _ERROR_MEMBERS:
            value = item.get(name)
            if isinstance(value, str) and _WORD.fullmatch(value):
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the short word that explains it."""

    verdict: Verdict
    code: str
    proof: Proof = Proof.VERIFY


def body_of(answer: http.Answer) -> Body:
    """Read an answer's body without trusting its content type."""
    text = answer.body.decode("utf-8", errors="replace").strip().lstrip("\ufeff")
    if not text:
        return Body(Shape.EMPTY, "")
    try:
        return Body(Shape.JSON, text, answer.json())
    except http.BadBody:
        return _without_json(text)


def _without_json(text: str) -> Body:
    if _PAGE.match(text):
        return Body(Shape.HTML, text)
    # RFC 6749 wants JSON, and Salesforce answers error=…&error_description=… all the same.
    if _FORM.match(text):
        return Body(Shape.JSON, text, dict(parse_qsl(text)))
    return Body(Shape.TEXT, text)


# Revocations


def judge(rules: Sequence[RevokeAnswer], answer: http.Answer) -> Judgement:
    """Say what an answer to a revocation means."""
    if answer.status == 429:
        return Judgement(Verdict.THROTTLED, "throttled")
    if answer.status >= 500:
        return Judgement(Verdict.UNAVAILABLE, f"http_{answer.status}")
    if not (200 <= answer.status < 300 or answer.status >= 400):
        return Judgement(Verdict.UNCLEAR, f"http_{answer.status}")
    body = body_of(answer)
    if body.error in CLIENT_ERRORS:
        return Judgement(Verdict.REFUSED, body.error)
    return _by_rules(rules, answer.status, body) or _by_status(answer.status, body)


def _by_rules(
    rules: Sequence[RevokeAnswer], status: int, body: Body
) -> Judgement | None:
    fitting = [rule for rule in rules if status in rule.status]
    for rule in fitting:
        if rule.match and _matches(rule.match, body):
            return Judgement(rule.means, body.error or rule.means.value, rule.proof)
    if not _says_something_else(status, body):
        for rule in fitting:
            if not rule.match:
                return Judgement(rule.means, body.error or rule.means.value, rule.proof)
    return None


def _says_something_else(status: int, body: Body) -> bool:
    """Say whether a body takes back what the bare status would mean."""
    if body.shape in (Shape.HTML, Shape.TEXT):
        return True
    return body.error in _UNTOUCHED or (status < 300 and bool(body.error))


def _by_status(status: int, body: Body) -> Judgement:
    if body.shape == Shape.HTML:
        return Judgement(Verdict.UNCLEAR, "html")
    if body.shape == Shape.TEXT:
        return Judgement(Verdict.UNCLEAR, "garbage")
    if body.error or status >= 400:
        return Judgement(Verdict.REFUSED, body.error or f"http_{status}")
    return Judgement(Verdict.UNCLEAR, f"http_{status}")


def retry_after(answer: http.Answer) -> float | None:
    """Return the seconds an answer asks to wait, None if it does not say so clearly.

    A date is compared with the answer's own Date: our clock and theirs may differ.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), _DAY)
    then, now = _date(text), _date(answer.headers.get("Date", ""))
    if then is None or now is None:
        return None
    return min(max((then - now).total_seconds(), 0.0), _DAY)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# Verifications


def life(rules: Sequence[LifeAnswer], answer: http.Answer) -> tuple[Life, bool]:
    """Say whether a token lives, and whether that needs a comparison to be believed."""
    if answer.status == 429 or not 200 <= answer.status < 500:
        return Life.UNKNOWN, False
    body = body_of(answer)
    if body.error in CLIENT_ERRORS or body.shape == Shape.HTML:
        return Life.UNKNOWN, False
    asked = answer.headers.get("WWW-Authenticate", "").partition(" ")[0].lower()
    fitting = [rule for rule in rules if answer.status in rule.status]
    for rule in sorted(fitting, key=lambda rule: not rule.match):
        if not rule.match and _says_nothing(answer.status, body):
            continue
        if _matches(rule.match, body) and rule.challenge.lower() in ("", asked):
            return rule.means, rule.compare
    return Life.UNKNOWN, False


def _says_nothing(status: int, body: Body) -> bool:
    """Say whether a bare 200 carries nothing that a provider's own API would say."""
    return status == 200 and body.shape != Shape.JSON


# Matching


def _matches(conditions: Sequence[Match], body: Body) -> bool:
    return all(_holds(condition, body) for condition in conditions)


def _holds(condition: Match, body: Body) -> bool:
    if condition.empty is not None and condition.empty != (body.shape == Shape.EMPTY):
        return False
    if condition.text and condition.text not in body.text:
        return False
    if not (condition.equals or condition.starts_with):
        return True
    value = at(body.data, condition.path)
    if condition.starts_with:
        return isinstance(value, str) and value.startswith(condition.starts_with)
    # 1 == True in Python, and not in JSON.
    return any(type(value) is type(item) and value == item for item in condition.equals)


def at(data: Any, path: str) -> Any:
    """Return what stands at a dotted path of a JSON document, None if nothing does."""
    for step in path.split(".") if path else []:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isdecimal() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data
