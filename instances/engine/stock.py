"""What one shard holds: claimed chunks, and their items that have not begun or are to be given back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from instances.actions.case import Case
from instances.actions.load import Start, load_cases
from instances.actions.uses import note_apps
from instances.choices import DESTRUCTIVE
from instances.engine.claim import HELD_ELSEWHERE, claim, give_back, release, renew
from instances.models import Chunk, Item, Run


class Fetched(NamedTuple):
    """A chunk that was claimed, its items, and what they start with."""

    chunk: Chunk
    items: list[Item]
    cases: dict[int, Start]


class Stock:
    """The chunks of one shard; nothing is written while a call's answer is read."""

    def __init__(self, run: Run, worker: str) -> None:
        self.run, self.worker = run, worker
        self.ready: deque[tuple[Item, Chunk]] = deque()
        self.chunks: dict[int, Chunk] = {}
        self._cases: dict[int, Start] = {}
        self._rest: dict[int, float] = {}  # chunk → when its items may be tried again
        self._back: list[tuple[Item, bool]] = []  # to be queued again: has it acted?
        self._noted: set[int] = set()  # provider apps, see `_note_uses`
        #: By this process's own clock, which goes on while the process stands still.
        self.sure_until = time.monotonic() + settings.LEASE_SECONDS

    # In

    def fetch(
        self, without: Collection[str], most: Callable[[Chunk], int | None]
    ) -> Fetched | None:
        """Claim a chunk and items of it, see `claim`, and load what they need."""
        claimed = claim(self.run, self.worker, without, most)
        if claimed is None:
            return None
        chunk, items = claimed
        cases = load_cases(items, self.run)
        self._note_uses(cases.values())
        return Fetched(chunk, items, cases)

    def add(self, fetched: Fetched, *, partly: bool) -> None:
        """Take in what was claimed; `partly`: the chunk has more items that may be tried at once."""
        chunk = fetched.chunk
        self.chunks[chunk.pk] = chunk
        self._cases |= fetched.cases
        self.ready.extend((item, chunk) for item in fetched.items)
        if partly:
            self._rest[chunk.pk] = 0.0

    def _note_uses(self, cases: Iterable[Start]) -> None:
        """Note the provider apps whose secrets this run is going to use, each once."""
        if self.run.kind not in DESTRUCTIVE:
            return
        apps = {case.app.pk for case in cases if isinstance(case, Case) and case.app}
        if fresh := apps - self._noted:
            note_apps(self.run, fresh, timezone.now())
            self._noted |= fresh

    def next(self, may: Callable[[str], bool] | None) -> tuple[Item, Chunk] | None:
        """Take the next item whose provider `may`; None means that each may."""
        if may is None:
            return self.ready.popleft() if self.ready else None
        for at, one in enumerate(self.ready):
            if may(one[0].provider_key):
                del self.ready[at]
                return one
        return None

    def case(self, item: Item) -> Start:
        """Return what an item is started with, once."""
        return self._cases.pop(item.pk)

    # Out

    def forget(self, chunk: Chunk) -> None:
        """Drop what is left of an earlier claim of a chunk."""
        self.ready = deque(one for one in self.ready if one[1].pk != chunk.pk)
        self._back = [one for one in self._back if one[0].chunk_number != chunk.number]

    def put_back(
        self, item: Item, chunk: Chunk, seconds: float, *, acted: bool
    ) -> None:
        """Let an item be tried again in so many seconds; `hand_back` writes it."""
        self._back.append((item, acted))
        moment = time.monotonic() + seconds
        self._rest[chunk.pk] = max(self._rest.get(chunk.pk, 0.0), moment)

    def put_ready_back(self, keys: Collection[str] | None, seconds: float) -> None:
        """Put back what has not begun, of these providers; None means all."""
        kept = deque[tuple[Item, Chunk]]()
        for item, chunk in self.ready:
            if keys is None or item.provider_key in keys:
                self._cases.pop(item.pk, None)
                self.put_back(item, chunk, seconds, acted=False)
            else:
                kept.append((item, chunk))
        self.ready = kept

    def hand_back(self) -> bool:
        """Queue again what was put back; tell whether there was something."""
        back, self._back = self._back, []
        for acted in (False, True):
            items = [item for item, has_acted in back if has_acted == acted]
            if items:
                give_back(self.run, self.worker, items, tried=acted)
        return bool(back)

    def release_finished(
        self, flying: Iterable[Chunk], unwritten: Collection[int] = ()
    ) -> None:
        """Let go of the chunks of which nothing is left here.

        `unwritten`: numbers of chunks of which a result is still to be written.
        """
        if not self.chunks:
            return
        busy = {chunk.number for chunk in flying}.union(unwritten)
        busy.update(chunk.number for _, chunk in self.ready)
        busy.update(item.chunk_number for item, _ in self._back)
        for chunk in list(self.chunks.values()):
            if chunk.number not in busy:
                self._let_go(chunk)

    def _let_go(self, chunk: Chunk) -> None:
        """Release a chunk; one that has a result unwritten is kept, and so is its lease."""
        wait = HELD_ELSEWHERE
        if chunk.pk in self._rest:
            left = self._rest[chunk.pk] - time.monotonic()
            wait = timedelta(seconds=max(0.0, left))
        if release(chunk, wait):
            self._rest.pop(chunk.pk, None)
            self.chunks.pop(chunk.pk, None)

    def renew(self, flying: Iterable[int]) -> list[Chunk]:
        """Say that the items here, and those in the air, are being worked on; return what is lost."""
        pks = [*flying, *(item.pk for item, _ in self.ready)]
        now = time.monotonic()
        lost = renew(self.worker, list(self.chunks), pks)
        self.sure_until = now + settings.LEASE_SECONDS
        return [self.chunks.pop(pk) for pk in lost]

    @property
    def sure(self) -> bool:
        """Tell whether nobody else can have been given what is held here."""
        return time.monotonic() < self.sure_until
