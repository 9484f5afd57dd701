"""Invitations: a place in an organization, offered by an address that works once.

The address is shown to the owner who made it and to nobody afterwards: only its hash is
kept. Whoever made it vouches for it, so it is void once they own the organization no more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from ceadmin.audit.actors import visitor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib import redact
from ceadmin.lib.moments import from_now
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams.choices import Act, InvitationStatus, Role
from ceadmin.teams.members import AlreadyMember, is_member, join, lock
from ceadmin.teams.models import Invitation, Membership, Organization, User
from ceadmin.teams.permissions import actor_of, may, organizations
from ceadmin.teams.users import Hand, add_user

#: An invitation can be accepted for so long; a renewed one begins anew.
LIFE = timedelta(days=7)

#: What an invitation that is no longer open is called.
_WORDS = {
    InvitationStatus.ACCEPTED: "used",
    InvitationStatus.WITHDRAWN: "withdrawn",
}


class InvitationError(Exception):
    """A refusal with a machine word and a sentence that says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


# What owners do


def invite(
    organization: Organization,
    *,
    email: str,
    roles: Collection[Role],
    user: User,
    hand: Hand,
) -> tuple[Invitation, str]:
    """Return a new invitation and its address, which is kept nowhere.

    Whether the mail address is known here is not asked. Raises `InvitationError`.
    """
    email = email.strip().lower()
    with transaction.atomic():
        lock(organization)
        if problem := why_not(organization, email):
            raise problem
        token = _new_token()
        invitation = Invitation.objects.create(
            organization=organization,
            email=email,
            roles=sorted(frozenset(roles) | {Role.VIEWER}),
            made_at=hand.now,
            **_offer(token, user),
        )
        invitation.refresh_from_db()  # its end was an expression
        _record(Action.MEMBER_INVITED, invitation, hand, **_offered(invitation))
    return invitation, address_of(token)


def why_not(organization: Organization, email: str) -> InvitationError | None:
    """Return why nobody can be invited by a mail address, None where they can."""
    members = organization.memberships.filter(user__email=email.strip().lower())
    if members.exists():
        return InvitationError("member", is_member(email, organization))
    if _open(organization.invitations).filter(email=email.strip().lower()).exists():
        text = gettext(
            "%(email)s is invited to %(organization)s already. Open that invitation and "
            "renew it for a new link."
        )
        words = {"email": email, "organization": organization}
        return InvitationError("invited", text % words)
    return None


def renew(invitation: Invitation, *, user: User, hand: Hand) -> str:
    """Return a new address in the place of the old one; who renews it vouches for it.

    Raises `InvitationError`.
    """
    token = _new_token()
    with transaction.atomic():
        lock(invitation.organization)
        mine = _open(Invitation.objects.filter(pk=invitation.pk))
        if mine.update(**_offer(token, user)) != 1:
            raise _not_open()
        invitation.refresh_from_db()
        _record(Action.INVITATION_RENEWED, invitation, hand, **_offered(invitation))
    return address_of(token)


def withdraw(invitation: Invitation, hand: Hand) -> None:
    """Let an invitation be accepted no more. Raises `InvitationError`."""
    with transaction.atomic():
        lock(invitation.organization)
        mine = _open(Invitation.objects.filter(pk=invitation.pk))
        ended = {"status": InvitationStatus.WITHDRAWN, "ended_at": hand.now}
        if mine.update(**ended) != 1:
            raise _not_open()
        invitation.refresh_from_db()
        _record(Action.INVITATION_WITHDRAWN, invitation, hand)


def _not_open() -> InvitationError:
    return InvitationError(
        "not_open", gettext("It is accepted or withdrawn already. Reload the page.")
    )


def _open(invitations: Any) -> QuerySet[Invitation]:
    rows: QuerySet[Invitation] = invitations.filter(status=InvitationStatus.OPEN)
    return rows


def _offer(token: str, user: User) -> dict[str, Any]:
    return {
        "token_hash": hashed(token),
        "made_by": user,
        "made_by_name": str(user)[:255],
        "expires_at": from_now(LIFE),
    }


# The address


def _new_token() -> str:
    token = secrets.token_urlsafe(32)
    redact.learn(token)
    return token


def hashed(token: str) -> str:
    """Return what is stored of an address with 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def address_of(token: str) -> str:
    """Return the address that is sent to the invited person."""
    return settings.PUBLIC_URL + reverse("teams:invitation", args=[token])


def find(token_hash: str) -> Invitation | None:
    """Find an invitation by the hash of its address; consumes nothing."""
    rows = Invitation.objects.select_related("organization", "made_by")
    return rows.filter(token_hash=token_hash).first()


def word_of(invitation: Invitation, now: datetime) -> str:
    """Return "usable", or why an invitation is not: used, withdrawn, expired, void."""
    return _word(invitation, now, _is_vouched_for(invitation))


def words_of(rows: Iterable[Invitation], now: datetime) -> dict[int, str]:
    """Return the words of many invitations by their ids, asking once for each maker."""
    rows = list(rows)
    makers = {one.made_by for one in rows if one.made_by is not None}
    owned = {
        maker.pk: set(organizations(maker, Act.OWN).values_list("pk", flat=True))
        for maker in makers
    }
    return {
        one.pk: _word(
            one, now, one.organization_id in owned.get(one.made_by_id or 0, ())
        )
        for one in rows
    }


def _word(invitation: Invitation, now: datetime, vouched: bool) -> str:
    if invitation.status != InvitationStatus.OPEN:
        return _WORDS[InvitationStatus(invitation.status)]
    if invitation.expires_at <= now:
        return "expired"
    return "usable" if vouched else "void"


def _is_vouched_for(invitation: Invitation) -> bool:
    maker = invitation.made_by
    return maker is not None and may(maker, Act.OWN, invitation.organization)


# What the invited person does


def accept(
    invitation: Invitation, *, user: User, now: datetime, address: str = ""
) -> Membership:
    """Take the place as somebody with an account. Raises `InvitationError`."""
    try:
        with transaction.atomic():
            _use_up(invitation, now)
            if user.email != invitation.email:
                raise _another_person(invitation)
            return _join(invitation, user, now, address)
    except InvitationError as refusal:
        _refused(invitation, refusal.code, now, address)
        raise


@sensitive_variables("password")
def accept_as_new(
    invitation: Invitation,
    *,
    name: str,
    password: str,
    language: str = "",
    now: datetime,
    address: str = "",
) -> Membership:
    """Take the place as somebody new, who chose a password. Raises `InvitationError`.

    `language` is the one in which they were asked, and are spoken to from now on.
    """
    try:
        with transaction.atomic():
            _use_up(invitation, now)
            said = {"name": name, "language": language}
            user = _newcomer(invitation, said, password, now, address)
            return _join(invitation, user, now, address)
    except InvitationError as refusal:
        _refused(invitation, refusal.code, now, address)
        raise


def _use_up(invitation: Invitation, now: datetime) -> None:
    """Use the address up; of two at once the first wins. The organization stays locked.

    What follows may raise, which takes it back.
    """
    lock(invitation.organization)
    fresh = find(invitation.token_hash)  # by now it may have got another address
    mine = _open(Invitation.objects.filter(token_hash=invitation.token_hash))
    ended = {"status": InvitationStatus.ACCEPTED, "ended_at": now}
    vouched = fresh is not None and _is_vouched_for(fresh)
    if not vouched or mine.filter(expires_at__gt=Now()).update(**ended) != 1:
        raise InvitationError(
            "closed",
            gettext("This invitation cannot be accepted any more. Ask for a new one."),
        )


def _another_person(invitation: Invitation) -> InvitationError:
    text = gettext("This invitation is for %(email)s. Sign in with that mail address.")
    return InvitationError("another_person", text % {"email": invitation.email})


@sensitive_variables("password")
def _newcomer(
    invitation: Invitation,
    said: Mapping[str, str],
    password: str,
    now: datetime,
    address: str,
) -> User:
    """Return the account of somebody new, made here unless it waits unused."""
    user = User.objects.select_for_update().filter(email=invitation.email).first()
    if user is None:
        user = User(email=invitation.email)
    elif not _is_unused(user):
        raise _has_account()
    user.name = said["name"]
    if said["language"] in dict(settings.LANGUAGES):
        user.language = said["language"]
    user.set_password(password)
    try:
        with transaction.atomic():
            return add_user(user, Hand(actor_of(user, None, address), now))
    except IntegrityError as error:  # another invitation was faster
        raise _has_account() from error


def _has_account() -> InvitationError:
    return InvitationError(
        "has_account",
        gettext(
            "There is an account with this mail address already. Sign in with it to accept."
        ),
    )


def _is_unused(user: User) -> bool:
    """Say whether nobody ever used an account, and nothing can be taken over with it."""
    touched = user.has_usable_password() or user.last_login or user.is_superuser
    return user.is_active and not touched and not user.memberships.exists()


def _join(
    invitation: Invitation, user: User, now: datetime, address: str
) -> Membership:
    organization = invitation.organization
    roles = [Role(word) for word in invitation.roles]
    hand = Hand(actor_of(user, organization, address), now)
    try:
        membership = join(organization, user, roles, hand)
    except AlreadyMember as known:
        raise InvitationError("member", str(known)) from known
    _record(Action.INVITATION_ACCEPTED, invitation, hand, person=user.uid)
    return membership


# The audit


def _refused(invitation: Invitation, code: str, now: datetime, address: str) -> None:
    """Record who came in vain as a visitor: they may belong elsewhere."""
    with transaction.atomic():
        hand = Hand(visitor(address), now)
        _record(Action.INVITATION_REFUSED, invitation, hand, code)


def _offered(invitation: Invitation) -> dict[str, Any]:
    """Return what the audit keeps of an offer: the mail address only as a trace."""
    return {
        "roles": list(invitation.roles),
        "expires_at": invitation.expires_at.isoformat(),
        "address_fingerprint": fingerprint(invitation.email),
    }


def _record(
    action: Action, invitation: Invitation, hand: Hand, outcome: str = "", **facts: Any
) -> None:
    record(
        action,
        chain=invitation.organization.chain,
        actor=hand.actor,
        at=hand.now,
        subject=Subject("invitation", invitation.uid),
        outcome=outcome,
        facts=facts,
    )
