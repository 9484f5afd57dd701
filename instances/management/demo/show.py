"""The demo from beginning to end: load, drill, show, compare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.core.management.base import CommandError

from ceadmin.teams.models import Organization
from instances import runs, selection
from instances.choices import RUN_ACTIVE, RunKind, RunStatus
from instances.management.asking import Wish, begin
from instances.management.demo import loading, stand_in, table
from instances.management.demo.world import Seed, Tenant, world
from instances.management.following import Follower
from instances.models import Attempt, Item, Run

Say = Callable[[str], None]
Clock = Callable[[], datetime]

_OPERATOR, _REVOKER = "otto@example.com", "rita@example.com"
#: Far more than a good demo takes.
_PATIENCE = 120.0


def show(say: Say, clock: Clock, fault: str = "") -> int:
    """Run the demo; return 0 only if every step of every drill did what the article says."""
    say("Loading the demo's world…")
    loading.load(clock())
    _mirror(clock)
    code = _drill_all(say, clock, fault)
    say("")
    for line in loading.greeting():
        say(line)
    return code


def _mirror(clock: Clock) -> None:
    """Let the worker sync and probe what was never looked at."""
    fresh = [tenant for tenant in world().tenants if not loading.is_mirrored(tenant)]
    for kind in (RunKind.SYNC, RunKind.PROBE):
        asked = [_begin(kind, tenant, _OPERATOR, clock) for tenant in fresh]
        _follow(asked)


def _begin(
    kind: str, tenant: Tenant, mail: str, clock: Clock, seed: Seed | None = None
) -> Run:
    chosen = selection.of_remote_ids([str(seed.number)]) if seed else None
    wish = Wish(
        kind,
        Organization.objects.get(slug=tenant.slug),
        chosen or selection.everything(),
        reason="The demo's drill" if seed else "",
        options={"self_consent": True} if seed else {},
    )
    return begin(wish, user=loading.user_of(mail), now=clock())


def _follow(asked: list[Run]) -> None:
    for run in asked:
        if not Follower(None).follow(run, _PATIENCE):
            raise CommandError(
                f"{run} did not end within {_PATIENCE:.0f} s: does the worker work?"
            )


def _drill_all(say: Say, clock: Clock, fault: str) -> int:
    pairs = [(tenant, seed) for tenant in world().tenants for seed in tenant.drills()]
    for tenant in {tenant.slug: tenant for tenant, _ in pairs}.values():
        _end_old_drills(tenant, clock)
        loading.revive_drills(tenant)
    since = stand_in.last_entry()
    say(
        f"One drill per provider, by the worker{f', spoiled by {fault}' if fault else ''}…"
    )
    try:
        if fault:
            stand_in.tell("faults", dict(world().faults[fault]))
        asked = [
            _begin(RunKind.DRILL, tenant, _REVOKER, clock, seed)
            for tenant, seed in pairs
        ]
        _follow(asked)
    finally:
        stand_in.forget_faults()
    return _report(asked, [seed.app.short for _, seed in pairs], since, say)


def _end_old_drills(tenant: Tenant, clock: Clock) -> None:
    """Stop drills that an earlier demo left in the middle."""
    ids = [str(seed.number) for seed in tenant.drills()]
    old = Run.objects.filter(
        organization__slug=tenant.slug,
        kind=RunKind.DRILL,
        status__in=sorted(RUN_ACTIVE),
        items__remote_id__in=ids,
    )
    left = list(old.select_related("organization").distinct())
    for run in left:
        if run.status != RunStatus.STOPPING:
            runs.stop(run, user=loading.user_of(_REVOKER), now=clock())
    _follow(left)


def _report(asked: list[Run], titles: list[str], since: int, say: Say) -> int:
    items = [Item.objects.get(run=run) for run in asked]
    columns = [
        table.column(item, title) for item, title in zip(items, titles, strict=True)
    ]
    say("")
    for line in table.lines(columns):
        say(line)
    say("")
    for one in columns:
        if not one.good:
            say(f"{one.title} did not do what the article says. {one.explanation}")
    clean = _compare(items, since, say)
    return 0 if clean and all(one.good for one in columns) else 1


def _compare(items: list[Item], since: int, say: Say) -> bool:
    """Hold the attempt rows against the stand-in's own log; say what differs."""
    log, calls, clean = stand_in.log_since(since), 0, True
    for item in items:
        rows = table.told(Attempt.objects.filter(item=item))
        calls += len(rows)
        for difference in table.differences(rows, log, int(item.remote_id)):
            say(f"{item.instance_name}: {difference}")
            clean = False
    if clean:
        say(f"The stand-in's own log tells the same {calls} calls, in the same order.")
    return clean
