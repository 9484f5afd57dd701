"""Errors of the platform, sorted by what the caller can do, and the one judge of its answers.

    PlatformError            code, request_id, status, excerpt (redacted, at most 200 characters)
    ├── Unreachable          nothing came of it: ask again later
    ├── RateLimited          retry_after: seconds the platform asks for, None when it does not say
    ├── Refused              asking again changes nothing: read the code
    └── Unclear              a write may have been done: look first, never repeat blindly

A read is never unclear: an answer to it that cannot be used is `Unreachable`. A write whose answer
was lost, or cannot be read, or is a server error, always is `Unclear`. A page of HTML never comes from
the platform but from something in front of it, whatever its status says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypedDict

from ceadmin.lib import http, redact
from instances.cloud_elements import bodies

EXCERPT_LIMIT = 200


class Code(StrEnum):
    """Words for what went wrong; remote text never is one of them."""

    # the answer as such
    HTML = "html"  # a proxy or a login page answered
    EMPTY_BODY = "empty_body"
    TRUNCATED_JSON = "truncated_json"
    BAD_JSON = "bad_json"
    BAD_ENCODING = "bad_encoding"  # not UTF-8
    NUL_BYTES = "nul_bytes"
    TOO_LARGE = "too_large"  # the seam's word: more than it reads
    WRONG_SHAPE = "wrong_shape"  # JSON, but not what this call answers
    REDIRECTED = "redirected"  # the base URL is not that of an API
    # the platform's decision
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNAUTHORIZED = (
        "unauthorized"  # a secret or the element token; the platform does not say which
    )
    GRANT_REFUSED = "grant_refused"  # 401 in the provider's words
    DISABLED = "disabled"
    FORBIDDEN = "forbidden"  # the platform: a privilege is missing
    PROVIDER_FORBIDS = "provider_forbids"
    PROVIDER_REFUSED = "provider_refused"  # another 4xx in the provider's words
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    # refused here, before anything is sent
    MALFORMED_SECRET = "malformed_secret"  # noqa: S105 - a secret that cannot stand in a header
    MALFORMED_ID = "malformed_id"
    MASKED_VALUE = "masked_value"  # would write asterisks over a real value
    MISSING_CODE = "missing_code"
    MISSING_APP_SECRET = "missing_app_secret"  # noqa: S105 - PUT needs the real key, secret and callback
    BAD_OAUTH_URL = (
        "bad_oauth_url"  # the platform's address is not one to send a person to
    )
    OTHER_INSTANCE = (
        "other_instance"  # the answer speaks of another instance than was asked for
    )
    PAGING_LOOP = "paging_loop"


class _About(TypedDict):
    status: int
    request_id: str
    answer: http.Answer | None


class PlatformError(Exception):
    """What the platform, or the way to it, made of one call.

    `code` is a `Code`, or the seam's own word when no answer came ("timeout", "blocked_address" …).
    """

    def __init__(
        self,
        code: str,
        *,
        status: int = 0,
        request_id: str = "",
        answer: http.Answer | None = None,
    ) -> None:
        super().__init__(f"{type(self).__name__} {code} (status {status or 'none'})")
        self.code = str(code)
        self.status = status
        self.request_id = request_id
        self.secrets: tuple[str, ...] = ()  # of the call, masked where it is quoted
        self._answer = (
            answer  # an error's; a good answer holds tokens and is never kept
        )

    @property
    def excerpt(self) -> str:
        """Return what may be stored and shown of the answer's words."""
        # Made when asked for: masking looks for every live secret, and most errors are not shown.
        return quote(self._answer, *self.secrets) if self._answer else ""

    @property
    def facts(self) -> dict[str, str | int | float]:
        """Return what may be stored and shown."""
        told: dict[str, str | int | float] = {
            "code": self.code,
            "status": self.status,
            "request_id": self.request_id,
            "excerpt": self.excerpt,
        }
        return {name: value for name, value in told.items() if value}


class Unreachable(PlatformError):
    """Nothing came of it; asking again later may help."""


class RateLimited(PlatformError):
    """Not done; ask again after `retry_after` seconds (None: the platform does not say)."""

    retry_after: float | None = None

    @property
    def facts(self) -> dict[str, str | int | float]:
        """Return what may be stored and shown, the wait asked for included."""
        wait = {} if self.retry_after is None else {"retry_after": self.retry_after}
        return {**super().facts, **wait}


class Refused(PlatformError):
    """Asking again changes nothing."""


class Unclear(PlatformError):
    """A write that may have been done; look before repeating it."""


def trouble(answer: http.Answer, *, write: bool = False) -> PlatformError | None:
    """Return what is wrong with an answer, None when its status and the kind of its body are good."""
    if answer.status == 429:
        return _rate_limited(answer)
    if (answer.status >= 500 and answer.status != 501) or answer.status in (408, 425):
        return _lost(write)(Code.SERVER_ERROR, **_about(answer))
    if bodies.is_html(answer):
        # Behind a page that claims success a write may have been done; behind an error it was not.
        return _lost(write and answer.status < 300)(Code.HTML, **_about(answer))
    if answer.status >= 300:
        return Refused(_refusal_code(answer), **_about(answer))
    return None


def check(answer: http.Answer, *, write: bool = False) -> None:
    """Raise what is wrong with an answer; raises PlatformError."""
    problem = trouble(answer, write=write)
    if problem:
        raise problem


def unusable(answer: http.Answer, code: str, *, write: bool = False) -> PlatformError:
    """Return the error for a good status whose body cannot be used; it holds tokens, so nothing of it is quoted."""
    return _lost(write)(code, **_about(answer, quoted=False))


def from_transport(error: http.HttpError, *, write: bool = False) -> PlatformError:
    """Sort a call that brought no answer: refused by the guard, never sent, or lost on the way."""
    if isinstance(error, http.Blocked):
        return Refused(error.code)
    if isinstance(error, http.NotSent):
        return Unreachable(error.code)
    if error.code == Code.TOO_LARGE and not write:
        return Refused(Code.TOO_LARGE)
    return _lost(write)(error.code)


def retry_after(answer: http.Answer) -> float | None:
    """Read Retry-After, given as seconds or as a date; None when absent or senseless.

    A date is measured against the answer's own Date header, so a clock that is wrong here or there does
    not matter.
    """
    value = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value):
        return float(value)
    until, now = _http_date(value), _http_date(answer.headers.get("Date", ""))
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def quote(answer: http.Answer, *secrets: str) -> str:
    """Return what may be stored and shown of an error answer's text: redacted, at most 200 characters."""
    body = _error_body(answer)
    said = _word(body, "providerMessage") or _word(body, "message")
    return redact.excerpt(said or answer.body, *secrets, limit=EXCERPT_LIMIT)


def provider_words(answer: http.Answer) -> str:
    """Return the provider's own text within an error answer, "" when only the platform spoke; not redacted."""
    return _word(_error_body(answer), "providerMessage")


def _lost(write: bool) -> type[PlatformError]:
    return Unclear if write else Unreachable


def _rate_limited(answer: http.Answer) -> RateLimited:
    limited = RateLimited(Code.RATE_LIMITED, **_about(answer))
    limited.retry_after = retry_after(answer)
    return limited


def _refusal_code(answer: http.Answer) -> Code:
    if answer.status < 400:
        return Code.REDIRECTED
    spoke = bool(provider_words(answer))
    if answer.status == 403:
        return _forbidden_code(answer, spoke)
    if answer.status == 401:
        return Code.GRANT_REFUSED if spoke else Code.UNAUTHORIZED
    plain = Code.NOT_FOUND if answer.status == 404 else Code.BAD_REQUEST
    return Code.PROVIDER_REFUSED if spoke else plain


def _forbidden_code(answer: http.Answer, spoke: bool) -> Code:
    if spoke:
        return Code.PROVIDER_FORBIDS
    disabled = "disabled" in _word(_error_body(answer), "message").lower()
    return Code.DISABLED if disabled else Code.FORBIDDEN


def _about(answer: http.Answer, *, quoted: bool = True) -> _About:
    request_id = _word(_error_body(answer), "requestId")
    request_id = request_id or answer.headers.get("Elements-Request-Id", "")
    return {
        "status": answer.status,
        "request_id": bodies.plain(request_id, 64),
        "answer": answer if quoted else None,
    }


def _error_body(answer: http.Answer) -> Mapping[str, object]:
    try:
        body = bodies.parse(answer)
    except bodies.BodyProblem:
        return {}
    return body if isinstance(body, dict) else {}


def _word(body: Mapping[str, object], name: str) -> str:
    value = body.get(name)
    return value.strip() if isinstance(value, str) else ""


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return parsed if parsed.tzinfo else None
