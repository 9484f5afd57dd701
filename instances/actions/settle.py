"""What follows from an item's result: outcome, instance status, flip, audit, and concerns that it clears.

All of a batch is written in the caller's transaction; the audit chain's head is locked last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib import sealed
from ceadmin.lib.rows import Lookup, Rows, among
from ceadmin.lib.sayings import english
from ceadmin.teams.models import Organization
from instances.actions import evidence
from instances.actions.calls import Result
from instances.choices import (
    DESTRUCTIVE,
    STICKY,
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


#: They change no grant: they hold no instance, and what they saw is no event of an item.
_SEES_ONLY = frozenset({RunKind.PROBE, RunKind.SYNC})

_ITEM_FIELDS = ("status", "outcome", "cause", "explanation", "finished_at")
_ITEMS = Rows(Item, "id", *_ITEM_FIELDS)
_ITEMS_AND_FACTS = Rows(Item, "id", *_ITEM_FIELDS, "facts")
_KNOWN = Lookup(
    Instance, "id", "id", "uid", "name", "provider_key", "status", lock=True
)
# A uid belongs to one organization; which runs count is asked only where one is found.
_CONCERNS = Lookup(
    Item,
    "instance_uid",
    *("id", "instance_uid", "outcome"),
    where="cleared_at IS NULL AND outcome IN ("
    + ", ".join(f"'{outcome.value}'" for outcome in sorted(STICKY))
    + ")",
)
_HOLDS = Lookup(Hold, "item_id", "item_id")
_FLIPS = Rows(Flip, "instance_id", "run_id", "from_status", "to_status", "reason", "at")


class _Turn(NamedTuple):
    """An instance whose status changes."""

    pk: int
    uid: UUID
    name: str
    provider_key: str
    before: str
    after: str
    reason: str

    def flip(self, run: Run, at: datetime) -> tuple[Any, ...]:
        """Return the row of its history."""
        return self.pk, run.pk, self.before, self.after, self.reason, at


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
    turns = _write_instances(run, settlements, now)
    _clear_concerns(run, ended, now)
    _write_apps(settlements)
    _clear_secrets_problem(run, ended)
    if run.kind not in _SEES_ONLY:
        _HOLDS.delete([one.item.pk for one in settlements])
    turned = [_turn_entry(run, turn, actor) for turn in turns]
    return [*_item_entries(run, ended, actor), *turned]


def _write_items(run: Run, settlements: Iterable[Settlement], now: datetime) -> None:
    plain: list[tuple[Any, ...]] = []
    telling: list[tuple[Any, ...]] = []
    for one in settlements:
        fields = _item_fields(run.kind, one.result, now)
        if one.result.facts:
            facts = {**one.item.facts, **one.result.facts}
            telling.append((one.item.pk, *fields, facts))
        else:
            plain.append((one.item.pk, *fields))
    _ITEMS.update(plain)
    _ITEMS_AND_FACTS.update(telling)


def _item_fields(kind: str, result: Result, now: datetime) -> tuple[Any, ...]:
    """Return the values of `_ITEM_FIELDS`."""
    told = result.cause[:64], _told(kind, result)[:500]
    if result.outcome == Outcome.WAITING:
        return ItemStatus.WAITING.value, "", *told, None
    return ItemStatus.DONE.value, Outcome(result.outcome).value, *told, now


def _told(kind: str, result: Result) -> str:
    """Return the sentence for people, in English: whatever needs attention has one."""
    if result.explanation or result.outcome == Outcome.WAITING:
        return result.explanation
    means = meaning(kind, result.outcome)
    return english(means.sentence) if means.weight == Weight.ATTENTION else ""


def _write_instances(
    run: Run, settlements: Sequence[Settlement], now: datetime
) -> list[_Turn]:
    """Write what follows for the instances, all rows of a kind in one statement; return whose status turned."""
    by_pk = {one.item.instance_id: one for one in settlements if one.item.instance_id}
    turns: list[_Turn] = []
    groups: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for pk, uid, name, provider_key, before in _KNOWN.find(by_pk):
        item, result = by_pk[pk].item, by_pk[pk].result
        fields = _stamps(run.kind, result, now)
        after = status_after(run.kind, result, before)
        if after and after != before:
            reason = (result.status_reason or result.cause)[:64]
            fields |= {"status": after, "status_reason": reason, "status_since": now}
            turns.append(_Turn(pk, uid, name, provider_key, before, after, reason))
        fields |= _sealed_changes(item, result)
        if fields:
            groups[tuple(fields)].append((pk, *fields.values()))
    for names, values in groups.items():
        _instances(names).update(values)
    _FLIPS.insert([turn.flip(run, now) for turn in turns])
    return turns


#: What may still work as far as is known.
_LIVE = frozenset(
    {InstanceStatus.CONNECTED, InstanceStatus.DEGRADED, InstanceStatus.UNKNOWN}
)


def turn_many(
    run: Run, wanted: Mapping[int, tuple[str, str]], *, actor: Actor, now: datetime
) -> list[Entry]:
    """Give instances that are no items of a run, and may still work, a status and its reason because of that run.

    `wanted`: primary key → status, reason. Returns the audit entries, as `settle_many`.
    """
    turns = [
        _Turn(pk, uid, name, provider_key, before, *wanted[pk])
        for pk, uid, name, provider_key, before in _KNOWN.find(wanted)
        if before in _LIVE and before != wanted[pk][0]
    ]
    fields = _instances(("status", "status_reason", "status_since"))
    fields.update([(turn.pk, turn.after, turn.reason, now) for turn in turns])
    _FLIPS.insert([turn.flip(run, now) for turn in turns])
    return [_turn_entry(run, turn, actor) for turn in turns]


@cache
def _instances(names: tuple[str, ...]) -> Rows:
    return Rows(Instance, "id", *names)


def _sealed_changes(item: Item, result: Result) -> dict[str, Any]:
    changes = dict(result.changes)
    if "element_token" in changes:
        token = str(changes["element_token"])
        changes["element_token"] = sealed.seal(
            "instance.element_token", item.instance_uid, token
        )
    return changes


def status_after(kind: str, result: Result, before: str) -> str:
    """Return the instance status that follows from `result`, or "" when it says nothing about it."""
    after = (
        result.status
        if result.status is not None
        else meaning(kind, result.outcome).status
    )
    if before == InstanceStatus.REVOKED and after in _DEAD_AGAIN:
        return InstanceStatus.REVOKED  # dead as we left it: "by us" is still why
    return after.value if isinstance(after, InstanceStatus) else str(after)


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
    dead = {
        one.item.instance_uid for one in settlements if one.result.outcome in _CLEARING
    }
    alive = {
        one.item.instance_uid for one in settlements if one.result.outcome in _FOUND
    }
    if not dead and not alive:
        return
    own = {one.item.pk for one in settlements}
    known = _CONCERNS.find(dead | alive)
    cleared = [
        pk
        for pk, uid, outcome in known
        if pk not in own and (uid in dead or outcome == Outcome.UNCLEAR)
    ]
    if cleared:  # seldom: most have left no concern
        concerns = Item.objects.of_concern().filter(pk__in=cleared)
        concerns.filter(run__organization=run.organization_id).update(cleared_at=now)


def _write_apps(settlements: Sequence[Settlement]) -> None:
    """Note with a provider app what a revocation showed of its client id and secret."""
    refused: dict[str, set[int]] = defaultdict(set)
    taken: set[int] = set()
    for one in settlements:
        facts, instance = one.result.facts, one.item.instance_id
        if instance and facts.get("refused") in CLIENT_ERRORS:
            refused[str(facts["refused"])[:64]].add(instance)
        elif instance and "revoked" in facts.get("said", ()):
            taken.add(instance)
    problems = ProviderApp.objects.filter(last_problem__in=sorted(CLIENT_ERRORS))
    if taken and problems.exists():  # seldom: most apps have none
        problems.filter(pk__in=_apps_of(taken)).update(last_problem="")
    for word, instances in refused.items():
        ProviderApp.objects.filter(pk__in=_apps_of(instances)).exclude(
            last_problem=word
        ).update(last_problem=word)


def _apps_of(instances: set[int]) -> list[int]:
    mine = Instance.objects.filter(among(Instance, "id", instances))
    found = mine.filter(provider_app__isnull=False)
    return sorted(found.order_by().values_list("provider_app_id", flat=True).distinct())


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
    if run.kind in _SEES_ONLY:
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


def _turn_entry(run: Run, turn: _Turn, actor: Actor) -> Entry:
    uid = str(turn.uid)
    return Entry(
        Action.STATUS_CHANGED,
        actor=actor,
        subject=Subject("instance", uid, turn.name),
        run_uid=str(run.uid),
        instance_uid=uid,
        provider_key=turn.provider_key,
        facts={"from": turn.before, "to": turn.after, "reason": turn.reason},
    )
