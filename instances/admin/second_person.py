"""Whom the overview calls: approvers to what others asked for, everybody to starts without approval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from ceadmin import ui
from ceadmin.frame import organizations_in_view
from ceadmin.site import Need
from ceadmin.teams import policies
from ceadmin.teams.choices import Act, Answer
from ceadmin.teams.models import User
from ceadmin.teams.permissions import organizations
from instances.choices import RunStatus
from instances.models import Approval, Run


def to_answer(user: User) -> QuerySet[Run]:
    """Return the runs whose approval this person can give."""
    others = ~Q(asked_by=user) & ~Q(drafted_by=user)
    asked = Approval.objects.filter(others, status=Answer.WAITING, expires_at__gt=Now())
    return Run.objects.filter(
        pk__in=asked.values("run"),
        status=RunStatus.DRAFT,
        organization__in=organizations(user, Act.APPROVE),
    )


def runs_to_answer(request: HttpRequest) -> int:
    """Count the runs that wait for this person's approval."""
    user = request.user
    return to_answer(user).count() if isinstance(user, User) else 0


def approval_needs(request: HttpRequest) -> Iterable[Need]:
    """Yield what waits for an approver, and what was started without one."""
    user = request.user
    if not isinstance(user, User):
        return
    own = organizations_in_view(request)
    listing = reverse("admin:instances_run_changelist")
    broken = Run.objects.filter(organization__in=own).unreviewed().count()
    if broken:
        told = ngettext(
            "%(count)s run was started without approval and not reviewed since",
            "%(count)s runs were started without approval and not reviewed since",
            broken,
        )
        url = f"{listing}?approval=unreviewed"
        yield Need(told % {"count": ui.number(broken)}, url, broken)
    yield from _questions(user, own, listing)


def _questions(user: User, own: QuerySet[Any], listing: str) -> Iterable[Need]:
    runs = list(to_answer(user).filter(organization__in=own).order_by("pk")[:2])
    if len(runs) == 1:
        url = reverse("admin:instances_run_change", args=[runs[0].pk])
        yield Need(_waiting(1), url, 1, "active")
    elif runs:
        count = to_answer(user).filter(organization__in=own).count()
        yield Need(_waiting(count), f"{listing}?approval=mine", count, "active")
    for change in policies.questions_for(user).filter(
        organization__in=organizations(user, Act.APPROVE) & own
    ):
        url = reverse("admin:teams_organization_policy", args=[change.organization_id])
        told = gettext("%(change)s waits for your approval") % {"change": change}
        yield Need(told, url, 1, "active")


def _waiting(count: int) -> str:
    told = ngettext(
        "%(count)s run waits for your approval",
        "%(count)s runs wait for your approval",
        count,
    )
    return told % {"count": ui.number(count)}
