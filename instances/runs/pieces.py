"""Plan in pieces, for a database with one writer: SQLite.

The list is read at one moment and takes no lock (`freezing.FrozenList`). Its items are
written piece by piece, each in a transaction of about a tenth of a second, with a rest
between two in which others get their turn. Whoever waits for SQLite's lock looks often at
first, and every tenth of a second when it has waited long: so some rests are longer. Chunks, parts and `planned_at` come with the last piece, so a list that
is not complete is nobody's.

Who plans holds a lease, in the row of the run's first chunk, until the chunks are there. A
planner that died loses it like any worker; the next one removes what is there and reads
the list anew. So does the planner itself when the run was stopped or discarded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from instances.choices import ChunkStatus
from instances.engine.claim import from_now, lease
from instances.models import Chunk, Item, Run
from instances.runs.freezing import FrozenList, Selected, unfreeze

#: Items of the first piece; the others are as large as the time allows.
FIRST, LEAST, MOST = 4_000, 500, 50_000
PIECE_SECONDS = 0.1
#: A little more than the time between two looks of who began to wait with the piece.
REST_SECONDS = 0.03
#: A little more than the longest time between two looks; after so many pieces.
LONG_REST_SECONDS, LONG_REST_EVERY = 0.12, 5
#: The chunk whose row is the lease until it is a chunk.
_LEASE = 0


class Lost(Exception):
    """The run is no longer to be planned, or not by this planner."""


class Planner:
    """One attempt to plan a run."""

    def __init__(self, run: Run) -> None:
        """Have planned nothing yet."""
        self.run, self.name = run, f"planner {uuid4().hex[:12]}"
        self._written, self._size, self._pieces = 0, FIRST, 0
        self._lease = Chunk.objects.filter(run=run, number=_LEASE)

    @contextmanager
    def reading(self, rows: Selected | None) -> Iterator[FrozenList]:
        """Give the list as it is now; afterwards nothing is left of one that was not completed."""
        self._take()
        listed = None
        try:
            self._remove()  # what a planner that died has left
            listed = FrozenList(self.run, rows, large=FIRST)
            yield listed
        except Lost:
            self._give_up()
            raise
        finally:
            if listed is not None:
                listed.close()

    # The lease

    def _take(self) -> None:
        """Take the lease of a run that nobody plans; raise Lost."""
        held = self._lease.filter(
            status=ChunkStatus.CLAIMED, lease_until__gte=Now()
        ).exclude(worker=self.name)
        if held.exists():  # looking takes no lock
            raise Lost
        with transaction.atomic():
            if not self._plannable().exists() or held.exists():
                raise Lost
            if not self._claim(self._lease):
                Chunk.objects.create(run=self.run, number=_LEASE)
                self._claim(self._lease)

    def _claim(self, which: QuerySet[Chunk]) -> int:
        return which.update(
            status=ChunkStatus.CLAIMED, worker=self.name, lease_until=from_now(lease())
        )

    def _plannable(self) -> QuerySet[Run]:
        return Run.objects.filter(
            pk=self.run.pk, planned_at=None, status=self.run.status
        )

    @property
    def _own(self) -> QuerySet[Chunk]:
        return self._lease.filter(status=ChunkStatus.CLAIMED, worker=self.name)

    def _keep(self) -> None:
        """Keep the lease for the caller's transaction; raise Lost when the run is not to be planned."""
        own = self._own
        if not self._written and not Item.objects.filter(run=self.run).exists():
            # Reading may have taken longer than a lease: then who has read goes first.
            own = self._lease
        if not self._claim(own.filter(run__in=self._plannable())):
            raise Lost

    # The items

    def write(self, listed: FrozenList) -> None:
        """Write all items but those that `complete` writes; raise Lost."""
        while listed.total - self._written > self._size:
            with transaction.atomic():
                began = time.monotonic()  # the lock is there
                self._keep()
                if not self._written:
                    self._plannable().update(total=listed.total)
                upto = self._written + self._size
                listed.write_items(self._written, upto)
            self._written = upto
            self._rest(time.monotonic() - began)

    def complete(self, listed: FrozenList) -> None:
        """Write what is left of the list, within the caller's transaction; raise Lost."""
        self._keep()
        listed.write_items(self._written, listed.total)
        self._own.delete()  # its number is free for the chunk
        listed.write_chunks()

    def _rest(self, took: float) -> None:
        """Let others write, and make the next piece as long as it should be."""
        fitting = int(self._size * PIECE_SECONDS / max(took, 0.001))
        self._size = max(LEAST, min(fitting, 2 * self._size, MOST))
        self._pieces += 1
        long = self._pieces % LONG_REST_EVERY == 0
        if not connection.in_atomic_block:
            time.sleep(LONG_REST_SECONDS if long else REST_SECONDS)

    def _give_up(self) -> None:
        """Remove what was written, unless another planner is there by now."""
        try:
            self._remove()
        except Lost:
            return
        with transaction.atomic():
            if self._own.delete()[0]:
                Run.objects.filter(pk=self.run.pk, planned_at=None).update(total=0)

    def _remove(self) -> None:
        """Remove the items that are there, piece by piece; raise Lost."""
        while Item.objects.filter(run=self.run).exists():
            with transaction.atomic():
                began = time.monotonic()
                if not self._claim(self._own):
                    raise Lost
                unfreeze(self.run.pk, self._size)
            self._rest(time.monotonic() - began)
