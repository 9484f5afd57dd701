"""Say what is wrong with the configuration, with an id and what to do about it.

Neither gunicorn nor Celery stops on a failed Django check, so `refuse_or_start()` is
called where a process starts: by wsgi, by the worker and beat, and by `up`.
"""

import base64
import binascii
import sys
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from ceadmin.data_checks import audit_problems, data_problems

# Exit code of a start that was refused. It is also what gunicorn takes for "stop, do not
# try again" from a process that cannot load the application.
REFUSED = 3

DEMO_PREFIX = "demo"
KEY_BYTES = 32
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "testserver", ".localhost"})
NEW_KEYS = "Put the lines that `manage.py new_keys` prints into .env, once."


def refuse_or_start(*, migrates: bool = False) -> None:
    """Return if the configuration may run on this data; else print why not and exit.

    Who `migrates` next puts the audit's triggers back, and only tells that they were gone.
    """
    errors = [message for message in configuration() if message.is_serious()]
    if not errors:
        django.setup()
        errors = [*data_problems(), *([] if migrates else audit_problems())]
        # Processes that part from this one must not share a connection.
        connections.close_all()
    if errors:
        raise SystemExit(refuse(errors))


def refuse(errors: Iterable[CheckMessage]) -> int:
    """Print why ceadmin does not start, and return the exit code."""
    lines = ["ceadmin refuses to start:"]
    for error in errors:
        lines += [f"  {error.id}: {error.msg}", f"      {error.hint}"]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
    return REFUSED


def check_configuration(**_: Any) -> list[CheckMessage]:
    """Give Django's `check` what is wrong with the configuration."""
    return list(configuration())


def configuration() -> Iterator[CheckMessage]:
    """Yield everything that is wrong with the settings."""
    yield from _unreadable()
    yield from _secret_key()
    yield from _key_list("FIELD_KEYS", settings.FIELD_KEYS, "ceadmin.E002")
    yield from _key_list("FINGERPRINT_KEYS", settings.FINGERPRINT_KEYS, "ceadmin.E003")
    yield from _key_list("CHECKPOINT_KEYS", settings.CHECKPOINT_KEYS, "ceadmin.E012")
    yield from _demo_keys()
    yield from _play_beside_public_hosts()
    yield from _emulator()
    yield from _plain_http()
    yield from _no_trusted_proxy()


def public_hosts() -> list[str]:
    """Return the host names under which others than this machine reach ceadmin."""
    hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname or ""]
    return [host for host in hosts if host.strip("[]") not in LOCAL_HOSTS]


def _unreadable() -> Iterator[CheckMessage]:
    for name, problem in settings.CONFIG_PROBLEMS:
        yield Error(
            f"{name} {problem}.",
            hint="docs/settings.md says what each setting may be.",
            id="ceadmin.E008",
        )


def _secret_key() -> Iterator[CheckMessage]:
    if len(given_secret_key()) < KEY_BYTES:
        yield Error(
            "SECRET_KEY is missing or shorter than 32 characters.",
            hint=NEW_KEYS,
            id="ceadmin.E001",
        )


def given_secret_key() -> str:
    """Return SECRET_KEY, or nothing where Django would raise."""
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        return ""


def _key_list(name: str, value: str, check_id: str) -> Iterator[CheckMessage]:
    if not value:
        yield Error(f"{name} is missing.", hint=NEW_KEYS, id=check_id)
        return
    for position, entry in enumerate(value.split(","), start=1):
        if not _is_key(entry.strip()):
            yield Error(
                f"Entry {position} of {name} is not ID:KEY with 32 bytes in base64.",
                hint=NEW_KEYS,
                id=check_id,
            )


def _is_key(entry: str) -> bool:
    name, colon, key = entry.partition(":")
    try:
        return bool(name and colon) and len(base64.b64decode(key, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


def _demo_keys() -> Iterator[CheckMessage]:
    if settings.DEMO:
        return
    for name in ("SECRET_KEY", "FIELD_KEYS", "FINGERPRINT_KEYS", "CHECKPOINT_KEYS"):
        value = given_secret_key() if name == "SECRET_KEY" else getattr(settings, name)
        if any(entry.strip().startswith(DEMO_PREFIX) for entry in value.split(",")):
            yield Error(
                f"{name} holds a key of the demo, which is no secret.",
                hint=f"{NEW_KEYS} The demo itself is `make demo`.",
                id="ceadmin.E004",
            )


def _play_beside_public_hosts() -> Iterator[CheckMessage]:
    hosts = public_hosts()
    if not hosts:
        return
    for name, check_id in (("DEMO", "ceadmin.E005"), ("DEBUG", "ceadmin.E007")):
        if getattr(settings, name):
            yield Error(
                f"{name} is on and {hosts[0]} is served.",
                hint=f"Turn {name} off, or take public names out of ALLOWED_HOSTS "
                "and PUBLIC_URL.",
                id=check_id,
            )


def _emulator() -> Iterator[CheckMessage]:
    if not settings.EMULATOR_URL:
        return
    local = urlsplit(settings.EMULATOR_URL).hostname in LOCAL_HOSTS
    if public_hosts() or not settings.DEMO or not local:
        yield Error(
            "EMULATOR_URL would send customers' calls to a stand-in.",
            hint="Remove EMULATOR_URL: it works with DEMO on this machine only.",
            id="ceadmin.E006",
        )


def _no_trusted_proxy() -> Iterator[CheckMessage]:
    if settings.HTTPS and not settings.TRUSTED_PROXY:
        yield Warning(
            "PUBLIC_URL is https and TRUSTED_PROXY is off, so pages redirect for ever.",
            hint="Let the proxy that ends TLS set X-Forwarded-Proto, and write "
            "TRUSTED_PROXY=1.",
            id="ceadmin.W002",
        )


def _plain_http() -> Iterator[CheckMessage]:
    if public_hosts() and not settings.HTTPS:
        yield Warning(
            "PUBLIC_URL is not https, so cookies and links can be read on the way.",
            hint="Serve ceadmin behind TLS and write PUBLIC_URL=https://…",
            id="ceadmin.W001",
        )
