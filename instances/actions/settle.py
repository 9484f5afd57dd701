"""What follows from an item's result: outcome, instance status, flip, audit, and concerns that it clears.

All of a batch is written in the caller's transaction; the audit chain's head is locked last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib import sealed
from ceadmin.teams.models import Organization
from instances.actions import evidence
from instances.actions.calls import Result
from instances.choices import (
    DESTRUCTIVE,
    InstanceStatus,
    ItemStatus,
    Outcome,
    RunKind,
    Weight,
    meaning,
)
from instances.models import Flip, Hold, Instance, Item, Run
from providers.models import ProviderApp
from providers.rules import CLIENT_ERRORS

#: These outcomes say that a grant is gone or was made anew, so they clear what was open about it.
_CLEARING = frozenset(
    {
        Outcome.VERIFIED_DEAD,
        Outcome.ALREADY_DEAD,
        Outcome.DEAD,
        Outcome.RECONNECTED,
        Outcome.DISABLED,
    }
)
#: An answer that was lost is found by looking. What was seen alive stays open: it was to die.
_FOUND = frozenset({Outcome.CONNECTED})
#: No instance comes to these before it was read with both of the organization's secrets.
_PROVES_SECRETS = frozenset(
    {
        Outcome.VERIFIED_DEAD,
        Outcome.ALREADY_DEAD,
        Outcome.ACCEPTED,
        Outcome.STILL_ALIVE,
        Outcome.REFUSED,
        Outcome.EXPIRING,
        Outcome.DEAD,
        Outcome.RECONNECTED,
    }
)
#: What a dead grant looks like to a probe.
_DEAD_AGAIN = frozenset({InstanceStatus.NEEDS_REAUTH, InstanceStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Settlement:
    """One item and how it ended."""

    item: Item
    result: Result


def settle(
    item: Item, result: Result, *, run: Run, actor: Actor, now: datetime
) -> None:
    """Settle one item in a transaction of its own."""
    with transaction.atomic():
        entries = settle_many(run, [Settlement(item, result)], actor=actor, now=now)
        record_many(str(run.organization.uid), entries, at=now)


def settle_many(
    run: Run, settlements: Sequence[Settlement], *, actor: Actor, now: datetime
) -> list[Entry]:
    """Write outcomes, statuses and flips; return the audit entries, which the caller records last."""
    ended = [one for one in settlements if one.result.outcome != Outcome.WAITING]
    _write_items(run, settlements, now)
    flips = _write_instances(run, settlements, now)
    _clear_concerns(run, ended, now)
    _write_apps(settlements)
    _clear_secrets_problem(run, ended)
    Hold.objects.filter(item_id__in=[one.item.pk for one in settlements]).delete()
    return [*_item_entries(run, ended, actor), *_flip_entries(run, flips, actor)]


def _write_items(run: Run, settlements: Iterable[Settlement], now: datetime) -> None:
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for one in settlements:
        fields = _item_fields(run.kind, one.result, now)
        if one.result.facts:
            facts = {**one.item.facts, **one.result.facts}
            Item.objects.filter(pk=one.item.pk).update(facts=facts, **fields)
        else:
            groups[tuple(fields.items())].append(one.item.pk)
    for pairs, pks in groups.items():
        Item.objects.filter(pk__in=pks).update(**dict(pairs))


def _item_fields(kind: str, result: Result, now: datetime) -> dict[str, Any]:
    common = {"cause": result.cause[:64], "explanation": _told(kind, result)[:500]}
    if result.outcome == Outcome.WAITING:
        return {"status": ItemStatus.WAITING, "outcome": "", **common}
    outcome = Outcome(result.outcome)
    return {"status": ItemStatus.DONE, "outcome": outcome, "finished_at": now, **common}


def _told(kind: str, result: Result) -> str:
    """Return the sentence for people: whatever needs attention has one."""
    if result.explanation or result.outcome == Outcome.WAITING:
        return result.explanation
    means = meaning(kind, result.outcome)
    return means.sentence if means.weight == Weight.ATTENTION else ""


def _write_instances(
    run: Run, settlements: Sequence[Settlement], now: datetime
) -> list[Flip]:
    by_pk = {one.item.instance_id: one for one in settlements if one.item.instance_id}
    rows = Instance.objects.select_for_update().filter(pk__in=by_pk).order_by("pk")
    before = dict(rows.values_list("pk", "status"))
    flips: list[Flip] = []
    groups: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for pk, one in by_pk.items():
        if pk in before:
            flip, plain = _changes(run, pk, one.result, before[pk], now)
            flips += [flip] if flip else []
            _apply(pk, plain, one, groups)
    for pairs, pks in groups.items():
        Instance.objects.filter(pk__in=pks).update(**dict(pairs))
    return Flip.objects.bulk_create(flips)


def _apply(
    pk: int,
    plain: dict[str, Any],
    one: Settlement,
    groups: dict[tuple[tuple[str, Any], ...], list[int]],
) -> None:
    if one.result.changes:
        changes = dict(one.result.changes)
        if "element_token" in changes:
            token = str(changes["element_token"])
            changes["element_token"] = sealed.seal(
                "instance.element_token", one.item.instance_uid, token
            )
        Instance.objects.filter(pk=pk).update(**plain, **changes)
    elif plain:
        groups[tuple(plain.items())].append(pk)


def _changes(
    run: Run, pk: int, result: Result, before: str, now: datetime
) -> tuple[Flip | None, dict[str, Any]]:
    plain = _stamps(run.kind, result, now)
    after = status_after(run.kind, result, before)
    if not after or after == before:
        return None, plain
    reason = (result.status_reason or result.cause)[:64]
    plain |= {"status": after, "status_reason": reason, "status_since": now}
    flip = Flip(
        instance_id=pk,
        run=run,
        from_status=before,
        to_status=after,
        reason=reason,
        at=now,
    )
    return flip, plain


def status_after(kind: str, result: Result, before: str) -> str:
    """Return the instance status that follows from `result`, or "" when it says nothing about it."""
    after = (
        result.status
        if result.status is not None
        else meaning(kind, result.outcome).status
    )
    if before == InstanceStatus.REVOKED and after in _DEAD_AGAIN:
        return InstanceStatus.REVOKED  # dead as we left it: "by us" is still why
    return str(after)


def _stamps(kind: str, result: Result, now: datetime) -> dict[str, Any]:
    stamps: dict[str, Any] = {}
    if kind == RunKind.PROBE and result.outcome not in (
        Outcome.MISCONFIGURED,
        Outcome.CANCELLED,
    ):
        stamps["probed_at"] = now
    if kind in DESTRUCTIVE and result.facts.get("revoked"):
        stamps["revoked_at"] = now
    if result.outcome == Outcome.RECONNECTED:
        stamps |= {"reconnected_at": now, "probed_at": now}
    return stamps


def _clear_concerns(run: Run, settlements: Sequence[Settlement], now: datetime) -> None:
    known = [
        one.item.instance_uid for one in settlements if one.result.outcome in _CLEARING
    ]
    works = [
        one.item.instance_uid for one in settlements if one.result.outcome in _FOUND
    ]
    if not known and not works:
        return
    found = Q(instance_uid__in=works, outcome=Outcome.UNCLEAR)
    concerns = Item.objects.of_concern().filter(Q(instance_uid__in=known) | found)
    concerns.filter(run__organization=run.organization).exclude(
        pk__in=[one.item.pk for one in settlements]
    ).update(cleared_at=now)


def _write_apps(settlements: Sequence[Settlement]) -> None:
    """Note with a provider app what a revocation showed of its client id and secret."""
    refused, taken = set[int](), set[int]()
    for one in settlements:
        if one.item.instance_id and one.result.facts.get("refused") in CLIENT_ERRORS:
            refused.add(one.item.instance_id)
        elif one.item.instance_id and "revoked" in one.result.facts.get("said", ()):
            taken.add(one.item.instance_id)
    if taken:
        mended = ProviderApp.objects.filter(last_problem__in=sorted(CLIENT_ERRORS))
        mended.filter(pk__in=_apps_of(taken)).update(last_problem="")
    for one in settlements:
        if one.item.instance_id in refused:
            word = str(one.result.facts["refused"])[:64]
            ProviderApp.objects.filter(pk__in=_apps_of({one.item.instance_id})).exclude(
                last_problem=word
            ).update(last_problem=word)


def _apps_of(instances: set[int]) -> list[int]:
    found = Instance.objects.filter(pk__in=instances, provider_app__isnull=False)
    return sorted(set(found.values_list("provider_app_id", flat=True)))


def _clear_secrets_problem(run: Run, ended: Sequence[Settlement]) -> None:
    """Forget that the organization's secrets were refused, once a call with both of them worked."""
    if any(one.result.outcome in _PROVES_SECRETS for one in ended):
        Organization.objects.filter(pk=run.organization_id).exclude(
            secrets_problem=""
        ).update(secrets_problem="", secrets_problem_at=None)


def _item_entries(
    run: Run, settlements: Sequence[Settlement], actor: Actor
) -> list[Entry]:
    """Entries for what has consequences; a probe is worth one only when it changes a status."""
    if run.kind in (RunKind.PROBE, RunKind.SYNC):
        return []
    return [
        Entry(
            Action.ITEM_SETTLED,
            actor=actor,
            outcome=one.result.outcome,
            facts={"kind": run.kind, "cause": one.result.cause, **one.result.facts},
            **evidence.about(one.item, run),
        )
        for one in settlements
    ]


def _flip_entries(run: Run, flips: Sequence[Flip], actor: Actor) -> list[Entry]:
    instances = Instance.objects.in_bulk([flip.instance_id for flip in flips])
    return [
        _flip_entry(run, flip, instances[flip.instance_id], actor) for flip in flips
    ]


def _flip_entry(run: Run, flip: Flip, instance: Instance, actor: Actor) -> Entry:
    return Entry(
        Action.STATUS_CHANGED,
        actor=actor,
        subject=Subject("instance", str(instance.uid), instance.name),
        run_uid=str(run.uid),
        instance_uid=str(instance.uid),
        provider_key=instance.provider_key,
        facts={"from": flip.from_status, "to": flip.to_status, "reason": flip.reason},
    )


def is_attention(kind: str, outcome: str) -> bool:
    """Tell whether an outcome counts as needing attention."""
    return meaning(kind, outcome).weight == Weight.ATTENTION
