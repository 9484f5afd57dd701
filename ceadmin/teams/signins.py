"""Record who signed in, who signed out and who was refused.

Django tells of these by its own life-cycle signals, so that every road in is covered.
What a person types after the password, Django does not know: those pages call here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from ceadmin.audit.actors import visitor
from ceadmin.audit.canonical import visible
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.lib.client import client_address
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams import browsers, factors
from ceadmin.teams.browsers import Seen
from ceadmin.teams.known import code_door, confirm_door, door_of
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.recent import begin_session, remember_confirmed
from ceadmin.teams.throttle import forgive, refuse
from ceadmin.teams.users import Hand, subject_of


def on_sign_in(*, user: User, request: HttpRequest | None, **_: Any) -> None:
    """Record that a person signed in; they have just proved who they are."""
    hand = _hand(user, request)
    if request is not None:
        remember_confirmed(request)
        begin_session(request, hand.now)
        forgive(door_of(request, user.email))
    with transaction.atomic():
        if request is not None:
            browsers.remember(user, _seen(request), hand)
        facts = {"second_factor": factors.is_set(user)}
        _record(Action.SIGNED_IN, hand, subject_of(user), facts=facts)


def on_sign_out(*, user: User | None, request: HttpRequest | None, **_: Any) -> None:
    """Record that a person signed out; an expired session has none."""
    if not isinstance(user, User):
        return
    with transaction.atomic():
        if request is not None:
            browsers.lock(user)
            browsers.forget(request.session.session_key)
        _record(Action.SIGNED_OUT, _hand(user, request), subject_of(user))


def on_refusal(
    *, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Record a refused sign-in, whoever asked."""
    refused(request, str(credentials.get("username", "")), "bad_password")


def refused(request: HttpRequest | None, mail: str, why: str) -> None:
    """Count a refused sign-in; the first has an event, with the account it is about.

    Of an unknown account only the fingerprint of its address is kept.
    """
    email = visible(mail).strip().lower()
    user = User.objects.filter(email=email).order_by("pk").first()
    subject = subject_of(user) if user else Subject()
    facts = {} if user else {"address_fingerprint": fingerprint(email)}
    hand = Hand(visitor(client_address(request) if request else ""), _now())
    with transaction.atomic():
        if request is None or refuse(
            door_of(request, email), hand.now, str(subject.uid)
        ):
            _record(Action.SIGN_IN_REFUSED, hand, subject, why, facts)


def code_refused(request: HttpRequest, user: User, why: str) -> None:
    """Count a refused code of somebody whose password was right."""
    hand = Hand(visitor(client_address(request)), _now())
    with transaction.atomic():
        if refuse(code_door(request, user), hand.now):
            _record(Action.SIGN_IN_REFUSED, hand, subject_of(user), why)


def confirm_refused(request: HttpRequest, user: User, why: str) -> None:
    """Count a refused answer to "Confirm it is you"."""
    hand = _hand(user, request)
    with transaction.atomic():
        if refuse(confirm_door(request, user), hand.now):
            _record(Action.CONFIRM_REFUSED, hand, subject_of(user), why)


def confirmed(request: HttpRequest, user: User) -> None:
    """Note that somebody proved once more who they are, and record it."""
    remember_confirmed(request)
    forgive(confirm_door(request, user))
    with transaction.atomic():
        _record(Action.PERSON_CONFIRMED, _hand(user, request), subject_of(user))


def _seen(request: HttpRequest) -> Seen:
    if not request.session.session_key:
        request.session.create()  # somebody else was signed in: Django emptied it
    agent = visible(request.headers.get("User-Agent", ""))
    return Seen(str(request.session.session_key), agent, client_address(request))


def _hand(user: User, request: HttpRequest | None) -> Hand:
    address = client_address(request) if request else ""
    return Hand(actor_of(user, None, address), _now())


def _now() -> datetime:
    return timezone.now()  # noqa: TID251 (where a request enters)


def _record(
    action: Action,
    hand: Hand,
    subject: Subject,
    why: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    record(
        action,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=subject,
        outcome=why,
        facts=facts,
    )
