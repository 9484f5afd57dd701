"""Drills on the emulator, which need no person at the consent page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_noop

from ceadmin.audit.actors import Actor
from ceadmin.lib import http
from instances.actions import consent_flow
from instances.actions.calls import Result
from instances.actions.load import load_case
from instances.actions.perform import Trail, perform
from instances.choices import ItemStatus, LinkStatus, Outcome
from instances.models import Item, ReconnectLink
from instances.reconnect.close import close, item_of
from instances.reconnect.errors import CallbackRefused, LinkError
from instances.reconnect.links import callback_of
from instances.reconnect.person import callback, start
from instances.reconnect.state import IN_HAND, Visitor, from_now, new_secret


def consent_by_itself(link: ReconnectLink, *, now: datetime) -> ReconnectLink:
    """Play the person at the emulator's consent page, in runs that ask for it and nowhere else.

    Safe to repeat: whoever has the link in hand goes on alone.
    """
    item = item_of(link)
    if not http.emulated() or not item.run.options.get("self_consent"):
        raise LinkError(
            "not_emulated", gettext("Only a run on the emulator consents by itself.")
        )
    if not _take(link):
        return ReconnectLink.objects.detailed().get(pk=link.pk)
    visitor = Visitor(browsers=(new_secret(),), user=item.run.requested_by)
    actor = visitor.actor(link)
    try:
        url = start(link, browser=visitor.browsers[0], visitor=visitor, now=now)
        back = _play(link, item, url, actor)
        fresh = ReconnectLink.objects.detailed().get(pk=link.pk)
        query = parse_qs(urlsplit(back).query, keep_blank_values=True)
        return callback(callback_of(fresh.instance), query, visitor=visitor, now=now)
    except (LinkError, CallbackRefused, http.HttpError) as problem:
        return _give_up(link, item, problem, actor, now)


def _take(link: ReconnectLink) -> bool:
    """Take the link in hand; False when somebody has it, or is through with it."""
    free = Q(held_until=None) | Q(held_until__lt=Now())
    untouched = ReconnectLink.objects.filter(
        free, pk=link.pk, status__in=[LinkStatus.MADE, LinkStatus.OPENED]
    )
    return untouched.update(held_until=from_now(IN_HAND)) == 1


def _play(link: ReconnectLink, item: Item, url: str, actor: Actor) -> str:
    case = load_case(item, item.run)
    if isinstance(case, Result):
        raise LinkError(case.cause, case.explanation)
    form = {"decision": "allow", "account": "same", "instance": case.remote_id}
    return perform(consent_flow.consent(case, url, form), Trail(item, item.run, actor))


def _give_up(
    link: ReconnectLink, item: Item, problem: Exception, actor: Actor, now: datetime
) -> ReconnectLink:
    """End an unattended consent that went wrong: nobody will come and try again."""
    current = ReconnectLink.objects.detailed().get(pk=link.pk)
    if current.item is None or current.item.status != ItemStatus.WAITING:
        return current
    code = str(getattr(problem, "code", "consent_failed"))
    result = Result(
        Outcome.STILL_DEAD.value,
        cause=code,
        explanation=gettext_noop(
            "The emulator's consent page did not lead back to the callback."
        ),
    )
    return close(current, result, actor, now)
