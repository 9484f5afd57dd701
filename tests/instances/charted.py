"""Rows for the overview and for histories, made without a platform: instances, changes, runs, links."""

import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from instances.choices import RunKind, RunStatus
from instances.models import Flip, Instance, Item, ReconnectLink, Run
from instances.models.instance import instance_uid


def an_instance(organization, number, status="connected", **fields) -> Instance:
    """Make an instance that was made 60 days ago and looked at never or long ago."""
    long_ago = timezone.now() - timedelta(days=60)
    wanted = {
        "remote_id": str(number),
        "uid": instance_uid(organization.uid, str(number)),
        "name": f"Box {number}",
        "element_key": "box",
        "provider_key": "box",
        "status_since": long_ago,
        "created_at": long_ago,
    }
    return Instance.objects.create(
        organization=organization, status=status, **(wanted | fields)
    )


def changed(instance: Instance, *steps: tuple[datetime, str]) -> Instance:
    """Let an instance, unknown at first, go through these changes."""
    last = Flip.objects.filter(instance=instance).order_by("at").last()
    before = last.to_status if last else "unknown"
    for at, after in steps:
        Flip.objects.create(
            instance=instance, from_status=before, to_status=after, at=at
        )
        before = after
        Instance.objects.filter(pk=instance.pk).update(status=after, status_since=at)
    instance.refresh_from_db()
    return instance


def a_run(organization, at: datetime, kind=RunKind.REVOKE, **fields) -> Run:
    """Make a run that was started and ended at a moment."""
    times = {"created_at": at, "started_at": at, "finished_at": at}
    wanted = {"kind": kind, "status": RunStatus.FINISHED, "reason": "A leak", **times}
    return Run.objects.create(organization=organization, **(wanted | fields))


def an_item(run: Run, instance: Instance, outcome: str, **fields) -> Item:
    """Make an item that ended when its run did."""
    return Item.objects.create(
        run=run,
        instance=instance,
        number=Item.objects.filter(run=run).count() + 1,
        instance_uid=instance.uid,
        instance_name=instance.name,
        remote_id=instance.remote_id,
        element_key=instance.element_key,
        provider_key=instance.provider_key,
        status="done",
        outcome=outcome,
        finished_at=run.started_at,
        **fields,
    )


def a_link(instance: Instance, made_at: datetime, took: timedelta | None = None):
    """Make a link: one that waits, or one that took somebody so long."""
    return ReconnectLink.objects.create(
        token_hash=uuid.uuid4().hex,
        instance=instance,
        status="finished" if took else "made",
        made_at=made_at,
        finished_at=made_at + took if took else None,
        expires_at=made_at + timedelta(days=20),
    )
