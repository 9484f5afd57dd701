"""What the pages of a run show: the draft's effects, the live numbers, an item's evidence."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop

from ceadmin import ui
from ceadmin.lib.sayings import inside
from ceadmin.teams.choices import Act, Role
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances import reconnect, runs
from instances.actions.causes import sentence
from instances.admin import (
    catalogue_records,
    run_numbers,
    run_parts,
    run_rows,
    words,
)
from instances.admin.approvals import around, second_person, standing
from instances.admin.drafted import way_back
from instances.admin.receipts import receipt_url, receipts_of
from instances.admin.run_kinds import kinds
from instances.admin.steps import Step, steps
from instances.choices import (
    DESTRUCTIVE,
    InstanceStatus,
    Outcome,
    RunKind,
    RunStatus,
    meaning,
)
from instances.forms import ApprovedForm, AskForm, StartForm
from instances.models import Attempt, Item, ReconnectLink, Run
from instances.spoken import drawn, spoken

_SAMPLE = 10
#: What the poll brings as the server draws it.
_PARTS = ("report", "parts", "providers", "outcomes", "causes", "items", "links")
#: What of them is as long as a run is large.
_ROWS = ("items", "links")
#: A poll's answer stays below 20,000 bytes; the numbers beside its parts are about one thousand.
_MOST_BYTES = 18_500
_INDENTED = re.compile(r">\s*\n\s*<")
_DOES = {
    RunKind.SYNC: gettext_noop("Sync %(what)s"),
    RunKind.REVOKE: gettext_noop("Revoke %(what)s"),
    RunKind.DRILL: gettext_noop("Drill %(what)s"),
    RunKind.PROBE: gettext_noop("Probe %(what)s"),
    RunKind.RECONNECT: gettext_noop("Reauthenticate %(what)s"),
}

#: What a person has to be for a start; an operator is enough for what kills nothing.
_ROLE_OF: dict[str, Role] = dict.fromkeys(DESTRUCTIVE, Role.REVOKER)


def title_of(run: Run, total: int) -> str:
    """Return what a run does to what: "Revoke 214 instances", "Drill Acme – EU"."""
    return gettext(_DOES[RunKind(run.kind)]) % {"what": _to_what(run, total)}


def _to_what(run: Run, total: int) -> str:
    if run.kind == RunKind.SYNC:
        return str(run.organization)
    if not total and not run.planned_at:
        return gettext("instances")
    only = None
    if total == 1:
        only = Item.objects.filter(run=run).order_by("number").first()
    return only.instance_name if only else ui.things(total, "instance", "instances")


def audit_url(run: Run, user: User | AnonymousUser) -> str:
    """Return where a run's audit events are, "" for those who may not read them."""
    if not may(user, Act.AUDIT, run.organization):
        return ""
    return reverse("admin:instances_run_history", args=[run.pk])


def draft_form(
    run: Run, user: User | AnonymousUser, data: Any = None, kin: runs.Kin | None = None
) -> StartForm:
    """Return the form of a draft's next step: start it, ask, or start what was approved."""
    stands = standing(run, user, kin)
    if stands.asks:
        return AskForm(run, data, kin)
    form = ApprovedForm if stands.stage == "approved" else StartForm
    return form(run, data, kin)


def draft_context(
    run: Run, user: User | AnonymousUser, form: StartForm, kin: runs.Kin
) -> dict[str, Any]:
    """Return what the confirmation page shows; `kin` die too."""
    seen, stands = runs.preview(run, kin), standing(run, user, kin)
    return {
        "preview": seen,
        "standing": stands,
        "around": around(run, user, stands),
        "form": form,
        "planned": run.planned_at is not None,
        "problem": spoken(runs.crew(run).problem),
        "dry_run": run.options.get("dry_run", False),
        "destructive": run.kind in DESTRUCTIVE,
        "heading": title_of(run, seen.total),
        "providers": ui.things(len(seen.effects), "provider", "providers"),
        "allowed": may(user, runs.act_of(run), run.organization),
        "role": inside(_ROLE_OF.get(run.kind, Role.OPERATOR).label),
        "lives": words.lifetime(run.organization.link_lifetime_hours),
        "left_behind": not runs.requester_may(run),
        "effects": [(effect, _statuses(effect)) for effect in seen.effects],
        "kinds": kinds(run, seen.effects),
        "way_back": way_back(run),
        "sample": Item.objects.filter(run=run).order_by("number")[:_SAMPLE],
        "audit_url": audit_url(run, user),
    }


def _statuses(effect: runs.Effect) -> list[tuple[str, str, int]]:
    return [
        (status, str(InstanceStatus(status).label), count)
        for status, count in effect.statuses
    ]


def live_context(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return what the live page shows at first; the poll brings the same again."""
    counts, now = run_numbers.counts_of(run), timezone.now()
    speed = runs.pace(run, counts, now)
    numbers = run_numbers.numbers(run, counts, speed)
    held = run_parts.parts(run, counts)
    shares = runs.pace_by_provider(run, counts, speed, now)
    if held["troubles_held"]:
        numbers["trouble"] = ""  # the part that is held says it, with the evidence
    operates = may(request.user, Act.OPERATE, run.organization)
    numbers |= run_numbers.onward(run, operates=operates)
    timeline = _steps_of(run, linked=operates)
    if timeline and not run.is_terminal:
        numbers |= _steps_done(timeline)
    allowed = may(request.user, runs.act_of(run), run.organization)
    links = _links(run, shown=operates)
    return {
        **numbers,
        **held,
        **second_person(run, request.user),
        "numbers": numbers,
        "began": run.status != RunStatus.EXPIRED,
        "providers": run_rows.providers(run, counts, shares, held["standing"]),
        "heading": title_of(run, counts.total),
        "reason": _reason_of(run),
        "removed": runs.removed_words(run),
        "counts": counts,
        "outcomes": run_rows.outcomes(run, counts),
        "causes": run_rows.reasons(run, counts),
        "items": run_rows.items(run, counts, linked=operates),
        "receipts": receipts_of(run, request.user),
        **_about_links(links),
        "steps": timeline,
        "allowed": allowed,
        "operates": operates,
        "audit_url": audit_url(run, request.user),
        "way_back": way_back(run) if run.status == RunStatus.EXPIRED else "",
        "live_url": reverse("admin:instances_run_live", args=[run.pk]),
    }


def live_json(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return the live page's numbers and parts; small however large the run is."""
    if run.status == RunStatus.DRAFT:
        return _draft_json(run)
    context, parts = live_parts(run, request)
    return {
        **context["numbers"],
        "heading": context["heading"],
        "pill": ui.pill(run.word),
        **parts,
        "done": run.is_terminal,
    }


def live_parts(
    run: Run, request: HttpRequest
) -> tuple[dict[str, Any], dict[str, SafeString]]:
    """Return the live page's context, and its parts as the poll brings them.

    Where names and explanations are so long that the poll would grow, fewer rows are
    shown; where a drill's calls are, their curls stand on the item's page only.
    """
    context = live_context(run, request)
    parts = _drawn(run, request, context)
    while _weight(parts) > _MOST_BYTES and max(map(len, _rows_of(context))) > 1:
        for name in _ROWS:
            context[name] = context[name][: max(1, len(context[name]) // 2)]
        parts = _drawn(run, request, context)
    if _weight(parts) > _MOST_BYTES and context["steps"]:
        context["steps"] = [replace(step, curl="") for step in context["steps"]]
        parts = _drawn(run, request, context)
    return context, parts


def _rows_of(context: dict[str, Any]) -> list[list[Any]]:
    return [context[name] for name in _ROWS]


def _drawn(
    run: Run, request: HttpRequest, context: dict[str, Any]
) -> dict[str, SafeString]:
    part = {"run": run, **context}
    drawn = {name: f"instances/run/{name}.html" for name in _PARTS}
    drawn["steps"] = "ceadmin/timeline.html"
    return {
        name: _dense(render_to_string(template, part, request))
        for name, template in drawn.items()
    }


def _dense(html: SafeString) -> SafeString:
    """Return the same without the indentation between its tags, which weighs as much as the words."""
    return SafeString(_INDENTED.sub(">\n<", html.strip()))


def _weight(parts: dict[str, SafeString]) -> int:
    return len(json.dumps(parts, ensure_ascii=False).encode())


def _draft_json(run: Run) -> dict[str, Any]:
    """Send a draft's page to itself once its list is frozen, or say why that does not come."""
    page = reverse("admin:instances_run_change", args=[run.pk])
    if run.planned_at:
        return {"goto": page}
    return {"done": False, "problem": spoken(runs.crew(run).problem)}


def _reason_of(run: Run) -> str:
    """Return why a run was made: a person's words as they are, a worker's as the reader speaks."""
    return run.reason if run.requested_by_name else spoken(run.reason)


def _links(run: Run, *, shown: bool) -> list[dict[str, Any]]:
    if run.kind not in (RunKind.RECONNECT, RunKind.DRILL):
        return []
    return _rows(ReconnectLink.objects.filter(item__run=run), shown=shown)


def _rows(links: QuerySet[ReconnectLink], *, shown: bool) -> list[dict[str, Any]]:
    """Return links and their addresses; whoever has an address may connect an account."""
    newest = links.select_related("instance__provider_app").order_by("-pk")[
        : run_rows.SHOWN
    ]
    return [
        {
            "link": link,
            "address": reconnect.address_of(link) if shown and link.is_open else "",
            "consent_host": _consent_host(link),
        }
        for link in newest
    ]


def _consent_host(link: ReconnectLink) -> str:
    app = link.instance.provider_app
    return app.consent_host if app and link.is_open else ""


def _about_links(rows: list[dict[str, Any]]) -> dict[str, Any]:
    hosts = {row["consent_host"] for row in rows} - {""}
    return {
        "links": rows,
        "open_links": any(row["address"] for row in rows),
        "consent_hosts": ", ".join(sorted(hosts)),
    }


def _steps_of(run: Run, *, linked: bool) -> list[Step]:
    if run.kind != RunKind.DRILL or run.total != 1:
        return []
    item = Item.objects.filter(run=run).order_by("number").first()
    return _steps(item, linked=linked) if item else []


def _steps_done(timeline: list[Step]) -> dict[str, Any]:
    """Return how far one drill is: by its steps, since its one item ends with the last."""
    done, total = sum(step.state == "done" for step in timeline), len(timeline)
    verdict = gettext("%(done)s of %(total)s steps")
    verdict %= {"done": done, "total": total}
    return {"verdict": verdict, "bar_value": done, "bar_max": total}


def _steps(item: Item, *, linked: bool) -> list[Step]:
    """Return an item's steps, none where the calls that would tell of them were removed."""
    if runs.removed_words(item.run):
        kept = Attempt.objects.filter(item=item).exists()
        return steps(item, linked=linked) if kept else []
    return steps(item, linked=linked)


def item_context(item: Item, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of one item shows."""
    told = meaning(item.run.kind, item.outcome) if item.outcome else None
    operates = may(request.user, Act.OPERATE, item.run.organization)
    links = _rows(ReconnectLink.objects.filter(item=item), shown=operates)
    attempts = Attempt.objects.filter(item=item).order_by("at", "pk")
    drill = item.run.kind == RunKind.DRILL
    return {
        "item": item,
        "state": words.state(item),
        "provider": catalogue_records.link(item.provider_key, item.run.organization),
        "run": item.run,
        "run_title": title_of(item.run, item.run.total),
        "reason": _reason_of(item.run),
        "told": told,
        "explanation": drawn(item.explanation or sentence(item.cause)),
        "attempts": [(one, words.purpose(one.purpose)) for one in attempts],
        "steps": _steps(item, linked=operates) if drill else [],
        "removed": runs.removed_words(item.run),
        "facts": words.facts(item),
        **_about_links(links),
        "audit_url": _item_audit_url(item, request.user),
        "receipt_url": receipt_url(item, request.user),
        "revoke_url": _revoke_url(item, request.user),
    }


def _revoke_url(item: Item, user: User | AnonymousUser) -> str:
    """Return where the whole grant of what lives on is revoked, "" where there is no need."""
    allowed = may(user, Act.REVOKE, item.run.organization)
    lives = item.outcome == Outcome.STILL_ALIVE and item.cleared_at is None
    if not (lives and allowed and item.instance_id):
        return ""
    return reverse("admin:instances_instance_act", args=[item.instance_id, "revoke"])


def _item_audit_url(item: Item, user: User | AnonymousUser) -> str:
    if not may(user, Act.AUDIT, item.run.organization):
        return ""
    return reverse("admin:instances_item_history", args=[item.pk])
