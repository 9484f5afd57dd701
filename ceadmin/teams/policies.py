"""Changing a policy: tightening holds at once, loosening needs a second person.

Whoever asked for a looser policy can never be the one who approves it. A change is bound
to the policy it was asked of: when that changes meanwhile, it is void.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib.moments import from_now
from ceadmin.teams.answered import answered
from ceadmin.teams.choices import Act, Answer
from ceadmin.teams.factors import is_set
from ceadmin.teams.models import Organization, Policy, PolicyChange, User
from ceadmin.teams.permissions import NotAllowed, actor_of, may, require
from ceadmin.teams.reasons import said
from ceadmin.teams.terms import (
    MOST_TAGS,
    Terms,
    differences,
    digest_of,
    is_looser,
    terms_from,
    terms_of,
    tightened,
)

#: So much of a hash tells changes apart when somebody types it.
SHORTEST_DIGEST = 8
#: Clocks of two machines differ by so much.
_SKEW = timedelta(minutes=1)


class PolicyError(Exception):
    """A refusal with a machine word and a sentence that says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Asker:
    """Who does something with a policy, from which network address, and when."""

    user: User
    now: datetime
    address: str = ""

    def actor(self, organization: Organization) -> Actor:
        """Return them as the actor of an event."""
        return actor_of(self.user, organization, self.address)


def change(
    organization: Organization, wanted: Terms, *, why: str, by: Asker
) -> PolicyChange | None:
    """Tighten at once what is tightened; return the change that waits for the rest, if any.

    Raises `NotAllowed` and `PolicyError`.
    """
    _require(Act.OWN, organization, by)
    why = said(why)
    with transaction.atomic():
        before = _locked(organization)
        if wanted == before:
            raise PolicyError("unchanged", gettext("The policy says so already."))
        _check_factor(before, wanted, by.user)
        looser = is_looser(before, wanted)
        if looser:
            _check_question(organization, why)
        at_once = tightened(before, wanted)
        _check_tags(at_once, wanted)
        if at_once != before:
            _set(organization, before, at_once, why, by)
        return _ask(organization, at_once, wanted, why, by) if looser else None


def _check_factor(before: Terms, wanted: Terms, user: User) -> None:
    """Keep an owner from closing the organization to themselves."""
    if wanted.second_factor and not before.second_factor and not is_set(user):
        raise PolicyError(
            "factor_missing",
            gettext(
                "You have no second factor yourself, so this would close the organization "
                "to you. Set one up under Your account first."
            ),
        )


def _check_tags(*policies: Terms) -> None:
    """Refuse what could not be kept whole."""
    for one in policies:
        if max(len(one.production_tags), len(one.test_tags)) > MOST_TAGS:
            text = gettext(
                "A policy names at most %(most)d tags for each meaning, with those that "
                "it names already. Name fewer, or take others away first."
            )
            raise PolicyError("too_many_tags", text % {"most": MOST_TAGS})


def _check_question(organization: Organization, why: str) -> None:
    if not why:
        raise PolicyError(
            "reason_missing", gettext("Say why the policy is to be looser, in words.")
        )
    if waiting(organization):
        raise PolicyError(
            "waits_already",
            gettext("A looser policy waits for approval already. Withdraw it first."),
        )


def waiting(organization: Organization) -> PolicyChange | None:
    """Return the change that waits for an approver, if there is one."""
    asked = PolicyChange.objects.filter(
        organization=organization, status=Answer.WAITING, expires_at__gt=Now()
    )
    return asked.select_related("organization", "asked_by").first()


def approve(change: PolicyChange, *, digest: str, by: Asker) -> None:
    """Let a looser policy hold. Raises `NotAllowed` and `PolicyError`."""
    organization = change.organization
    _require(Act.APPROVE, organization, by)
    with _denials_recorded(organization, by), transaction.atomic():
        before = _locked(organization)
        if problem := _why_not(change, before, digest, by.user):
            raise problem
        _decide(change, Answer.APPROVED, by)
        _store(organization, terms_from(change.after))
        _record(Action.POLICY_CHANGED, change, by)


def _why_not(
    change: PolicyChange, before: Terms, digest: str, user: User
) -> PolicyError | None:
    if change.asked_by_id == user.pk:
        return PolicyError(
            "own_request",
            gettext("You asked for this yourself, so somebody else has to approve it."),
        )
    if len(digest) < SHORTEST_DIGEST or not change.digest.startswith(digest):
        return PolicyError(
            "another_change",
            gettext(
                "What you approve is not what is asked for. "
                "Reload the page and read it again."
            ),
        )
    if terms_from(change.before) != before or not _is_whole(change):
        return PolicyError(
            "void",
            gettext(
                "The policy changed after this was asked, so it is void. Ask again."
            ),
        )
    if change.asked_by is None or not may(
        change.asked_by, Act.OWN, change.organization
    ):
        text = gettext("%(name)s asked for this and may no longer do so. Refuse it.")
        return PolicyError("asker_lost_role", text % {"name": change.asked_by_name})
    return None


def _is_whole(change: PolicyChange) -> bool:
    """Say whether a row still means what its hash was made of."""
    return change.digest == digest_of(
        terms_from(change.before), terms_from(change.after)
    )


def refuse(change: PolicyChange, *, why: str, by: Asker) -> None:
    """Say no to a looser policy. Raises `NotAllowed` and `PolicyError`."""
    _require(Act.APPROVE, change.organization, by)
    words = said(why)
    if not words:
        raise PolicyError("reason_missing", gettext("Say why you refuse it, in words."))
    with _denials_recorded(change.organization, by), transaction.atomic():
        if change.asked_by_id == by.user.pk:
            raise PolicyError(
                "own_request", gettext("You asked for this yourself: withdraw it.")
            )
        _decide(change, Answer.REFUSED, by, words=words)
        _record(Action.POLICY_REFUSED, change, by, words)


def withdraw(change: PolicyChange, *, by: Asker) -> None:
    """Take a question back. Raises `NotAllowed` and `PolicyError`."""
    _require(Act.OWN, change.organization, by)
    with transaction.atomic():
        _decide(change, Answer.WITHDRAWN, by)
        _record(Action.POLICY_WITHDRAWN, change, by)


def _decide(
    change: PolicyChange, answer: Answer, by: Asker, *, words: str = ""
) -> None:
    """Answer a question that still waits; of two answers at once the first counts."""
    asked = _open().filter(pk=change.pk, digest=change.digest, expires_at__gt=Now())
    if answer == Answer.APPROVED:
        # One that has longer to live than it was given is from a clock set back since.
        given = timedelta(hours=terms_from(change.before).approval_hours)
        asked = asked.filter(expires_at__lte=from_now(given + _SKEW))
        asked = asked.exclude(asked_by=by.user)
    said_now = {
        "status": answer,
        "decided_by": by.user,
        "decided_by_name": str(by.user)[:255],
        "decided_at": by.now,
        "words": words,
    }
    won = asked.update(**said_now)
    change.refresh_from_db()
    if won != 1:
        raise PolicyError("answered", answered(change))


def expire_overdue(now: datetime) -> None:
    """End the questions that nobody answered in time; safe to repeat."""
    _expire(_open(), now)


def _expire(asked: QuerySet[PolicyChange], now: datetime) -> None:
    overdue = asked.filter(expires_at__lte=Now())
    for one in overdue.select_related("organization", "asked_by"):
        with transaction.atomic():
            own = overdue.filter(pk=one.pk)
            if own.update(status=Answer.EXPIRED, decided_at=now) == 1:
                _write(Action.POLICY_EXPIRED, one, SCHEDULE, now)


def _open() -> QuerySet[PolicyChange]:
    return PolicyChange.objects.filter(status=Answer.WAITING)


# Storing


def _locked(organization: Organization) -> Terms:
    """Return what holds, locked until the transaction ends: changes go one by one."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    return terms_of(organization)


def _set(
    organization: Organization, before: Terms, after: Terms, why: str, by: Asker
) -> None:
    _store(organization, after)
    # Whatever waits was asked of another policy.
    _void_waiting(organization, by)
    record(
        Action.POLICY_CHANGED,
        chain=organization.chain,
        actor=by.actor(organization),
        at=by.now,
        subject=_subject(organization),
        reason=why,
        facts={"before": before.as_json(), "after": after.as_json()},
    )


def _store(organization: Organization, terms: Terms) -> None:
    Policy.objects.update_or_create(organization=organization, defaults=terms.as_json())


def _void_waiting(organization: Organization, by: Asker) -> None:
    asked = _open().filter(organization=organization).first()
    if asked is None:
        return
    ended: dict[str, Any] = {"status": Answer.VOID, "decided_at": by.now}
    if _open().filter(pk=asked.pk).update(**ended) == 1:
        _record(Action.POLICY_VOID, asked, by)


def _ask(
    organization: Organization, before: Terms, after: Terms, why: str, by: Asker
) -> PolicyChange:
    # One that is over blocks the place of the next until the sweep has seen it.
    _expire(_open().filter(organization=organization), by.now)
    asked = PolicyChange.objects.create(
        organization=organization,
        before=before.as_json(),
        after=after.as_json(),
        digest=digest_of(before, after),
        why=why,
        asked_by=by.user,
        asked_by_name=str(by.user)[:255],
        asked_at=by.now,
        expires_at=from_now(timedelta(hours=before.approval_hours)),
    )
    asked.refresh_from_db()  # its end was an expression
    _record(Action.POLICY_ASKED, asked, by)
    return asked


# The audit


def _require(act: Act, organization: Organization, by: Asker) -> None:
    try:
        require(by.user, act, organization)
    except NotAllowed as refusal:
        _record_denial(organization, "not_allowed", by)
        refusal.recorded = True
        raise


@contextmanager
def _denials_recorded(organization: Organization, by: Asker) -> Iterator[None]:
    """Let the audit keep that somebody was refused, whatever else is taken back."""
    try:
        yield
    except PolicyError as refusal:
        _record_denial(organization, refusal.code, by)
        raise


def _record_denial(organization: Organization, code: str, by: Asker) -> None:
    with transaction.atomic():
        record(
            Action.POLICY_DENIED,
            chain=organization.chain,
            actor=by.actor(organization),
            at=by.now,
            subject=_subject(organization),
            outcome=code,
        )


def _record(action: Action, change: PolicyChange, by: Asker, words: str = "") -> None:
    actor = by.actor(change.organization)
    _write(action, change, actor, by.now, words or change.why)


def _write(
    action: Action, change: PolicyChange, actor: Actor, now: datetime, why: str = ""
) -> None:
    with translation.override("en"):  # whoever acts: the audit speaks one language
        says = list(differences(terms_from(change.before), terms_from(change.after)))
    record(
        action,
        chain=change.organization.chain,
        actor=actor,
        at=now,
        subject=_subject(change.organization),
        reason=why or change.why,
        facts={
            "change": str(change.uid),
            "digest": change.digest,
            "says": says,
            "asked_by": str(change.asked_by.uid) if change.asked_by else "",
            "before": change.before,
            "after": change.after,
        },
    )


def _subject(organization: Organization) -> Subject:
    return Subject("policy", organization.uid, str(organization))


def questions_for(user: User) -> QuerySet[PolicyChange]:
    """Return the waiting changes that somebody else asked for."""
    asked = _open().filter(~Q(asked_by=user), expires_at__gt=Now())
    return asked.select_related("organization")
