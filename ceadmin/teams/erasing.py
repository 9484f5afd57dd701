"""Forget who a person was. What they did stays, under the pseudonym that events have.

Erased are: name, mail and network addresses behind the pseudonym; the account, of which
an empty one that cannot sign in is left, so that what still goes on in its name keeps its
pseudonym; and the copies of the name beside runs, links and approvals.
"""

import uuid
from collections.abc import Iterator

from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_noop

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Person
from ceadmin.audit.people import erase
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.teams.members import LastOwner, is_last_owner, remove_member
from ceadmin.teams.models import Invitation, User
from ceadmin.teams.users import Hand

#: What stands where a name was copied to.
ERASED = gettext_noop("Erased person")
#: Copies of names beside which no account is noted: a namesake's go with them.
_LOOSE = (
    ("teams.Organization", "secrets_set_by_name"),
    ("providers.ProviderApp", "secret_set_by_name"),
    ("instances.Part", "decided_by"),
)
#: Copies of mail addresses.
_MAILS = (("instances.ReconnectLink", "sent_to"),)


class LastSuperuser(PermissionDenied):
    """Nobody would be left who may do everything."""

    def __init__(self) -> None:
        super().__init__(
            gettext("This is the last superuser: make somebody else one before.")
        )


class Unknown(Exception):
    """The audit knows nobody by this pseudonym, or they are erased already."""


def erase_user(user: User, hand: Hand) -> None:
    """Forget a person with an account. Raises `LastOwner` and `LastSuperuser`."""
    _needed(user)
    for membership in user.memberships.select_related("organization", "user"):
        remove_member(membership, hand)
    with transaction.atomic():
        copies = _forget_copies(user)
        _empty(user)
        _erase(user.uid, hand, copies)


def erase_pseudonym(uid: uuid.UUID, hand: Hand) -> None:
    """Forget a person whose account is gone. Raises `Unknown`."""
    with transaction.atomic():
        if not Person.objects.filter(uid=uid, erased_at=None).exists():
            text = gettext("The audit knows nobody by the pseudonym %(uid)s.")
            raise Unknown(text % {"uid": uid})
        _erase(uid, hand, copies=0)


def _erase(uid: uuid.UUID, hand: Hand, copies: int) -> None:
    erase(uid, at=hand.now)
    record(
        Action.PERSON_ERASED,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=Subject("person", uid),
        facts={"copies": copies},
    )


def _needed(user: User) -> None:
    for membership in user.memberships.select_related("organization"):
        if is_last_owner(membership):
            raise LastOwner(membership.organization)
    others = User.objects.filter(is_superuser=True, is_active=True)
    if user.is_superuser and not others.exclude(pk=user.pk).exists():
        raise LastSuperuser


def _forget_copies(user: User) -> int:
    for label, name in _MAILS:
        rows = apps.get_model(label)._default_manager
        rows.filter(**{f"{name}__iexact": user.email}).update(**{name: ""})
    return sum(rows.update(**{name: ERASED}) for rows, name in _copies(user))


def _copies(user: User) -> Iterator[tuple[QuerySet[models.Model], str]]:
    """Yield the rows that hold a person's name, and the column that does."""
    for model in apps.get_models():
        names = {field.name for field in model._meta.concrete_fields}
        for field in model._meta.concrete_fields:
            copy = f"{field.name}_name"
            if field.related_model is User and copy in names:
                yield model._default_manager.filter(**{field.name: user}), copy
    for label, name in _LOOSE:
        rows = apps.get_model(label)._default_manager
        yield rows.filter(**{name: str(user)}), name


def _empty(user: User) -> None:
    """Leave of an account what cannot be signed in to and names nobody."""
    left = f"erased-{user.uid.hex[:16]}@erased.invalid"
    Invitation.objects.filter(email=user.email).delete()
    for relation in user._meta.related_objects:
        if relation.on_delete is models.CASCADE:
            relation.related_model._default_manager.filter(
                **{relation.field.name: user}
            ).delete()
    user.email, user.name = left, ERASED
    user.time_zone, user.language = "UTC", "en"
    user.is_active = user.is_staff = user.is_superuser = False
    user.session_round += 1
    user.set_unusable_password()
    user.save()
