"""What a sender does with an open link: let it live longer or shorter, send it by mail."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPServerDisconnected

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.debug import sensitive_variables

from ceadmin.audit.choices import Action
from ceadmin.audit.record import record_many
from ceadmin.teams.brands import brand_of
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of, require
from instances.models import ReconnectLink
from instances.reconnect.errors import LinkError
from instances.reconnect.links import address_of, entry, provider_key_of
from providers import catalogue

logger = logging.getLogger(__name__)

#: Hours that a sender may choose; an organization's own choice comes before.
LIVES = (4, 24, 72, 7 * 24, 14 * 24, 30 * 24)

_NOT_OPEN = "The link is used up or closed. Reload the page."


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
        raise LinkError("bad_life", "Choose how long from the list.")
    until = by.now + timedelta(hours=hours)
    with transaction.atomic():
        usable = ReconnectLink.objects.usable(by.now).filter(pk=link.pk)
        if usable.update(expires_at=until) != 1:
            raise LinkError("not_open", _NOT_OPEN)
        _note(Action.LINK_CHANGED, link, by, expires_at=until.isoformat())
    link.expires_at = until


@sensitive_variables()
def send(link: ReconnectLink, to: str, language: str, by: Sender) -> None:
    """Send an open link's address by mail, in `language`; raise LinkError and NotAllowed.

    The audit keeps that it was sent, and to which domain: whose address it was stays with
    the link, which is removed in its time.
    """
    require(by.user, Act.OPERATE, link.instance.organization)
    address = address_of(link)
    if not settings.MAIL_WORKS:
        raise LinkError("no_mail", "No mail server is set up. Copy the address.")
    if not address or link.expires_at <= by.now:
        raise LinkError("not_open", _NOT_OPEN)
    with transaction.atomic():
        if not ReconnectLink.objects.usable(by.now).filter(pk=link.pk).exists():
            raise LinkError("not_open", _NOT_OPEN)
        _note(Action.LINK_SENT, link, by, domain=to.rpartition("@")[2].lower())
    # Outside: a slow mail server must not hold the database's writers up.
    _deliver(link, to, address, language)
    ReconnectLink.objects.filter(pk=link.pk).update(sent_to=to, sent_at=by.now)


@sensitive_variables()
def _deliver(link: ReconnectLink, to: str, address: str, language: str) -> None:
    """Hand the mail to the server; raise LinkError where it did not say that it took it."""
    mail = _written(link, to, address, language)
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        # The server's words may quote the mail, and with it the address.
        name = type(error).__name__
        logger.warning("a mail could not be sent: %s", name)
        words = _UNCLEAR if isinstance(error, _LOST) else _REFUSED
        raise LinkError("mail_failed", words.format(name)) from None


#: The answer was lost: nobody knows whether the mail is on its way.
_LOST = (TimeoutError, SMTPServerDisconnected)
_UNCLEAR = (
    "The mail server did not answer ({}), so it is unclear whether the mail was sent. "
    "Ask the person, or send it again."
)
_REFUSED = (
    "The mail server did not take the mail ({}). Nothing was sent: have the mail "
    "settings looked at, or copy the address."
)


@sensitive_variables()
def _written(link: ReconnectLink, to: str, address: str, language: str) -> EmailMessage:
    brand = brand_of(link.instance.organization)
    record = catalogue.find(provider_key_of(link.instance))
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


def _note(action: Action, link: ReconnectLink, by: Sender, **facts: str) -> None:
    organization = link.instance.organization
    actor = actor_of(by.user, organization, by.address)
    own = entry(action, link, actor, facts=facts)
    record_many(organization.chain, [own], at=by.now)
