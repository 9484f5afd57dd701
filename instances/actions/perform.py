"""Drive one flow, one call at a time, and keep its evidence: intent before effect, result after."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ceadmin.audit.actors import Actor
from ceadmin.audit.record import record_many
from ceadmin.lib import http
from instances.actions import evidence
from instances.actions.calls import Call, Flow, T, TooLong, Wait
from instances.models import Item, Run
from providers import oauth


@dataclass(frozen=True, slots=True)
class Trail:
    """Where the evidence of one item's calls goes."""

    item: Item
    run: Run
    actor: Actor

    def begin(self, call: Call, at: datetime) -> evidence.Sent:
        """Return the attempt row of `call`; one with an effect is committed before it is sent."""
        attempt = evidence.intended(self.item, call, at)
        if call.intent:
            with transaction.atomic():
                evidence.write_intents([attempt])
                self._record_intent(call, attempt)
        return attempt

    def _record_intent(self, call: Call, attempt: evidence.Sent) -> None:
        if evidence.is_revocation(call):
            about = (self.item, self.run, self.actor)
            entry = evidence.intent_entry(*about, call, attempt)
            record_many(str(self.run.organization.uid), [entry], at=attempt.at)

    def end(self, call: Call, attempt: evidence.Sent, at: datetime) -> None:
        """Write what became of the call."""
        write = evidence.write_answers if call.intent else evidence.write
        with transaction.atomic():
            write([attempt])
            if evidence.is_revocation(call):
                entry = evidence.answer_entry(self.item, self.run, self.actor, attempt)
                record_many(str(self.run.organization.uid), [entry], at=at)


def perform(
    flow: Flow[T],
    trail: Trail | None,
    *,
    send: Callable[[Call], http.Answer] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return what `flow` comes to, its calls sent one after another.

    Without a `trail` nothing is kept (connection tests). Raises what the flow raises.
    """
    answer: http.Answer | None = None
    error: http.HttpError | TooLong | None = None
    while True:
        try:
            effect = flow.throw(error) if error else flow.send(answer)
        except StopIteration as end:
            value: T = end.value
            return value
        answer = error = None
        if isinstance(effect, Wait) and effect.seconds > effect.patience:
            error = TooLong()
        elif isinstance(effect, Wait):
            sleep(effect.seconds)
        else:
            answer, error = _one(effect, trail, send or send_single)


def send_single(call: Call) -> http.Answer:
    """Send one call: to a provider over its OAuth session, to the platform as it is; raise HttpError."""
    if call.held is not None:
        return oauth.call(call.request, grant=call.held)
    return http.send(call.request)


def _one(
    call: Call, trail: Trail | None, send: Callable[[Call], http.Answer]
) -> tuple[http.Answer | None, http.HttpError | None]:
    attempt = trail.begin(call, timezone.now()) if trail else None
    try:
        answer = send(call)
    except http.HttpError as error:
        if trail and attempt:
            trail.end(call, evidence.failed(attempt, error), timezone.now())
        return None, error
    if trail and attempt:
        trail.end(call, evidence.answered(attempt, call, answer), timezone.now())
    return answer, None
