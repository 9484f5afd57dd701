"""What the audit costs: its pages and its proof at a million events, and its chain in a run.

Asked in a session, on the World's database; `fill` makes real chains by the product's own
`record_many`, so that what is verified is whole.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from ceadmin.audit import export, manifest, reading, verify
from ceadmin.audit import record as recording
from ceadmin.audit.choices import Action
from ceadmin.audit.export import Order
from ceadmin.audit.models import Event
from ceadmin.audit.offline import verify_file
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib.signing import own_public_keys
from ceadmin.teams.models import Membership
from ceadmin.teams.permissions import actor_of
from instances import runs
from tests.bench import pages, processes
from tests.bench.fleet import Fleet, check
from tests.bench.world import World

LIST = "/admin/audit/event/"
#: Page → its query. An act and an outcome have an index each; of words and a provider only
#: the newest events are looked through.
QUERIES = {
    "first page": "",
    "filtered by outcome": "?outcome=verified_dead",
    "filtered by act and provider": "?action__exact=item_settled&provider_key=box",
    "filtered by date": "?at__gte={day}&at__lte={day}",
    "searched for a word": "?q=leaked",
    "searched in vain": "?q=nowhere",
}
BATCH = 5_000
_TEXTS = "sequence, id, text"


def fill(fleet: Fleet, count: int) -> None:
    """Have `count` events in the organization's chain, one of a thousand still alive."""
    chain = fleet.organization.chain
    actor = actor_of(fleet.user, fleet.organization, "192.0.2.7")
    have = Event.objects.filter(chain=chain).count()
    began = timezone.now() - timedelta(days=90)
    _hurry()
    for first in range(have, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        rows = [_entry(actor, number) for number in numbers]
        with transaction.atomic():
            record_many(chain, rows, at=began + timedelta(seconds=first))
    _tidy()
    connection.close()  # the hurry ends with it


def _hurry() -> None:
    """Let SQLite keep the indexes in memory and not wait for the disk: nothing is measured."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -400000")
            cursor.execute("PRAGMA synchronous = OFF")


def _entry(actor: Any, number: int) -> Entry:
    """Return an event as a revocation leaves it."""
    item, step = divmod(number, 3)
    run, instance = uuid.UUID(int=item // 1000 + 1), uuid.UUID(int=item + 1)
    action = (Action.REVOKE_INTENDED, Action.REVOKE_ANSWERED, Action.ITEM_SETTLED)[step]
    settled = action == Action.ITEM_SETTLED
    outcome = "still_alive" if item % 1000 == 7 else "verified_dead"
    return Entry(
        action,
        actor,
        subject=Subject("instance", instance, f"Acme {item}"),
        run_uid=run,
        item_id=item,
        instance_uid=instance,
        provider_key="box" if item % 10 else "salesforce",
        outcome=outcome if settled else "",
        reason="A vendor leaked the secrets of our apps",
        ticket=f"SEC-{item // 1000}",
        facts={"purpose": "revoke_refresh", "state": "answered", "status": 200},
    )


def _tidy() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE audit_event")
        else:
            cursor.execute("ANALYZE audit_event")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def looked_at(fleet: Fleet, port: int, looks: int) -> dict[str, float]:
    """Return the median time of each page, asked for in turns by an auditor."""
    Membership.objects.filter(user=fleet.user).update(is_auditor=True)
    client = pages.Client(fleet.user, port)
    day = (timezone.now() - timedelta(days=90)).date().isoformat()
    times: dict[str, list[float]] = {name: [] for name in QUERIES}
    for _ in range(looks + 2):
        for name, query in QUERIES.items():
            times[name].append(client.get(LIST + query.format(day=day))[0])
    return {
        name: median(took[2:]) for name, took in times.items()
    }  # warm from there on


def verified(fleet: Fleet, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what verifying the chain takes, in the database and in a file of it.

    `bare` is a loop that reads the same texts from the same place and hashes them, `memory`
    one that has them in memory.
    """
    chain = fleet.organization.chain
    held = [text for page in reading.pages(chain, _TEXTS) for *_, text in page]
    memory = _timed(lambda: _hash(held))
    size, events = sum(map(len, held)), len(held)
    held.clear()
    about = {"memory": memory, "bytes": size, "events": events}
    bare = _timed(lambda: _hash_pages(chain))
    took, walk = _result(lambda: verify.walk(chain))
    _expect(walk.problems, walk.events, events)
    yield {"of": "database", "bare": bare, "verify": took, **about}
    path = folder / "audit.jsonl"
    _export(fleet, path)
    bare = _timed(lambda: _hash_lines(path))
    took, done = _result(lambda: verify_file(path, own_public_keys()))
    told = sum(one.events for one in done.walks.values())
    _expect(done.found, told, events + 1)  # the export is an event of it
    yield {"of": "file", "bare": bare, "verify": took, **about}
    path.unlink()


def footprints(fleet: Fleet, world: World) -> dict[str, float]:
    """Return the most memory that each command takes for the chain as it is, in MB."""
    Membership.objects.filter(user=fleet.user).update(is_auditor=True)
    who = ("--as", fleet.user.email, "--organization", fleet.organization.slug)
    lines, cells = (str(world.folder / f"memory.{kind}") for kind in ("jsonl", "csv"))
    commands = {
        "exporting as JSON lines": ("export_audit", lines, *who),
        "exporting as CSV": ("export_audit", cells, *who),
        "verifying a file": ("verify_audit", lines),
        "verifying the database": ("verify_audit",),
    }
    took = {}
    for name, words in commands.items():
        command = world.command("manage.py", *words)
        took[name] = processes.most_resident(command)
    for path in world.folder.glob("memory.*"):
        path.unlink()
    return took


def _hash(texts: list[str]) -> None:
    for text in texts:
        sha256(text.encode("ascii")).hexdigest()


def _hash_pages(chain: str) -> None:
    for page in reading.pages(chain, _TEXTS):
        for *_, text in page:
            sha256(text.encode("ascii")).hexdigest()


def _hash_lines(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            sha256(line).hexdigest()


def _export(fleet: Fleet, path: Path) -> None:
    actor = actor_of(fleet.user, fleet.organization)
    order = Order(fleet.organization.chain, "bench", actor)
    now = timezone.now()
    ends = export.announce([order], {}, now)
    with path.open("wb", buffering=1 << 20) as file:
        written = export.write(file, ends, kind="jsonl", names=False)
    about = {"at": now, "kind": "jsonl", "names": False}
    made = export.manifest_of(ends, [order], written, **about)
    beside = path.with_name(path.name + manifest.SUFFIX)
    beside.write_text(made.text(), "ascii")


def _expect(problems: list[Any], told: int, events: int) -> None:
    if problems or told != events:
        raise AssertionError(f"{told} of {events} events, {problems[:3]}")


def _result(work: Callable[[], Any]) -> tuple[float, Any]:
    found: list[Any] = []
    took = _timed(lambda: found.append(work()))
    return took, found[0]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def revoked(fleet: Fleet, items: int, connections: int, *, chained: bool) -> float:
    """Return how long one process works a run of revocations, the audit chained or not."""
    run = fleet.draft("revoke", items, connections)
    fleet.start(run)
    with _plainly(not chained):
        took = _timed(lambda: runs.work(run.pk, worker="bench", seconds=3600.0))
    run.refresh_from_db()
    check(run, "revoke")
    return took


@contextmanager
def _plainly(plain: bool) -> Iterator[None]:
    """Write the same rows without a chain: no head, no number that follows, no hash."""
    real = recording._chained
    if plain:
        recording._chained = _unchained
    try:
        yield
    finally:
        recording._chained = real


def _unchained(chain: str, rows: Sequence[Entry], at: Any) -> list[dict[str, Any]]:
    actors = {entry.actor for entry in rows}
    recording.know(actors)
    places = recording.origins(actors)
    acting = {actor: recording._actor(actor, places) for actor in actors}
    when = recording.moment(at)
    events = []
    for entry in rows:
        content = recording._content(entry, acting[entry.actor], when)
        number = uuid.uuid4().int
        content |= {"chain": f"plain-{chain[:30]}", "sequence": number >> 66}
        content["previous"] = ""
        row = recording.columns(content) | {"text": recording.dump(content)}
        events.append(row | {"hash": f"{number:064x}"})
    return events
