"""Readers: one per call, from an answer to a value; each raises PlatformError and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from ceadmin.lib import http, redact
from instances.cloud_elements import bodies
from instances.cloud_elements.errors import Code, Refused, check, unusable
from instances.cloud_elements.remote import (
    USER_TOKENS,
    Page,
    RemoteInstance,
    RequestToken,
    Secrets,
    is_token,
)

_ID_LIMIT = 64
_URL_LIMIT = 8192
_JSON_INTEGERS = 2**63


def read_instance(answer: http.Answer, *, expected_id: str = "") -> RemoteInstance:
    """Read one instance, sent as an object or as a list of one; raises PlatformError."""
    return _instance(answer, expected_id, write=False)


def read_reauthenticated(
    answer: http.Answer, *, expected_id: str = ""
) -> RemoteInstance:
    """Read the answer to a PATCH or PUT that carried a code; raises PlatformError.

    A success that cannot be read is Unclear: the code may be spent, so look at the instance.
    """
    return _instance(answer, expected_id, write=True)


def read_page(answer: http.Answer) -> Page:
    """Read one page of the list; the platform says 404 where there is nothing to list; raises PlatformError."""
    if answer.status == 404 and isinstance(_error_object(answer), dict):
        return Page(total=0)
    check(answer)
    rows = _payload(answer)
    if not isinstance(rows, list):
        raise unusable(answer, Code.WRONG_SHAPE)
    found = [_remote_instance(row, listed=True) for row in rows]
    return Page(
        instances=tuple(instance for instance in found if instance is not None),
        next_page=_cursor(answer.headers.get("Elements-Next-Page-Token", "")),
        total=_count(answer.headers.get("Elements-Total-Count", "")),
        unreadable=sum(instance is None for instance in found),
    )


def read_oauth_url(answer: http.Answer) -> str:
    """Read the address at which a person consents: absolute https, or Refused; raises PlatformError."""
    check(answer)
    url = _text(_object(answer).get("oauthUrl"))
    if not _fit_for_a_person(url):
        raise Refused(Code.BAD_OAUTH_URL, status=answer.status)
    return url


def read_request_token(answer: http.Answer) -> RequestToken:
    """Read an OAuth 1 request token; raises PlatformError."""
    check(answer)
    body = _object(answer)
    token, secret = _text(body.get("token")), _text(body.get("secret"))
    if not (is_token(token) and is_token(secret)):
        raise unusable(answer, Code.WRONG_SHAPE)
    return RequestToken(token=token, secret=secret)


def read_enabled(answer: http.Answer) -> None:
    """Check that an instance was enabled; the body says nothing that is documented; raises PlatformError."""
    check(answer, write=True)


def read_pong(answer: http.Answer, *, expected_id: str = "") -> None:
    """Check that a ping or fallback call worked; raises PlatformError.

    Its status decides, since `valid` is a boolean, text or absent depending on the element.
    """
    check(answer)
    _payload(answer)
    served = answer.headers.get("Elements-Element-Instance-Id", "").strip()
    if expected_id and served and served != expected_id:
        raise Refused(Code.OTHER_INSTANCE, status=answer.status)


def read_organization(answer: http.Answer) -> tuple[str, str]:
    """Read id and name of the organization whose secrets were used; raises PlatformError.

    Each is "" when the platform does not tell it.
    """
    check(answer)
    body = _object(answer)
    return _identifier(body.get("id")), bodies.plain(body.get("name"), 255)


def read_login(answer: http.Answer) -> str:
    """Read the bearer token of a person who signed in; raises PlatformError."""
    check(answer)
    token = _text(_object(answer).get("token"))
    if not is_token(token):
        raise unusable(answer, Code.WRONG_SHAPE)
    return token


def read_secrets(answer: http.Answer) -> Secrets:
    """Read the two secrets of the person who signed in; raises PlatformError."""
    check(answer)
    body = _object(answer)
    user, organization = (
        _text(body.get("userSecret")),
        _text(body.get("organizationSecret")),
    )
    if not (is_token(user) and is_token(organization)):
        raise unusable(answer, Code.WRONG_SHAPE)
    return Secrets(user_secret=user, organization_secret=organization)


def _instance(answer: http.Answer, expected_id: str, *, write: bool) -> RemoteInstance:
    check(answer, write=write)
    body = _payload(answer, write=write)
    row = body[0] if isinstance(body, list) and len(body) == 1 else body
    instance = _remote_instance(row, listed=False)
    if instance is None:
        raise unusable(answer, Code.WRONG_SHAPE, write=write)
    if expected_id and instance.remote_id != expected_id:
        raise unusable(answer, Code.OTHER_INSTANCE, write=write)
    return instance


def _remote_instance(row: object, *, listed: bool) -> RemoteInstance | None:
    if not isinstance(row, dict) or not (remote_id := _identifier(row.get("id"))):
        return None
    found = row.get("element")
    element = found if isinstance(found, dict) else {}
    token = _text(row.get("token"))
    return RemoteInstance(
        remote_id=remote_id,
        name=bodies.plain(row.get("name"), 255),
        element_key=bodies.plain(element.get("key"), 64),
        hub=bodies.plain(element.get("hub"), 32),
        token=token if is_token(token) and not redact.is_masked(token) else "",
        tags=_tags(row.get("tags")),
        disabled=_flag(row.get("disabled")) or False,
        valid=_flag(row.get("valid")),
        configuration=_configuration(row.get("configuration"), listed=listed),
        created_at=bodies.plain(row.get("createdDate"), 40),
    )


def _configuration(value: object, *, listed: bool) -> Mapping[str, str | None] | None:
    """Read a configuration; in a light list an empty one means as little as an absent one."""
    if isinstance(
        value, list
    ):  # the form of early clients: entries with key and propertyValue
        entries = [entry for entry in value if isinstance(entry, dict)]
        pairs = [(entry.get("key"), entry.get("propertyValue")) for entry in entries]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        return None
    if listed and not pairs:
        return None
    named = [(name, held) for name, held in pairs if isinstance(name, str)]
    return {bodies.visible(name): _configured(name, held) for name, held in named}


def _configured(name: str, value: object) -> str | None:
    """Return a configuration value as text, as documented, whatever type it came as."""
    if value is None or (isinstance(value, str) and value.isprintable()):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    # A token stays as it came: escaped, a garbled one would look like one to be used.
    return text if name in USER_TOKENS else bodies.visible(text)


def _identifier(value: object) -> str:
    """Return an id sent as a number or as text, "" when it is neither or cannot stand in a path."""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return str(value) if 0 <= value < _JSON_INTEGERS else ""
    if isinstance(value, float):
        return (
            _identifier(int(value)) if value.is_integer() and abs(value) < 2**53 else ""
        )
    text = _text(value).strip()
    fit = text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    return text if fit and len(text) <= _ID_LIMIT else ""


def _tags(value: object) -> tuple[str, ...]:
    tags = [bodies.plain(tag, 128) for tag in value] if isinstance(value, list) else []
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _flag(value: object) -> bool | None:
    """Read a flag sent as a boolean or, as some elements do, as text."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _cursor(value: str) -> str:
    return value.strip() if is_token(value.strip()) else ""


def _count(value: str) -> int | None:
    text = value.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _fit_for_a_person(url: str) -> bool:
    if (
        not is_token(url)
        or len(url) > _URL_LIMIT
        or any(char in url for char in ' \\"<>')
    ):
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and parts.port != 0
        )
    except ValueError:
        return False


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _object(answer: http.Answer) -> Mapping[str, object]:
    body = _payload(answer)
    if not isinstance(body, dict):
        raise unusable(answer, Code.WRONG_SHAPE)
    return body


def _payload(answer: http.Answer, *, write: bool = False) -> object:
    try:
        return bodies.parse(answer)
    except bodies.BodyProblem as problem:
        raise unusable(answer, problem.code, write=write) from None


def _error_object(answer: http.Answer) -> object:
    try:
        return bodies.parse(answer)
    except bodies.BodyProblem:
        return None
