"""Record who signed in, who signed out and who was refused.

Django tells of these by its own life-cycle signals, so that every road in is covered:
the login page, a command, a later second factor.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ceadmin.audit.actors import Actor, visitor
from ceadmin.audit.canonical import visible
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.lib.client import client_address
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import subject_of


def on_sign_in(*, user: User, request: HttpRequest | None, **_: Any) -> None:
    """Record that a person signed in."""
    _record(Action.SIGNED_IN, _person(user, request), subject_of(user))


def on_sign_out(*, user: User | None, request: HttpRequest | None, **_: Any) -> None:
    """Record that a person signed out; an expired session has none."""
    if isinstance(user, User):
        _record(Action.SIGNED_OUT, _person(user, request), subject_of(user))


def on_refusal(
    *, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Record a refused sign-in: the account, or the fingerprint of an unknown address."""
    email = visible(credentials.get("username", "")).strip().lower()
    user = User.objects.filter(email=email).order_by("pk").first()
    subject = subject_of(user) if user else Subject()
    facts = {} if user else {"address_fingerprint": fingerprint(email)}
    actor = visitor(client_address(request) if request else "")
    _record(Action.SIGN_IN_REFUSED, actor, subject, facts)


def _person(user: User, request: HttpRequest | None) -> Actor:
    return actor_of(user, None, client_address(request) if request else "")


def _record(
    action: Action,
    actor: Actor,
    subject: Subject,
    facts: Mapping[str, str] | None = None,
) -> None:
    with transaction.atomic():
        record(
            action,
            chain=SYSTEM_CHAIN,
            actor=actor,
            at=timezone.now(),  # noqa: TID251 (where a request enters)
            subject=subject,
            facts=facts,
        )
