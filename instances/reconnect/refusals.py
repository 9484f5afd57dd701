"""Refused callbacks in the audit: of the organization when the link is known, else of the system.

Anybody on the internet can send a callback, so the number of events per minute is
bounded; what exceeds it is counted and told by the next event.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from datetime import datetime, timedelta

from django.db import transaction

from ceadmin.audit.actors import visitor as unknown_visitor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, record, record_many
from instances.models import ReconnectLink
from instances.reconnect.links import entry
from instances.reconnect.state import Visitor, is_bound

logger = logging.getLogger(__name__)

PER_MINUTE = 60


class _Gate:
    """Lets so many events a minute through, per process, and counts the others."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._passed: deque[datetime] = deque()
        self._held_back = 0

    def ask(self, now: datetime) -> int | None:
        """Return how many were held back since the last event, None to hold this one back."""
        with self._lock:
            while self._passed and self._passed[0] <= now - timedelta(minutes=1):
                self._passed.popleft()
            if len(self._passed) >= self._limit:
                self._held_back += 1
                return None
            self._passed.append(now)
            held_back, self._held_back = self._held_back, 0
            return held_back


_gate = _Gate(PER_MINUTE)


def note(
    code: str,
    visitor: Visitor,
    now: datetime,
    link: ReconnectLink | None,
    provider_key: str = "",
) -> None:
    """Audit a refused callback; never what came with it."""
    logger.warning("a callback was refused", extra={"code": code})
    held_back = _gate.ask(now)
    if held_back is None:
        return
    facts: dict[str, object] = {"code": code}
    if held_back:
        facts["not_recorded"] = held_back
    known = link is not None and is_bound(link, visitor)
    with transaction.atomic():
        if link is None:
            record(
                Action.CALLBACK_REFUSED,
                chain=SYSTEM_CHAIN,
                actor=unknown_visitor(visitor.address),
                at=now,
                provider_key=provider_key,
                facts=facts,
            )
            return
        # Whoever comes with another browser is not the person whom the link was sent to.
        actor = visitor.actor(link) if known else unknown_visitor(visitor.address)
        own = entry(Action.CALLBACK_REFUSED, link, actor, facts=facts)
        record_many(link.instance.organization.chain, [own], at=now)
