"""The state of a consent: random, hashed at rest, single-use, expiring, bound to one browser.

RFC 6749 §10.12 and RFC 9700 §4.7: whoever comes back from the provider must be the one
who was sent there. Otherwise a forwarded consent address would connect the account of
whoever opens it to somebody else's instance.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from ceadmin.audit.actors import Actor, customer
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from instances.choices import LinkStatus
from instances.models import Hold, ReconnectLink
from instances.reconnect.errors import CallbackRefused

#: Between pressing the button and coming back from the provider.
STATE_LIFE = timedelta(hours=1)
#: Whoever takes a code finishes within this, or the sweep looks what became of it.
IN_HAND = timedelta(minutes=5)

_REFUSED_BY_STATUS = {
    LinkStatus.CANCELLED: "cancelled",
    LinkStatus.EXPIRED: "expired",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door: the secrets their browser showed, and the member, if any."""

    browsers: tuple[str, ...] = field(default=(), repr=False)
    user: User | None = None
    address: str = ""
    #: The secret of the member's own session, where they may come as a customer, too.
    session: str = field(default="", repr=False)

    def seen_at(self, link: ReconnectLink) -> Visitor:
        """Return who that is to `link`: the member only where it began in their session."""
        if self.session and _same(self.session, link):
            return replace(self, browsers=(self.session,), session="")
        return replace(self, user=None, session="") if self.session else self

    def actor(self, link: ReconnectLink) -> Actor:
        """Return who acts on `link`, as the audit names them."""
        if self.user is None:
            return customer(link.uid, self.address)
        return actor_of(self.user, link.instance.organization, self.address)


def new_secret() -> str:
    """Return 32 random bytes as text fit for addresses and cookies."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """Return what is stored of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def member_browser(session: MutableMapping[str, Any]) -> str:
    """Return the browser secret of a signed-in member: it ends with their session.

    It is the session's own, made once: a session's key is another one after a sign-in and
    after SECRET_KEY was replaced, and what began before still has to end.
    """
    browser: str = session.setdefault(MEMBER_BROWSER, new_secret())
    return browser


#: The session's key.
MEMBER_BROWSER = "reconnect_browser"


def is_bound(link: ReconnectLink, visitor: Visitor) -> bool:
    """Tell whether the visitor's browser is the one that started."""
    return any(_same(one, link) for one in visitor.browsers)


def _same(browser: str, link: ReconnectLink) -> bool:
    wanted = link.browser_hash
    return bool(wanted) and hmac.compare_digest(hashed(browser), wanted)


def single(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the values of a redirect; raise CallbackRefused where a name comes twice (RFC 6749 §3.1)."""
    if any(len(values) > 1 for values in query.values()):
        raise CallbackRefused("repeated_parameter")
    return {name: values[0] for name, values in query.items() if values}


def find(values: Mapping[str, str]) -> ReconnectLink:
    """Return the link whose state came back, used up or not; raise CallbackRefused.

    OAuth 1 knows no state: its request token does the same.
    """
    state = values.get("state", "")
    token = values.get("oauth_token", "") or values.get("denied", "")
    if not state and not token:
        raise CallbackRefused("missing_state")
    links = ReconnectLink.objects.detailed()
    if state:
        found = links.filter(state_hash=hashed(state))
    elif "\x00" in token:  # in no database, and PostgreSQL does not look for it
        found = links.none()
    else:
        found = links.filter(request_token=token[:255])
    link = found.order_by("-pk").first()
    if link is None:
        raise CallbackRefused("unknown_state")
    return link


def require_fresh(link: ReconnectLink, now: datetime) -> None:
    """Raise CallbackRefused unless the state of a bound link may be used at `now`."""
    if link.status != LinkStatus.OPENED:
        word = _REFUSED_BY_STATUS.get(LinkStatus(link.status), "reused_state")
        raise CallbackRefused(word, link)
    if link.expires_at <= now:
        raise CallbackRefused("expired", link)
    if link.opened_at is None or link.opened_at + STATE_LIFE <= now:
        raise CallbackRefused("expired_state", link)


def consume(link: ReconnectLink, status: LinkStatus, now: datetime) -> None:
    """Use the state up, in the caller's transaction; raise CallbackRefused when another callback was first.

    A code to hand over also needs the instance to itself: a revocation must not cross.
    """
    if status == LinkStatus.CONSENTED:
        _hold(link)
    mine = ReconnectLink.objects.filter(
        pk=link.pk, status=LinkStatus.OPENED, state_hash=link.state_hash
    )
    in_hand = from_now(IN_HAND) if status == LinkStatus.CONSENTED else None
    if mine.update(status=status, consented_at=now, held_until=in_hand) != 1:
        raise CallbackRefused("reused_state", link)
    link.status, link.consented_at = status, now


def _hold(link: ReconnectLink) -> None:
    Hold.objects.filter(instance=link.instance, until__lt=Now()).delete()
    Hold.objects.bulk_create(
        [Hold(instance=link.instance, item_id=link.item_id or 0, until=_later())],
        ignore_conflicts=True,
    )
    holder = Hold.objects.filter(instance=link.instance).values_list(
        "item_id", flat=True
    )
    if holder.first() != link.item_id:
        raise CallbackRefused("busy", link)


def _later() -> datetime:
    """Read the database's clock: an insert takes a value."""
    moment: datetime = (
        ReconnectLink.objects.annotate(moment=from_now(IN_HAND))
        .order_by("pk")
        .values_list("moment", flat=True)[:1]
        .get()
    )
    return moment


def from_now(delta: timedelta) -> Combinable:
    """Return the moment `delta` from now by the database's clock."""
    return ExpressionWrapper(Now() + delta, output_field=DateTimeField())
