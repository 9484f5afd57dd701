"""Sync: mirror the platform's instances page by page, and report what drifted. Nothing is deleted here."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_noop

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib.sealed import SealError
from instances.actions.calls import Result, drive
from instances.actions.causes import Cause, sentence
from instances.actions.load import actor_of_run, credentials_of
from instances.actions.settle import Settlement, settle_many
from instances.actions.sync import Listed, pages
from instances.choices import (
    ChunkStatus,
    InstanceStatus,
    ItemStatus,
    Outcome,
    RunStatus,
)
from instances.cloud_elements import Page, PlatformError, RemoteInstance
from instances.engine.claim import claim, release, renew, requeue
from instances.models import Chunk, Flip, Instance, InstanceTag, Item, Run
from instances.runs.ending import (
    fail,
    forget_wrong_secrets,
    note_wrong_secrets,
    wrong_secret,
)
from instances.runs.mirror import Mirror, mirror_of

#: What an upsert may change; identity and status are not among them.
_UPDATED = (
    "name",
    "element_key",
    "hub",
    "provider_key",
    "provider_app",
    "element_token",
    "client_id",
    "account",
    "callback_url",
    "site",
    "configuration_names",
    "grant_fingerprint",
    "disabled",
    "synced_at",
)
_INCOMPLETE = "incomplete"
_BEAT_EVERY = 1.0
#: Rows settled in one transaction.
_PORTION = 200


class Halted(Exception):
    """The run was paused or stopped, or another worker has it."""


@dataclass(slots=True)
class Sync:
    """One sync at work; `reported` are those that an earlier try of the run has told of."""

    run: Run
    chunk: Chunk
    mirror: Mirror
    numbers: int = 0
    reported: frozenset[UUID] = frozenset()
    unchanged: int = 0
    next_beat: float = 0.0

    def deliver(self, page: Page) -> None:
        """Write one page in a transaction of its own."""
        with transaction.atomic():
            self._write(page.instances)
        self.beat()

    def beat(self) -> None:
        """Say every second that the worker lives; raise Halted when it is to go no further."""
        if time.monotonic() < self.next_beat:
            return
        self.next_beat = time.monotonic() + _BEAT_EVERY
        renew(self.chunk.worker, [self.chunk.pk], [])
        held = Chunk.objects.filter(
            pk=self.chunk.pk,
            status=ChunkStatus.CLAIMED,
            worker=self.chunk.worker,
            run__status=RunStatus.RUNNING,
        )
        if not held.exists():
            raise Halted

    def _write(self, remotes: Sequence[RemoteInstance]) -> None:
        now = timezone.now()
        known = self._known(remotes)
        rows = [
            self.mirror.row(remote, known.get(remote.remote_id), now)
            for remote in remotes
        ]
        drift = {
            row.remote_id: self.mirror.drift(row, known.get(row.remote_id))
            for row in rows
        }
        Instance.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["organization", "remote_id"],
            update_fields=_UPDATED,
        )
        stored = self._known(remotes)
        self._back_again(list(stored.values()), now)
        changed_tags = _write_tags(stored, remotes)
        reports: list[tuple[Instance, str, list[str]]] = []
        for remote in remotes:
            names = [
                *drift[remote.remote_id],
                *(["tags"] if remote.remote_id in changed_tags else []),
            ]
            if remote.remote_id not in known:
                reports.append((stored[remote.remote_id], Outcome.NEW, []))
            elif names:
                reports.append((stored[remote.remote_id], Outcome.CHANGED, names))
        told = {instance.uid for instance, _, _ in reports} | self.reported
        self.unchanged += sum(row.uid not in told for row in stored.values())
        self._report(reports, now)

    def _known(self, remotes: Sequence[RemoteInstance]) -> dict[str, Instance]:
        ids = [remote.remote_id for remote in remotes]
        own = Instance.objects.of(self.run.organization).filter(remote_id__in=ids)
        return {
            instance.remote_id: instance for instance in own.prefetch_related("tags")
        }

    def _back_again(self, rows: Sequence[Instance], now: datetime) -> None:
        """What was missing and is listed again is unknown until it is probed."""
        missing = [row for row in rows if row.status == InstanceStatus.MISSING]
        Flip.objects.bulk_create(
            Flip(
                instance=row,
                run=self.run,
                from_status=row.status,
                to_status=InstanceStatus.UNKNOWN,
                reason="listed_again",
                at=now,
            )
            for row in missing
        )
        Instance.objects.filter(pk__in=[row.pk for row in missing]).update(
            status=InstanceStatus.UNKNOWN,
            status_reason="listed_again",
            status_since=now,
        )

    def _report(
        self, reports: Iterable[tuple[Instance, str, list[str]]], now: datetime
    ) -> None:
        items = []
        for instance, outcome, names in reports:
            items.append(_item(self.run, instance, self._next(), outcome, names, now))
        Item.objects.bulk_create(items, ignore_conflicts=True)

    def vanished(self, listed: Listed) -> None:
        """Report what the platform no longer lists; only a complete listing proves anything."""
        own = Instance.objects.of(self.run.organization).present().order_by("pk")
        gone = [
            instance
            for instance in own.iterator()
            if instance.remote_id not in listed.seen
        ]
        for portion in batched(gone, _PORTION):
            self._settle_vanished(portion)
            self.beat()

    def _settle_vanished(self, gone: Sequence[Instance]) -> None:
        now = timezone.now()
        result = Result(Outcome.VANISHED.value, cause="vanished")
        with transaction.atomic():
            items = [_item(self.run, one, self._next(), "", [], now) for one in gone]
            Item.objects.bulk_create(items)
            settlements = [Settlement(item, result) for item in items]
            entries = settle_many(
                self.run, settlements, actor=actor_of_run(self.run), now=now
            )
            record_many(str(self.run.organization.uid), entries, at=now)

    def _next(self) -> int:
        self.numbers += 1
        return self.numbers


def batched(rows: Sequence[Instance], size: int) -> Iterable[Sequence[Instance]]:
    """Yield `rows` in portions of `size`."""
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


def _item(
    run: Run,
    instance: Instance,
    number: int,
    outcome: str,
    names: list[str],
    now: datetime,
) -> Item:
    return Item(
        run=run,
        instance=instance,
        number=number,
        instance_uid=instance.uid,
        instance_name=instance.name,
        remote_id=instance.remote_id,
        element_key=instance.element_key,
        provider_key=instance.provider_key,
        facts={"changed": names} if names else {},
        status=ItemStatus.DONE if outcome else ItemStatus.RUNNING,
        outcome=outcome,
        started_at=now,
        finished_at=now if outcome else None,
    )


def _write_tags(
    stored: Mapping[str, Instance], remotes: Sequence[RemoteInstance]
) -> set[str]:
    """Bring the tags up to the platform's; return the remote ids whose tags differed."""
    changed: set[str] = set()
    fresh: list[InstanceTag] = []
    for remote in remotes:
        instance = stored[remote.remote_id]
        before = {tag.name for tag in instance.tags.all()}
        after = {tag[:128] for tag in remote.tags}
        if before != after:
            changed.add(remote.remote_id)
            InstanceTag.objects.filter(
                instance=instance, name__in=before - after
            ).delete()
            fresh += [
                InstanceTag(instance=instance, name=name)
                for name in sorted(after - before)
            ]
    InstanceTag.objects.bulk_create(fresh, ignore_conflicts=True)
    return changed


def work_sync(run: Run, *, worker: str) -> None:
    """Work a sync run from its first page to its last; a repeated start begins again and changes nothing twice."""
    got = claim(run, worker)
    if got is None:
        return
    chunk, _ = got
    try:
        problem = _sync(run, chunk)
    except SealError as error:
        problem = ("key_missing", str(error))
    except Halted:
        requeue(chunk)
        return
    _finish(run, problem)
    release(chunk)
    _draw_conclusions(run, *problem)


def _draw_conclusions(run: Run, code: str, words: str) -> None:
    """Let the organization and the run follow from how the listing ended."""
    now = timezone.now()
    if not code:
        forget_wrong_secrets(run.organization)
    if code == Cause.ORGANIZATION_SECRETS:
        note_wrong_secrets(
            run.organization, wrong_secret(run.organization) or code, now
        )
    if code not in ("", _INCOMPLETE):
        fail(run, code, words, now)


def _sync(run: Run, chunk: Chunk) -> tuple[str, str]:
    """Return the problem that ended the listing early, or two empty words."""
    numbers = Item.objects.filter(run=run).aggregate(last=Max("number"))["last"] or 0
    told = Item.objects.filter(run=run).values_list("instance_uid", flat=True)
    sync = Sync(
        run, chunk, mirror_of(run.organization), numbers, reported=frozenset(told)
    )
    try:
        listed = drive(
            pages(credentials_of(run.organization), sync.deliver),
            sleep=_sleep_alive(sync),
        )
    except PlatformError as problem:
        return _explained(problem)
    finally:
        Run.objects.filter(pk=run.pk).update(unchanged=sync.unchanged)
    if not listed.complete:
        return (
            _INCOMPLETE,
            _ENDED_EARLY,
        )
    sync.vanished(listed)
    return "", ""


def _sleep_alive(sync: Sync) -> Any:
    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        sync.beat()

    return sleep


def _explained(problem: PlatformError) -> tuple[str, str]:
    cause = (
        Cause.ORGANIZATION_SECRETS.value if problem.status == 401 else str(problem.code)
    )
    return cause, sentence(cause) or _UNANSWERED


_ENDED_EARLY = gettext_noop(
    "The platform's list ended early, so nothing was called vanished. Sync again."
)
_UNANSWERED = gettext_noop("The platform did not answer the list of instances.")


def _finish(run: Run, problem: tuple[str, str]) -> None:
    code, words = problem
    with transaction.atomic():
        total = Item.objects.filter(run=run).count()
        Run.objects.filter(pk=run.pk).update(
            total=total, problem=code[:64], problem_text=words[:500]
        )
        entry = Entry(
            Action.INSTANCE_SYNCED,
            actor=actor_of_run(run),
            subject=Subject(
                "organization", str(run.organization.uid), run.organization.name
            ),
            run_uid=str(run.uid),
            outcome=code or "complete",
            facts={"drifted": total},
        )
        record_many(str(run.organization.uid), [entry], at=timezone.now())
