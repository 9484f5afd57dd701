"""A drill's eight steps as its page shows them, from attempt rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from instances import reconnect
from instances.actions.by_hand import Made, curl, variables
from instances.actions.causes import sentence
from instances.actions.drill import STEPS
from instances.actions.evidence import main_attempt
from instances.admin import words
from instances.choices import AttemptState, ItemStatus, Outcome
from instances.models import Attempt, Item, ReconnectLink
from instances.spoken import spoken
from providers.book import book_of
from providers.choices import CallbackMode

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
    about: str = ""  # what the step is for
    sentence: str = ""
    calls: str = ""  # each request with its answer
    curl: str = ""
    variables: str = ""  # of the shell, which the curl takes
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
    last_ones = _alike(attempts)
    commands = _noted(last_ones, lambda one: curl(_made(one, item)))
    return Step(
        number,
        gettext(STEPS[number - 1]),
        state="failed" if failed else "done",
        seen=str(main.status_code or main.get_state_display()),
        at=main.at,
        took=f"{main.duration_ms} ms" if main.duration_ms is not None else "",
        about=gettext(_ABOUT[number - 1]),
        sentence=spoken(item.explanation or sentence(item.cause)) if failed else "",
        calls=_noted(last_ones, lambda one: f"{one.method} {one.url}\n→ {_said(one)}"),
        curl=commands,
        variables=", ".join(variables(commands)),
    )


def _alike(attempts: list[Attempt]) -> list[Attempt]:
    """Return the last of each kind of call: a look that is repeated until it tells something is one."""
    return list({(one.purpose, one.method, one.url): one for one in attempts}.values())


def _noted(attempts: list[Attempt], told: Callable[[Attempt], str]) -> str:
    """Return what is told of each call; of several each under what it was for."""
    parts = [(words.purpose(one.purpose), told(one)) for one in attempts]
    if len(parts) == 1:
        return parts[0][1]
    return "\n\n".join(f"# {title}\n{text}" for title, text in parts if text)


def _made(attempt: Attempt, item: Item) -> Made:
    app = item.instance.provider_app if item.instance else None
    return Made(
        purpose=attempt.purpose,
        method=attempt.method,
        url=attempt.url,
        provider=book_of(item.run.organization).find(item.provider_key),
        form=str(item.run.options.get("form") or "default"),
        ours=app is None or app.callback_mode == CallbackMode.OURS,
    )


def _said(attempt: Attempt) -> str:
    status = attempt.status_code or AttemptState(attempt.state).label
    return " ".join(
        str(part) for part in (status, attempt.code, attempt.excerpt) if part
    )


def _ahead(number: int, item: Item, last: int, *, linked: bool) -> Step:
    about = gettext(_ABOUT[number - 1])
    step = Step(number, gettext(STEPS[number - 1]), "todo", about=about)
    if not item.is_open:
        return replace(step, state="skipped", about="")
    if item.status != ItemStatus.WAITING:
        return replace(step, state="current" if number == last + 1 else "todo")
    if number == _ADDRESS:
        return replace(step, sentence=gettext(_MADE_LATER))
    return _waiting(step, item, linked) if number == _CONSENT else step


def _waiting(step: Step, item: Item, linked: bool) -> Step:
    step = replace(step, state="waiting", sentence=gettext(_WAITS))
    link = ReconnectLink.objects.filter(item=item).order_by("-pk").first()
    if link is None or not link.is_open or not linked:
        return step
    return replace(
        step,
        sentence=f"{gettext(_WAITS)} {gettext(_YOURSELF)}",
        url=reconnect.address_of(link),
        link=gettext("Open the consent page"),
    )


_MADE_LATER = gettext_noop(
    "Asked for at the moment the person starts: it works in their browser only."
)
_WAITS = gettext_noop("The drill goes on by itself as soon as a person has consented.")
_YOURSELF = gettext_noop(
    "Open the page yourself, or send its address to the owner of the account. It says "
    "what will happen, and leads on to the provider."
)
#: What each of the eight steps is for.
_ABOUT = (
    gettext_noop("A call through the instance. 200: its grant works."),
    gettext_noop(
        "The platform shows an instance's tokens to whoever has all three secrets. They "
        "are read just before they are used: an outdated one revokes nothing."
    ),
    gettext_noop(
        "The provider's own call. Its 200 says that it was heard, and proves nothing yet."
    ),
    gettext_noop("Asked again: a 401 proves that the token is dead."),
    gettext_noop("The platform makes the address at which a person consents."),
    gettext_noop(
        "A person says yes at the provider. The provider sends a code to the callback."
    ),
    gettext_noop(
        "The code becomes a new grant of the same instance: its id and its element token stay."
    ),
    gettext_noop("The call of the first step once more. 200: its new grant works."),
)
