"""What tests of a run's parts share: crowds of several providers, and workers that need no platform."""

from django.utils import timezone

from instances import runs
from instances.actions.calls import Result
from instances.actions.load import actor_of_run
from instances.choices import RunStatus
from instances.engine import claim, release
from instances.engine.writer import Writer
from instances.models import Instance, Part, Run
from instances.models.instance import instance_uid


def crowd(fleet, **counts: int) -> None:
    """Save so many instances of each provider, without a platform behind them."""
    now = timezone.now()
    Instance.objects.bulk_create(
        Instance(
            uid=instance_uid(fleet.organization.uid, f"{key}{number}"),
            organization=fleet.organization,
            remote_id=f"{key}{number}",
            name=f"{key} {number}",
            element_key=key,
            provider_key=key,
            status_since=now,
            created_at=now,
        )
        for key, count in counts.items()
        for number in range(count)
    )


def started(fleet, kind: str, **options) -> Run:
    """Return a planned run over everything, at work."""
    run = fleet.draft(kind, **options)
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


def worker(run: Run, name: str = "one") -> Writer:
    """Return the writer of a worker without sockets."""
    return Writer(run, actor_of_run(run), timezone.now, name)


def take(run: Run, name: str = "one", without=()):
    """Claim the next chunk: its provider and items, or None."""
    got = claim(run, name, without)
    return got and (got[0], got[1])


def end(writer: Writer, items, *outcomes: str, cause: str = "") -> None:
    """End items with these outcomes, the last one for all that are left, in one flush."""
    for place, item in enumerate(items):
        outcome = outcomes[min(place, len(outcomes) - 1)]
        writer.end(item, Result(outcome, cause=cause))
    writer.flush()


def work_off(run: Run, outcome: str, name: str = "one") -> list[str]:
    """Claim and end chunk by chunk until nothing is left; return the providers in their order."""
    order, writer = [], worker(run, name)
    while got := claim(run, name):
        chunk, items = got
        order.append(chunk.provider_key)
        end(writer, items, outcome)
        release(chunk)
    return order


def part(run: Run, key: str) -> Part:
    """Return one provider's part."""
    return Part.objects.get(run=run, provider_key=key)
