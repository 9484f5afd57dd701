"""What the buttons of a run's pages do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.utils.translation import gettext_lazy as _

from ceadmin.audit.canonical import visible
from ceadmin.lib.sayings import later
from ceadmin.teams.models import User
from instances import runs
from instances.admin.run_numbers import open_links_of, stop_words, usable_words
from instances.models import Run

_PLAIN = {
    "pause": runs.pause,
    "resume": runs.resume,
    "discard": runs.discard,
    "withdraw": runs.withdraw,
}
#: Acts that make another run, which is shown next.
_ANEW = {
    "retry": runs.retry,
    "reconnect": runs.bring_back,
    "take-along": runs.take_along,
}
_DECISIONS = {"go-on": runs.go_on, "leave-out": runs.leave_out}
#: Acts that take words: which, and what of the form they are.
_WORDED: dict[str, tuple[Callable[..., Any], dict[str, str]]] = {
    "approve": (runs.approve, {"digest": "digest", "note": "note"}),
    "refuse": (runs.refuse, {"why": "why"}),
    "break-glass": (runs.break_glass, {"why": "why"}),
    "review": (runs.review, {"note": "note"}),
}


class Hand(TypedDict):
    """Who presses a button, when, and from which network address."""

    user: User
    now: datetime
    address: str


def act_on(run: Run, act: str, data: Mapping[str, str], hand: Hand) -> Run:
    """Do what a button says and return the run to show next. Raises RunError and NotAllowed."""
    if act in _ANEW:
        return _ANEW[act](run, **hand)
    if act == "connections":
        runs.set_connections(run, _number(data), **hand)
    elif act in _DECISIONS:
        _decide(run, act, data.get("provider", ""), hand)
    elif act in _WORDED:
        worded, fields = _WORDED[act]
        worded(run, **{one: data.get(of, "") for one, of in fields.items()}, **hand)
    elif act == "stop":
        _stop(run, data, hand)
    elif act in _PLAIN:
        _PLAIN[act](run, **hand)
    else:
        raise runs.RunError(
            "unknown_act", _("There is no such button. Reload the page.")
        )
    return run


def _stop(run: Run, data: Mapping[str, str], hand: Hand) -> None:
    """Stop a run; links that people have in hand are cancelled only by a press that says so."""
    links, opened = open_links_of(run)
    # Who may not stop it is told that, by `runs.stop`.
    asks = data.get("links") != "cancel" and runs.may_do(hand["user"], run)
    if links and asks:
        raise runs.RunError(
            "open_links",
            _("Nothing was stopped. %(usable)s “%(stop)s” cancels them too."),
            usable=later(lambda: usable_words(links, opened)),
            stop=later(lambda: stop_words(links)),
        )
    runs.stop(run, **hand)


def _number(data: Mapping[str, str]) -> int:
    try:
        return int(data.get("connections", ""))
    except ValueError as error:
        raise runs.RunError(
            "bad_connections", _("Say how many calls at once as a number.")
        ) from error


def _decide(run: Run, act: str, keys: str, hand: Hand) -> None:
    """Decide over each provider that a button names, also when one of them was decided meanwhile."""
    refused = None
    for key in keys.split(","):
        try:
            _DECISIONS[act](run, visible(key), **hand)
        except runs.RunError as error:
            refused = error
    if refused:
        raise refused
