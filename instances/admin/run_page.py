"""What the pages of a run show: the draft's effects, the live numbers, an item's evidence, a drill's eight steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from ceadmin import ui
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances import reconnect, runs
from instances.actions.causes import sentence
from instances.actions.drill import STEPS
from instances.actions.evidence import main_attempt
from instances.choices import (
    MEANINGS,
    AttemptState,
    InstanceStatus,
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.forms import StartForm
from instances.models import Attempt, Item, ReconnectLink, Run

_SHOWN = 50
_MOVING = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING, RunStatus.PAUSED)
_VERBS = {
    RunKind.REVOKE: "Revoke",
    RunKind.DRILL: "Drill",
    RunKind.PROBE: "Probe",
    RunKind.RECONNECT: "Reauthenticate",
}


def draft_context(
    run: Run, user: User | AnonymousUser, form: StartForm
) -> dict[str, Any]:
    """Return what the confirmation page shows."""
    seen = runs.preview(run)
    return {
        "preview": seen,
        "form": form,
        "planned": run.planned_at is not None,
        "verb": _VERBS[RunKind(run.kind)],
        "allowed": may(user, runs.ACT_OF_KIND[run.kind], run.organization),
        "effects": [(effect, _statuses(effect)) for effect in seen.effects],
        "sample": Item.objects.filter(run=run).order_by("number")[:_SHOWN],
    }


def _statuses(effect: runs.Effect) -> list[tuple[str, str, int]]:
    return [
        (status, InstanceStatus(status).label, count)
        for status, count in effect.statuses
    ]


def live_context(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return what the live page shows at first; the poll brings the same again."""
    counts = runs.progress(run)
    links = _links(run)
    return {
        **_numbers(run, counts),
        "counts": counts,
        "items": _items(run),
        "links": links,
        "open_links": any(row["address"] for row in links),
        "steps": _steps_of(run, request),
        "allowed": may(request.user, runs.ACT_OF_KIND[run.kind], run.organization),
        "live_url": reverse("admin:instances_run_live", args=[run.pk]),
    }


def live_json(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return the live page's numbers and parts; small however large the run is."""
    context = live_context(run, request)
    part = {"run": run, **context}
    return {
        **_numbers(run, context["counts"]),
        "pill": ui.pill(run.status),
        "outcomes": render_to_string("instances/run/outcomes.html", part, request),
        "items": render_to_string("instances/run/items.html", part, request),
        "steps": render_to_string(
            "ceadmin/timeline.html", {"steps": context["steps"]}, request
        ),
        "links": render_to_string("instances/run/links.html", part, request),
        "done": run.is_terminal,
    }


def _numbers(run: Run, counts: runs.Progress) -> dict[str, Any]:
    now = timezone.now()
    return {
        "percent": f"{counts.percent} %",
        "done_count": counts.done,
        "total": counts.total,
        "eta": _eta(run, counts, now),
        "summary": f"{counts.done} of {counts.total} done, {counts.attention} need attention.",
        "can_pause": run.status == RunStatus.RUNNING,
        "can_resume": run.status == RunStatus.PAUSED,
        "can_stop": run.status
        in (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED),
        "can_retry": run.is_terminal
        and counts.attention > 0
        and run.kind != RunKind.SYNC,
        "moving": run.status in _MOVING,
    }


def _eta(run: Run, counts: runs.Progress, now: datetime) -> str:
    if run.status == RunStatus.PLANNING:
        return "freezing the list"
    if counts.waiting and counts.waiting + counts.done == counts.total:
        return (
            f"waiting for {counts.waiting} at the consent page"
            if counts.waiting > 1
            else "waiting for a person"
        )
    if run.is_terminal or not run.started_at:
        took = (
            (run.finished_at - run.started_at)
            if run.finished_at and run.started_at
            else None
        )
        return f"took {ui.short_duration(took)}" if took is not None else ""
    spent = now - run.started_at
    if not counts.done or spent < timedelta(seconds=2):
        return ""
    left = spent / counts.done * (counts.total - counts.done - counts.waiting)
    return (
        f"about {ui.short_duration(left)} left"
        if left >= timedelta(seconds=1)
        else "nearly done"
    )


def _items(run: Run) -> list[Item]:
    """Return the items that matter first: concerns, then failures, then what is under way, then the newest."""
    bad = [outcome for outcome in Outcome if (RunKind(run.kind), outcome) in _ATTENTION]
    first = Case(
        When(outcome__in=bad, then=Value(0)),
        When(status=ItemStatus.WAITING, then=Value(1)),
        When(status=ItemStatus.RUNNING, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    return list(
        Item.objects.filter(run=run)
        .select_related("instance")
        .order_by(first, "-finished_at", "number")[:_SHOWN]
    )


#: The outcomes that stand first in a run's list.
_ATTENTION = frozenset(
    pair for pair, told in MEANINGS.items() if told.weight == Weight.ATTENTION
)


def _links(run: Run) -> list[dict[str, Any]]:
    if run.kind not in (RunKind.RECONNECT, RunKind.DRILL):
        return []
    return _rows(ReconnectLink.objects.filter(item__run=run))


def _rows(links: QuerySet[ReconnectLink]) -> list[dict[str, Any]]:
    newest = links.select_related("instance").order_by("-pk")[:_SHOWN]
    return [
        {"link": link, "address": reconnect.address_of(link) if link.is_open else ""}
        for link in newest
    ]


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


def _steps_of(run: Run, request: HttpRequest) -> list[Step]:
    if run.kind != RunKind.DRILL or run.total != 1:
        return []
    item = Item.objects.filter(run=run).order_by("number").first()
    return steps(item) if item else []


def steps(item: Item) -> list[Step]:
    """Return the eight steps of a drill's item, from its attempt rows."""
    by_step: dict[int, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(item=item, step__gt=0).order_by("at", "pk"):
        by_step.setdefault(attempt.step, []).append(attempt)
    last = max(by_step, default=0)
    return [
        _step(number, by_step.get(number, []), item, last)
        for number in range(1, len(STEPS) + 1)
    ]


def _step(number: int, attempts: list[Attempt], item: Item, last: int) -> Step:
    title = STEPS[number - 1]
    if not attempts:
        state = _ahead(number, item, last)
        link = (
            ReconnectLink.objects.filter(item=item).order_by("-pk").first()
            if state == "waiting"
            else None
        )
        if link is None or not link.is_open:
            return Step(number, title, state)
        return Step(
            number,
            title,
            state,
            sentence=_WAITS,
            url=reconnect.address_of(link),
            link="Open the reconnect page",
        )
    main = main_attempt(attempts)
    failed = not item.is_open and number == last and item.outcome != Outcome.RECONNECTED
    return Step(
        number,
        title,
        state="failed" if failed else "done",
        seen=str(main.status_code or main.get_state_display()),
        at=main.at,
        took=f"{main.duration_ms} ms" if main.duration_ms is not None else "",
        sentence=(item.explanation or sentence(item.cause)) if failed else "",
        request="\n".join(f"{one.method} {one.url}" for one in attempts),
        answer="\n".join(_said(one) for one in attempts),
        curl=f"curl -X {main.method} '{main.url}'",
    )


def _ahead(number: int, item: Item, last: int) -> str:
    if not item.is_open:
        return "skipped"
    if item.status == ItemStatus.WAITING and number == max(last + 1, 5):
        return "waiting"
    return "current" if number == last + 1 else "todo"


def _said(attempt: Attempt) -> str:
    status = attempt.status_code or AttemptState(attempt.state).label
    return " ".join(
        str(part) for part in (status, attempt.code, attempt.excerpt) if part
    )


_WAITS = "It goes on by itself as soon as a person has consented."


def item_context(item: Item, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of one item shows."""
    told = meaning(item.run.kind, item.outcome) if item.outcome else None
    links = _rows(ReconnectLink.objects.filter(item=item))
    return {
        "item": item,
        "run": item.run,
        "told": told,
        "explanation": item.explanation or sentence(item.cause),
        "attempts": Attempt.objects.filter(item=item).order_by("at", "pk"),
        "steps": steps(item) if item.run.kind == RunKind.DRILL else [],
        "facts": [
            (name.replace("_", " "), _fact(value)) for name, value in item.facts.items()
        ],
        "links": links,
        "open_links": any(row["address"] for row in links),
    }


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
