"""Links: made, opened, cancelled, expired. Opening one consumes nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext, gettext_noop

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.people import last_address
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib import redact
from ceadmin.lib.sealed import SealError
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of, require
from instances.actions.calls import Result
from instances.actions.load import callback_name
from instances.actions.settle import Settlement, settle_many
from instances.choices import LINK_OPEN, ItemStatus, LinkStatus, Outcome
from instances.models import Instance, Item, ReconnectLink, Run
from instances.reconnect.errors import LinkError
from instances.reconnect.state import hashed, new_secret
from instances.reconnect.verdict import after_drill

logger = logging.getLogger(__name__)

#: So many overdue links are closed per sweep.
_BATCH = 500

#: What a person who opens a link is told, by the link's status.
_WORDS = {
    LinkStatus.CONSENTED: "in_progress",
    LinkStatus.FINISHED: "used",
    LinkStatus.WRONG_ACCOUNT: "wrong_account",
    LinkStatus.EXPIRED: "expired",
    LinkStatus.CANCELLED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A link as somebody found it: `word` is "usable" or says why it is not."""

    link: ReconnectLink
    word: str


# Made


def make_link(
    instance: Instance,
    *,
    item: Item,
    user: User | None,
    now: datetime,
    hours: int | None = None,
) -> ReconnectLink:
    """Return the link of an item that waits for a person; safe to repeat.

    Older links of the instance are superseded: one instance, one way in.
    """
    organization = instance.organization
    actor = _maker(item, user, organization)
    with transaction.atomic():
        Item.objects.select_for_update().get(pk=item.pk)
        made = ReconnectLink.objects.detailed().filter(item=item).order_by("-pk")
        existing = made.filter(status__in=sorted(LINK_OPEN)).first()
        if existing is not None:
            return existing
        entries = _supersede(instance, actor, now)
        life = timedelta(hours=hours or organization.link_lifetime_hours)
        link = _new(instance, item, user, now, life)
        facts = {"expires_at": link.expires_at.isoformat()}
        entries.append(entry(Action.LINK_MADE, link, actor, facts=facts))
        record_many(organization.chain, entries, at=now)
    return link


def _maker(item: Item, user: User | None, organization: Organization) -> Actor:
    """Return who makes a link, from where they set its run going."""
    if user is None:
        return SCHEDULE
    address = last_address(user.uid, str(item.run.uid))
    return actor_of(user, organization, address)


def _new(
    instance: Instance, item: Item, user: User | None, now: datetime, life: timedelta
) -> ReconnectLink:
    token = new_secret()
    redact.learn(token)
    link = ReconnectLink(
        token_hash=hashed(token),
        instance=instance,
        item=item,
        made_by=user,
        made_by_name=str(user) if user else "",
        expected_account=instance.account,
        made_at=now,
        expires_at=now + life,
    )
    link.token = token
    link.save()
    return link


def _supersede(instance: Instance, actor: Actor, now: datetime) -> list[Entry]:
    older = ReconnectLink.objects.detailed().filter(
        instance=instance, status__in=sorted(LINK_OPEN)
    )
    entries: list[Entry] = []
    for link in older.order_by("pk"):
        result = Result(
            Outcome.CANCELLED.value,
            cause="superseded",
            explanation=gettext_noop(
                "A newer reconnect link of the instance took its place."
            ),
        )
        entries += close_unused(link, LinkStatus.CANCELLED, result, actor, now)
    return entries


def address_of(link: ReconnectLink) -> str:
    """Return the address that is sent to a person.

    "" once the link is used up, and where the key that sealed it is not loaded.
    """
    if not link.token:
        return ""
    try:
        return f"{settings.PUBLIC_URL.rstrip('/')}/reconnect/{link.token.reveal()}/"
    except SealError:
        logger.warning("a reconnect link was sealed with a key that is not loaded")
        return ""


# Opened


def open_of(run: Run) -> tuple[int, int]:
    """Return how many links of a run can still be used, and how many of these somebody opened."""
    links = ReconnectLink.objects.filter(item__run=run, status__in=sorted(LINK_OPEN))
    seen = links.aggregate(count=Count("pk"), opened=Count("opened_at"))
    return seen["count"], seen["opened"]


def open_link(token: str, *, now: datetime) -> Opened | None:
    """Find a link by its token, None when there is none; consumes nothing, since mail scanners open links."""
    link = ReconnectLink.objects.detailed().filter(token_hash=hashed(token)).first()
    if link is None:
        return None
    return Opened(link, word_of(link, now))


def word_of(link: ReconnectLink, now: datetime) -> str:
    """Return "usable", or why the link is not."""
    if link.item is None:
        return "cancelled"
    if not link.is_open:
        return _WORDS[LinkStatus(link.status)]
    return "usable" if link.expires_at > now else "expired"


# Closed without use


def cancel(
    link: ReconnectLink, *, user: User, now: datetime, address: str = ""
) -> None:
    """Cancel a link that nobody used; raise LinkError when it is too late, and NotAllowed."""
    organization = link.instance.organization
    require(user, Act.OPERATE, organization)
    actor = actor_of(user, organization, address)
    result = Result(
        Outcome.CANCELLED.value,
        cause="link_cancelled",
        explanation=gettext_noop(
            "The reconnect link was cancelled before anybody used it."
        ),
    )
    with transaction.atomic():
        entries = close_unused(link, LinkStatus.CANCELLED, result, actor, now)
        if not entries:
            raise LinkError(
                "not_open", gettext("The link is used up or closed. Reload the page.")
            )
        record_many(organization.chain, entries, at=now)


def expire_overdue(*, now: datetime) -> None:
    """Close the links whose time is over."""
    overdue = ReconnectLink.objects.detailed().overdue(now).order_by("expires_at", "pk")
    for link in overdue[:_BATCH]:
        with transaction.atomic():
            entries = close_unused(link, LinkStatus.EXPIRED, _expired(), SCHEDULE, now)
            record_many(link.instance.organization.chain, entries, at=now)


def _expired() -> Result:
    return Result(Outcome.EXPIRED.value, cause="link_expired")


def close_unused(
    link: ReconnectLink, status: LinkStatus, result: Result, actor: Actor, now: datetime
) -> list[Entry]:
    """Close an open link and its waiting item; return the audit entries, none when somebody was first."""
    still_open = ReconnectLink.objects.filter(pk=link.pk, status__in=sorted(LINK_OPEN))
    closed = still_open.update(
        status=status, problem=result.cause, token="", sent_to="", finished_at=now
    )
    if closed != 1:
        return []
    entries = _settle_waiting(link, result, actor, now)
    action = {
        LinkStatus.EXPIRED: Action.LINK_EXPIRED,
        LinkStatus.CANCELLED: Action.LINK_CANCELLED,
    }[status]
    return [entry(action, link, actor, facts={"cause": result.cause}), *entries]


def _settle_waiting(
    link: ReconnectLink, result: Result, actor: Actor, now: datetime
) -> list[Entry]:
    item = link.item
    if item is None or item.status != ItemStatus.WAITING:
        return []
    ended = after_drill(result, item)
    return settle_many(item.run, [Settlement(item, ended)], actor=actor, now=now)


# The audit's side


def entry(
    action: Action,
    link: ReconnectLink,
    actor: Actor,
    *,
    outcome: str = "",
    facts: Mapping[str, object] | None = None,
) -> Entry:
    """Return an audit entry about a link."""
    instance = link.instance
    return Entry(
        action,
        actor=actor,
        subject=Subject("reconnect_link", link.uid, instance.name),
        run_uid=link.item.run.uid if link.item else "",
        item_id=link.item_id,
        instance_uid=instance.uid,
        provider_key=provider_key_of(instance),
        outcome=outcome,
        facts=facts,
    )


def provider_key_of(instance: Instance) -> str:
    """Return the provider whose consent page the instance needs."""
    app = instance.provider_app
    return app.provider_key if app else instance.provider_key


def callback_of(instance: Instance) -> str:
    """Return what the instance's callback is named by in its path."""
    return callback_name(provider_key_of(instance), instance.organization)
