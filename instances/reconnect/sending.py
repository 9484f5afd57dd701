"""What a sender does with an open link: let it live longer or shorter, send it by mail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ceadmin.audit.choices import Action
from ceadmin.audit.models import PRESENT, Event
from ceadmin.audit.record import record_many
from ceadmin.teams.brands import brand_of
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of, require
from instances.choices import Outcome
from instances.models import ReconnectLink
from instances.reconnect.errors import LinkError
from instances.reconnect.links import address_of, entry, provider_key_of, word_of
from providers.book import book_of

logger = logging.getLogger(__name__)

#: Hours that a sender may choose; an organization's own choice comes before.
LIVES = (4, 24, 72, 7 * 24, 14 * 24, 30 * 24)

#: So many mails within an hour carry one link, and links of one organization.
MOST_OF_A_LINK, MOST_OF_ALL = 10, 200
_HOUR = timedelta(hours=1)
#: The same mail within this is a double click.
_AGAIN = timedelta(minutes=1)

_NOT_OPEN = _("The link is used up or closed. Reload the page.")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who does it, when, and from which network address."""

    user: User
    now: datetime
    address: str = ""


def live_for(link: ReconnectLink, hours: int, by: Sender) -> None:
    """Let an open link work for so many hours from now; raise LinkError and NotAllowed."""
    organization = link.instance.organization
    require(by.user, Act.OPERATE, organization)
    if hours not in LIVES:
        raise LinkError("bad_life", gettext("Choose how long from the list."))
    until = by.now + timedelta(hours=hours)
    with transaction.atomic():
        usable = ReconnectLink.objects.usable(by.now).filter(pk=link.pk)
        if usable.update(expires_at=until) != 1:
            raise LinkError("not_open", str(_NOT_OPEN))
        _note(Action.LINK_CHANGED, link, by, expires_at=until.isoformat())
    link.expires_at = until


@sensitive_variables()
def send(link: ReconnectLink, to: str, language: str, by: Sender) -> None:
    """Send an open link's address by mail, in `language`; raise LinkError and NotAllowed.

    The audit keeps that it was sent, and to which domain: whose address it was stays with
    the link until that is used up or closed.
    """
    require(by.user, Act.OPERATE, link.instance.organization)
    address = address_of(link)
    if not settings.MAIL_WORKS:
        raise LinkError(
            "no_mail", gettext("No mail server is set up. Copy the address.")
        )
    if not address or word_of(link, by.now) != "usable":
        raise LinkError("not_open", str(_NOT_OPEN))
    _claim(link, to, by)
    # Outside: a slow mail server must not hold the database's writers up.
    try:
        _deliver(link, to, address, language)
    except LinkError as failed:
        _take_back(link, to, by, failed.code)
        raise


def _claim(link: ReconnectLink, to: str, by: Sender) -> None:
    """Write down to whom a mail goes before it does: of a double click one sends."""
    usable = ReconnectLink.objects.usable(by.now).filter(pk=link.pk)
    just_now = Q(sent_to__iexact=to, sent_at__gt=by.now - _AGAIN)
    with transaction.atomic():
        if usable.exclude(just_now).update(sent_to=to, sent_at=by.now) != 1:
            if usable.exists():
                raise LinkError("just_sent", str(_TWICE))
            raise LinkError("not_open", str(_NOT_OPEN))
        _note(Action.LINK_SENT, link, by, domain=to.rpartition("@")[2].lower())
        _require_few(link, by.now)


def _require_few(link: ReconnectLink, now: datetime) -> None:
    """Raise LinkError where the mail just noted is one too many: this is no way to mail people at large.

    The audit is counted, whose head the caller holds: two at once are two.
    """
    sent = Event.objects.filter(action=Action.LINK_SENT, outcome="").order_by("-pk")
    of_all = sent.filter(chain=link.instance.organization.chain)
    of_link = sent.filter(PRESENT["subject_uid"], subject_uid=str(link.uid))
    if _had(of_link, MOST_OF_A_LINK, now):
        raise LinkError("too_many", _OFTEN % {"count": MOST_OF_A_LINK})
    if _had(of_all, MOST_OF_ALL, now):
        raise LinkError("too_many", _MANY % {"count": MOST_OF_ALL})


def _had(sent: QuerySet[Event], most: int, now: datetime) -> bool:
    """Tell whether more than `most` of these mails are of the last hour."""
    one_more = sent.values_list("at", flat=True)[most : most + 1]
    return any(at > now - _HOUR for at in one_more)


_TWICE = _(
    "The link was sent to this address a moment ago. Wait a minute before you send it "
    "again."
)
_OFTEN = _(
    "The link was sent %(count)s times within an hour. Wait, or copy the address."
)
_MANY = _(
    "Your organization sent %(count)s mails within an hour, more are not sent. Wait, or copy "
    "the address."
)


def _take_back(link: ReconnectLink, to: str, by: Sender, outcome: str) -> None:
    """Let the link look as before a mail that nobody took, and the audit tell of both."""
    mine = ReconnectLink.objects.filter(pk=link.pk, sent_to=to, sent_at=by.now)
    with transaction.atomic():
        mine.update(sent_to=link.sent_to, sent_at=link.sent_at)
        domain = to.rpartition("@")[2].lower()
        _note(Action.LINK_SENT, link, by, outcome=outcome, domain=domain)


@sensitive_variables()
def _deliver(link: ReconnectLink, to: str, address: str, language: str) -> None:
    """Hand the mail to the server; raise LinkError where it did not say that it took it."""
    mail = _written(link, to, address, language)
    try:
        mail.send()
    except (SMTPException, OSError, ValueError) as error:  # ValueError: a bad header
        # The server's words may quote the mail, and with it the address.
        name = type(error).__name__
        logger.warning("a mail could not be sent: %s", name)
        lost = isinstance(error, _LOST)
        code = Outcome.UNCLEAR if lost else Outcome.REFUSED
        words = _UNCLEAR if lost else _REFUSED
        raise LinkError(code.value, words % {"name": name}) from None


#: The answer was lost: nobody knows whether the mail is on its way.
_LOST = (TimeoutError, SMTPServerDisconnected)
_UNCLEAR = _(
    "The mail server did not answer (%(name)s), so it is unclear whether the mail was sent. "
    "Ask the person, or send it again."
)
_REFUSED = _(
    "The mail server did not take the mail (%(name)s). Nothing was sent: have the mail "
    "settings looked at, or copy the address."
)


@sensitive_variables()
def _written(link: ReconnectLink, to: str, address: str, language: str) -> EmailMessage:
    brand = brand_of(link.instance.organization)
    record = book_of(link.instance.organization).find(provider_key_of(link.instance))
    words = {
        "who": (brand and brand.name) or link.instance.organization.name,
        "service": record.name if record else link.instance.element_key,
        "name": link.instance.name,
        "address": address,
        "until": link.expires_at,
    }
    with translation.override(language):
        subject = render_to_string("instances/mail/reconnect_subject.txt", words)
        body = render_to_string("instances/mail/reconnect.txt", words)
    reply = [brand.reply_to] if brand and brand.reply_to else []
    return EmailMessage(" ".join(subject.split()), body, None, [to], reply_to=reply)


def _note(
    action: Action,
    link: ReconnectLink,
    by: Sender,
    *,
    outcome: str = "",
    **facts: str,
) -> None:
    organization = link.instance.organization
    actor = actor_of(by.user, organization, by.address)
    own = entry(action, link, actor, outcome=outcome, facts=facts)
    record_many(organization.chain, [own], at=by.now)
