"""A drill's eight steps as its page shows them, from attempt rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from instances import reconnect
from instances.actions.causes import sentence
from instances.actions.drill import STEPS
from instances.actions.evidence import main_attempt
from instances.choices import AttemptState, ItemStatus, Outcome
from instances.models import Attempt, Item, ReconnectLink

#: Where a drill waits for a person, and the step that is made when they start.
_ADDRESS, _CONSENT = 5, 6


@dataclass(frozen=True, slots=True)
class Step:
    """One of a drill's eight steps as the timeline shows it."""

    number: int
    title: str
    state: str
    seen: str = ""
    at: datetime | None = None
    took: str = ""
    sentence: str = ""
    request: str = ""
    answer: str = ""
    curl: str = ""
    url: str = ""
    link: str = ""


def steps(item: Item, *, linked: bool) -> list[Step]:
    """Return the eight steps of a drill's item; the person's address only when `linked`."""
    by_step: dict[int, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(item=item, step__gt=0).order_by("at", "pk"):
        by_step.setdefault(attempt.step, []).append(attempt)
    last = max(by_step, default=0)
    return [
        _seen(number, by_step[number], item, last)
        if number in by_step
        else _ahead(number, item, last, linked=linked)
        for number in range(1, len(STEPS) + 1)
    ]


def _seen(number: int, attempts: list[Attempt], item: Item, last: int) -> Step:
    main = main_attempt(attempts)
    failed = not item.is_open and number == last and item.outcome != Outcome.RECONNECTED
    return Step(
        number,
        STEPS[number - 1],
        state="failed" if failed else "done",
        seen=str(main.status_code or main.get_state_display()),
        at=main.at,
        took=f"{main.duration_ms} ms" if main.duration_ms is not None else "",
        sentence=(item.explanation or sentence(item.cause)) if failed else "",
        request="\n".join(f"{one.method} {one.url}" for one in attempts),
        answer="\n".join(_said(one) for one in attempts),
        curl=f"curl -X {main.method} '{main.url}'",
    )


def _said(attempt: Attempt) -> str:
    status = attempt.status_code or AttemptState(attempt.state).label
    return " ".join(
        str(part) for part in (status, attempt.code, attempt.excerpt) if part
    )


def _ahead(number: int, item: Item, last: int, *, linked: bool) -> Step:
    title = STEPS[number - 1]
    if not item.is_open:
        return Step(number, title, "skipped")
    if item.status != ItemStatus.WAITING:
        return Step(number, title, "current" if number == last + 1 else "todo")
    if number == _ADDRESS:
        return Step(number, title, "todo", sentence=_MADE_LATER)
    return (
        _waiting(title, item, linked)
        if number == _CONSENT
        else Step(number, title, "todo")
    )


def _waiting(title: str, item: Item, linked: bool) -> Step:
    link = ReconnectLink.objects.filter(item=item).order_by("-pk").first()
    if link is None or not link.is_open or not linked:
        return Step(_CONSENT, title, "waiting", sentence=_WAITS)
    return Step(
        _CONSENT,
        title,
        "waiting",
        sentence=f"{_WAITS} Open the page yourself, or send its address to the owner of the account.",
        url=reconnect.address_of(link),
        link="Open the reconnect page",
    )


_MADE_LATER = (
    "Asked for at the moment the person starts: it works in their browser only."
)
_WAITS = "The drill goes on by itself as soon as a person has consented."
