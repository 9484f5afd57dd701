"""Runs over the rows of a list: one for each organization among them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.client import client_address
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, organizations
from ceadmin.teams.scoping import ScopedAdmin
from instances.admin.once import create_once
from instances.choices import RunKind
from instances.models import Instance, Run

#: What a person must be allowed to do at least for a run of some of the rows; `runs.create`
#: asks again for just these rows.
LEAST: dict[str, Act] = {
    RunKind.PROBE: Act.OPERATE,
    RunKind.RECONNECT: Act.OPERATE,
    RunKind.DRILL: Act.DRILL_TEST,
    RunKind.REVOKE: Act.REVOKE,
}
_NOTHING_STARTED = _(
    "Nothing was started: you may not do this with the selected instances."
)
_NOT_THESE = _(
    "Nothing was started in %(name)s: without the role revoker only instances that are "
    "tagged as test can be drilled, together with all that share their grant."
)

#: From rows of one organization to the selection of its run.
Choose = Callable[[QuerySet[Instance]], dict[str, Any]]


def begin(
    model_admin: ScopedAdmin,
    request: HttpRequest,
    kind: RunKind,
    queryset: QuerySet[Instance],
    choose: Choose,
    owners: QuerySet[Organization] | None = None,
) -> HttpResponse | None:
    """Make a run for each organization among the rows; go to it, or to the list when there are several.

    `owners` are the organizations that have some of the rows, where the caller knows them.
    Returns None where nothing was made; a message says why.
    """
    rows = model_admin.rows(request, LEAST[kind], queryset)
    rows = rows.order_by().prefetch_related(None)
    allowed = organizations(request.user, LEAST[kind])
    owners = _owners(rows) if owners is None else owners.filter(pk__in=allowed)
    made: list[Run] = []
    # Many links are made at one press only by whoever saw how many, and where they end.
    draft = kind == RunKind.RECONNECT
    for organization in owners.order_by("name"):
        chosen = choose(rows.filter(organization=organization))
        try:
            made.append(create(request, kind, organization, chosen, draft=draft))
        except NotAllowed:
            messages.error(request, str(_NOT_THESE) % {"name": organization})
    if len(made) == 1:
        return HttpResponseRedirect(
            reverse("admin:instances_run_change", args=[made[0].pk])
        )
    if made:
        told = gettext("%(count)d runs were made, one for each organization.")
        messages.info(request, told % {"count": len(made)})
        return HttpResponseRedirect(reverse("admin:instances_run_changelist"))
    if not owners.exists():
        messages.warning(request, _NOTHING_STARTED)
    return None


def _owners(rows: QuerySet[Instance]) -> QuerySet[Organization]:
    """Return the organizations of rows that are named one by one."""
    # One row of each organization is enough to know, however many there are. EXISTS would
    # be joined by PostgreSQL, which reads all of them; the first of an index is looked up.
    some = rows.filter(organization=OuterRef("pk")).order_by("remote_id")
    first = Subquery(some.values("pk")[:1])
    return Organization.objects.alias(one=first).filter(one__gt=0)


def create(
    request: HttpRequest,
    kind: RunKind,
    organization: Organization,
    chosen: dict[str, Any],
    *,
    draft: bool = False,
) -> Run:
    """Make a run of a selection in the name of who asks; raise NotAllowed."""
    user = request.user
    if not isinstance(user, User):
        raise NotAllowed(LEAST[kind], organization)
    return create_once(
        kind,
        organization,
        chosen,
        user=user,
        now=timezone.now(),
        address=client_address(request),
        draft=draft,
    )
