"""What a person must be allowed to do for a run: asked by pages, commands and jobs alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import may, require
from ceadmin.teams.terms import terms_of
from instances import selection as selections
from instances.choices import RunKind
from instances.models import Instance, Item, Run
from instances.querysets import InstanceQuerySet

#: What a person must be allowed to do for each kind of run, whatever it is about.
ACT_OF_KIND: dict[str, Act] = {
    RunKind.SYNC: Act.OPERATE,
    RunKind.PROBE: Act.OPERATE,
    RunKind.RECONNECT: Act.OPERATE,
    RunKind.REVOKE: Act.REVOKE,
    RunKind.DRILL: Act.REVOKE,
}


def act_of(run: Run) -> Act:
    """Return what a person must be allowed to do for a run, as its instances are tagged now."""
    if run.kind != RunKind.DRILL:
        return ACT_OF_KIND[run.kind]
    if run.planned_at is None:
        return act_on_selection(run.kind, run.organization, run.selection)
    if Item.objects.filter(run=run, instance__isnull=True).exists():
        return Act.REVOKE  # of what is gone nobody knows the tags
    return _act_of_drill(run.organization, instances_of(run))


def act_on_selection(
    kind: str, organization: Organization, selection: Mapping[str, Any]
) -> Act:
    """Return what a person must be allowed to do for a run that is not planned yet."""
    if kind != RunKind.DRILL:
        return ACT_OF_KIND[kind]
    own = Instance.objects.of(organization)
    try:
        return _act_of_drill(organization, selections.narrow(own, selection))
    except selections.BadSelection:
        return Act.REVOKE  # the planner refuses it


def _act_of_drill(organization: Organization, chosen: InstanceQuerySet) -> Act:
    return Act.DRILL_TEST if only_tests(organization, chosen) else Act.REVOKE


def only_tests(organization: Organization, chosen: InstanceQuerySet) -> bool:
    """Say whether all that a drill would kill is tagged as test, and nothing as production.

    Instances that share a grant with the chosen ones die with them, so they count too.
    """
    terms = terms_of(organization)
    chosen = chosen.order_by()
    if not terms.test_tags or not chosen.exists():
        return False
    for some in (chosen, chosen.siblings(organization)):
        tests = some.tagged(terms.test_tags)
        others = some.exclude(pk__in=tests.order_by().values("pk"))
        if others.exists() or some.tagged(terms.production_tags).exists():
            return False
    return True


def instances_of(run: Run) -> InstanceQuerySet:
    """Return the instances of a run's frozen list that are still here."""
    items = Item.objects.filter(run=run, instance__isnull=False)
    return Instance.objects.filter(pk__in=items.order_by().values("instance_id"))


def require_for(user: User, run: Run) -> None:
    """Raise NotAllowed unless a person may do this run, as things stand now."""
    require(user, act_of(run), run.organization)


def may_do(user: User | None, run: Run) -> bool:
    """Say whether a person may do this run, as things stand now."""
    return user is not None and may(user, act_of(run), run.organization)


def requester_may(run: Run) -> bool:
    """Say whether the person in whose name a run goes may still do it."""
    # A run without a name is the schedule's; else the account is gone.
    return not run.requested_by_name or may_do(run.requested_by, run)
