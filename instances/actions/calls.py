"""What a flow asks of its driver, and what it comes to in the end.

A flow is a generator that knows neither sockets nor the database. It yields a `Call` and gets the answer
back, or the seam's `HttpError` thrown in; it yields a `Wait` and goes on later; it returns a `Result`.
The same flow is driven one at a time, or by the thousand on one multi loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ceadmin.lib import http
from providers.grants import Grant


@dataclass(frozen=True, slots=True)
class Call:
    """One request to send."""

    request: http.Request
    step: int = 0  # which of the drill's eight steps this serves; 0 outside a drill
    purpose: str = ""
    intent: bool = (
        False  # changes something outside: the intent is stored before it is sent
    )
    secrets: tuple[str, ...] = field(
        default=(), repr=False
    )  # masked wherever request or answer are quoted
    grant: str = ""  # fingerprint of the token this kills: one item of a run is let through, see SameGrant
    grant_before: tuple[str, ...] = ()  # the same under older keys: see GrantClaim
    reach: str = (
        ""  # by what other tokens are known to be of the same grant: they die too
    )
    instead_of: int = 0  # an item that had the grant and did not kill it
    held: Grant | None = (
        None  # at the provider with this grant: a single call goes over an OAuth session
    )
    record_version: int = 0  # of the own record that it follows; 0: the catalogue's


@dataclass(frozen=True, slots=True)
class Owner:
    """The item of a run that deals with a grant, and how far it came."""

    item_id: int
    same_token: bool  # else another token of the same grant
    ended: bool = False
    taken: tuple[tuple[str, str], ...] = ()  # kind of token → "revoked" or "already"
    lost: bool = False  # an answer is missing: it may have killed the grant

    @property
    def killed(self) -> bool:
        """Tell whether the grant died by its hand, as far as it knows."""
        return bool(self.taken) or self.lost

    @property
    def found_dead(self) -> bool:
        """Tell whether the grant was dead before it was sent anything."""
        return not self.lost and all(word == "already" for _, word in self.taken)


class SameGrant(Exception):
    """Thrown into a flow whose intended call would kill a grant that another item of the run deals with."""

    def __init__(self, owner: Owner) -> None:
        super().__init__("another item of this run deals with the same grant")
        self.owner = owner


#: Seconds that a single item is waited for.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause that holds no thread and no connection.

    Under a run an item that would wait for long is put back, and tried again afterwards.
    """

    seconds: float
    # A driver that holds its thread waits no longer: TooLong. A run puts the item back.
    patience: float = PATIENCE


class TooLong(Exception):
    """Thrown into a flow whose pause is longer than its driver waits."""


@dataclass(frozen=True, slots=True)
class Result:
    """How an item ended."""

    outcome: str  # of instances.choices.Outcome
    cause: str = ""  # a short machine word
    explanation: str = (
        ""  # a sentence for people where the outcome table's is not enough; redacted
    )
    facts: Mapping[str, Any] = field(
        default_factory=dict
    )  # redacted; may be stored and shown
    status: str | None = (
        None  # the instance's, where it differs from what the outcome table says
    )
    status_reason: str = ""
    changes: Mapping[str, Any] = field(
        default_factory=dict, repr=False
    )  # instance field → value; may hold secrets


T = TypeVar("T")

#: `Flow[Result]` is an item's whole flow; `Flow[X]` a part of one that comes to an X, used with `yield from`.
Flow = Generator[Call | Wait, http.Answer | None, T]

Send = Callable[[http.Request], http.Answer]


def drive(
    flow: Flow[T],
    send: Send | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Run one flow to its end, storing nothing; raises what the flow raises."""
    try:
        effect = next(flow)
        while True:
            effect = _advance(flow, effect, send or http.send, sleep)
    except StopIteration as end:
        value: T = end.value
        return value


def _advance(
    flow: Flow[T], effect: Call | Wait, send: Send, sleep: Callable[[float], None]
) -> Call | Wait:
    if isinstance(effect, Wait):
        if effect.seconds > effect.patience:
            return flow.throw(TooLong())
        sleep(effect.seconds)
        return flow.send(None)
    try:
        answer = send(effect.request)
    except http.HttpError as error:
        return flow.throw(error)
    return flow.send(answer)
