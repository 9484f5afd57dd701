"""Note that a run uses secrets: once per run and owner, so that a call costs nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib.rows import Rows
from ceadmin.teams.models import Organization
from instances.actions.load import actor_of_run
from instances.models import Run, SecretUse
from providers.models import ProviderApp

Owner = Organization | ProviderApp

_USES = Rows(SecretUse, "run_id", "owner_uid", "at")


def note_organization(run: Run, now: datetime) -> None:
    """Note that a run uses the secrets of its organization."""
    _note(run, [run.organization], now)


def note_apps(run: Run, pks: Iterable[int], now: datetime) -> None:
    """Note that a run uses the secrets of some provider apps."""
    apps = ProviderApp.objects.filter(pk__in=set(pks)).order_by("pk")
    _note(run, list(apps), now)


def last_use(owner: Owner) -> SecretUse | None:
    """Return the last use of an owner's secrets by a run."""
    uses = SecretUse.objects.filter(owner_uid=owner.uid).select_related("run")
    return uses.order_by("-at").first()


def _note(run: Run, owners: Sequence[Owner], now: datetime) -> None:
    known = set(_uses_of(run, owners))
    fresh = [owner for owner in owners if owner.uid not in known]
    if not fresh:
        return
    with transaction.atomic():
        # Of workers that begin together one makes the row, and writes the event.
        rows = [(run.pk, owner.uid, now) for owner in fresh]
        new = {UUID(str(uid)) for (uid,) in _USES.insert_new(rows, "owner_uid")}
        made = [owner for owner in fresh if owner.uid in new]
        entries = [_entry(run, owner) for owner in made]
        record_many(run.organization.chain, entries, at=now)


def _uses_of(run: Run, owners: Sequence[Owner]) -> Iterable[UUID]:
    uids = [owner.uid for owner in owners]
    uses = SecretUse.objects.filter(run=run, owner_uid__in=uids)
    return uses.values_list("owner_uid", flat=True)


def _entry(run: Run, owner: Owner) -> Entry:
    app = isinstance(owner, ProviderApp)
    return Entry(
        Action.SECRET_USED,
        actor=actor_of_run(run),
        subject=Subject(
            "provider_app" if app else "organization", str(owner.uid), owner.name
        ),
        run_uid=str(run.uid),
        provider_key=owner.provider_key if isinstance(owner, ProviderApp) else "",
        facts={"kind": run.kind},
    )
