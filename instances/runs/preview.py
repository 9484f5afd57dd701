"""What a draft would do, counted before anything is sent: a few grouped queries however many items there are."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from instances.choices import InstanceStatus
from instances.models import Instance, Item, Run
from instances.querysets import InstanceQuerySet
from providers import catalogue


@dataclass(frozen=True, slots=True)
class Effect:
    """The items of one provider: how many, in which state, and what a revocation kills there."""

    provider_key: str
    provider_name: str
    count: int
    statuses: tuple[tuple[str, int], ...]
    kills: str
    possible: int
    problem: str = ""  # why the others can't be revoked
    manual_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft's effects. `siblings` share a grant with selected instances and die with them."""

    total: int
    possible: int
    effects: tuple[Effect, ...]
    siblings: int
    sibling_names: tuple[str, ...]
    dead_already: int

    @property
    def impossible(self) -> int:
        """Return how many items can't be worked as things are set up."""
        return self.total - self.possible


#: Instances in these states have nothing more to lose.
_DEAD = (InstanceStatus.NEEDS_REAUTH, InstanceStatus.REVOKED)


def preview(run: Run) -> Preview:
    """Return what `run` would do to its frozen list."""
    rows = (
        Item.objects.filter(run=run)
        .order_by("provider_key")
        .values("provider_key", "instance__status")
        .annotate(
            count=Count("id"),
            with_app=Count("id", filter=Q(instance__provider_app__isnull=False)),
        )
    )
    by_provider: dict[str, list[tuple[str, int, int]]] = {}
    for row in rows:
        state = (
            row["instance__status"] or InstanceStatus.MISSING,
            row["count"],
            row["with_app"],
        )
        by_provider.setdefault(row["provider_key"], []).append(state)
    effects = tuple(_effect(key, states) for key, states in by_provider.items())
    siblings = _siblings(run)
    return Preview(
        total=sum(effect.count for effect in effects),
        possible=sum(effect.possible for effect in effects),
        effects=effects,
        siblings=siblings.count(),
        sibling_names=tuple(
            siblings.order_by("name", "pk").values_list("name", flat=True)[:10]
        ),
        dead_already=sum(
            count
            for states in by_provider.values()
            for s, count, _ in states
            if s in _DEAD
        ),
    )


def _effect(key: str, states: list[tuple[str, int, int]]) -> Effect:
    provider = catalogue.find(key)
    count = sum(number for _, number, _ in states)
    statuses = tuple((status, number) for status, number, _ in states)
    if provider is None:
        return Effect("", "Unknown provider", count, statuses, "", 0, _UNKNOWN)
    if not provider.revocable:
        return Effect(
            key,
            provider.name,
            count,
            statuses,
            provider.kills,
            0,
            _NO_CALL,
            provider.manual_steps,
        )
    needs_app = revocation_needs_app(key)
    possible = sum(app for _, _, app in states) if needs_app else count
    problem = _NO_APP if possible < count else ""
    return Effect(
        key, provider.name, count, statuses, provider.kills, possible, problem
    )


_UNKNOWN = "The catalogue does not know this element. Assign a provider app with the generic record."
_NO_CALL = "This provider offers no revocation that can be called here."
_NO_APP = "Some have no provider app, whose client id and secret this provider asks for. Assign one first."


def revocation_needs_app(key: str) -> bool:
    """Tell whether a provider's revocation is authenticated by the client's own credentials."""
    provider = catalogue.find(key)
    call = provider.revoke.call if provider else None
    return call is not None and (
        call.client_auth != "none" or "{client_secret}" in str(dict(call.fields))
    )


def _siblings(run: Run) -> InstanceQuerySet:
    """Return instances outside the list that hold a grant which the list kills."""
    chosen = Item.objects.filter(run=run).exclude(instance__grant_fingerprint="")
    return (
        Instance.objects.of(run.organization)
        .filter(grant_fingerprint__in=chosen.values("instance__grant_fingerprint"))
        .exclude(
            pk__in=Item.objects.filter(run=run, instance__isnull=False).values(
                "instance_id"
            )
        )
    )
