"""The browsers in which people are signed in: each session has a row, and ends with it.

A session ends by its own row being removed; ending all of a person's counts up their
`session_round` too, which ends those that nobody has written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext

from ceadmin.audit.canonical import clipped
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, record
from ceadmin.teams.models import Browser, User
from ceadmin.teams.users import Hand, subject_of

#: Why sessions end: somebody said so. Other reasons have events of their own.
ASKED = "asked"
#: How many rows of ended sessions one sweep removes.
_MOST_FORGOTTEN = 1000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser said of itself, and where it came from."""

    session_key: str
    agent: str
    address: str


def lock(user: User) -> None:
    """Lock a person, before any of their sessions and before the audit.

    Two sign-ins at once would each count the other's place as free, and two that end
    sessions would wait for each other.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def remember(user: User, seen: Seen, hand: Hand) -> None:
    """Write down that somebody signed in; the oldest sessions above the limit end."""
    facts = {
        "user": user,
        "agent": clipped(seen.agent, 200),
        "address": clipped(seen.address, 64),
        "signed_in_at": hand.now,
        "used_at": hand.now,
    }
    with transaction.atomic():
        lock(user)
        Browser.objects.update_or_create(session_key=seen.session_key, defaults=facts)
        others = user.browsers.exclude(session_key=seen.session_key)
        newest = others.order_by("-signed_in_at", "-pk").values_list("pk", flat=True)
        surplus = list(newest[settings.SESSIONS_MOST - 1 :])
        if ended := _end(user.browsers.filter(pk__in=surplus)):
            _record(user, hand, ended, "session_limit")


def live(user: User, now: datetime) -> list[Browser]:
    """Return the browsers in which somebody is signed in, the last used first."""
    sessions = Session.objects.filter(expire_date__gt=now).values("session_key")
    rows = user.browsers.filter(session_key__in=sessions)
    return list(rows.order_by("-used_at", "-pk"))


def used(session_key: str, now: datetime) -> None:
    """Note that a session was used."""
    Browser.objects.filter(session_key=session_key).update(used_at=now)


def moved(before: str | None, after: str | None) -> None:
    """Let a row follow its session to another key."""
    if before and after:
        Browser.objects.filter(session_key=before).update(session_key=after)


def forget(session_key: str | None) -> None:
    """Remove the row of a session that ends by itself."""
    Browser.objects.filter(session_key=session_key or "").delete()


def end_one(user: User, pk: int, hand: Hand) -> bool:
    """End one session of a person; say whether there was such a one."""
    with transaction.atomic():
        lock(user)
        ended = _end(user.browsers.filter(pk=pk))
        if ended:
            _record(user, hand, ended, ASKED)
    return bool(ended)


def end_all(user: User, hand: Hand, *, why: str, but: str | None = None) -> int:
    """End all sessions of a person but one; return how many were written down.

    The one that stays has to be bound to the person anew, by whoever has its request.
    """
    with transaction.atomic():
        rows = User.objects.filter(pk=user.pk)
        rows.update(session_round=F("session_round") + 1)
        user.refresh_from_db(fields=["session_round"])
        ended = _end(user.browsers.exclude(session_key=but or ""))
        if ended or why == ASKED:
            _record(user, hand, ended, why)
    return ended


def forget_ended(now: datetime) -> None:
    """Remove the rows of sessions that are over, however they ended."""
    sessions = Session.objects.filter(expire_date__gt=now).values("session_key")
    gone = Browser.objects.exclude(session_key__in=sessions).order_by("pk")
    pks = list(gone.values_list("pk", flat=True)[:_MOST_FORGOTTEN])
    Browser.objects.filter(pk__in=pks).delete()


def _end(rows: QuerySet[Browser]) -> int:
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    ended, _ = Browser.objects.filter(session_key__in=keys).delete()
    return ended


def _record(user: User, hand: Hand, count: int, why: str) -> None:
    facts: dict[str, Any] = {"count": count}
    record(
        Action.SESSIONS_ENDED,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=subject_of(user),
        outcome=why,
        facts=facts,
    )


#: What an agent's name holds → what people call it; the first that fits is it.
_PROGRAMS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def described(agent: str) -> str:
    """Name a browser as people do; what it said of itself where that says nothing."""
    program = next((word for part, word in _PROGRAMS.items() if part in agent), "")
    system = next((word for part, word in _SYSTEMS.items() if part in agent), "")
    if program and system:
        words = {"program": program, "system": system}
        return gettext("%(program)s on %(system)s") % words
    return program or clipped(agent, 60) or gettext("A browser without a name")
