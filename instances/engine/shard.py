"""One worker's share of a run: pulls chunks, keeps many flows in the air, writes what they came to.

Chunks are claimed lazily, so connections never drain between them; the shard is
time-boxed, so a message is never held longer than the broker's patience.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ceadmin.lib import http
from instances.actions import evidence
from instances.actions.calls import Call, Flow, Result, SameGrant, Wait
from instances.actions.case import Case
from instances.actions.load import actor_of_run, load_cases
from instances.choices import RunStatus
from instances.engine.claim import claim, give_back, release, renew
from instances.engine.writer import Intent, Writer, internal_error
from instances.models import Attempt, Chunk, Item, Run
from instances.actions.settle import Settlement

logger = logging.getLogger(__name__)

CONNECTIONS = 50
#: How often a shard looks whether it is paused or stopped, and says that it lives.
HEARTBEAT = 1.0

#: What starts the flow of one item.
Starter = Callable[[Case], Flow[Result]]


@dataclass(slots=True)
class Thread:
    """One flow in the air."""

    item: Item
    chunk: Chunk
    flow: Flow[Result]


class Shard:
    """Works chunks of one run until there are none, the time is up, or the run is paused or stopped."""

    def __init__(
        self,
        run: Run,
        start: Starter,
        *,
        worker: str,
        clock: Callable[[], datetime],
        seconds: float = 30.0,
        connections: int = CONNECTIONS,
    ) -> None:
        self.run = run
        self.start = start
        self.worker = worker
        self.clock = clock
        self.ends_at = time.monotonic() + seconds
        self.room = connections
        self.multi = http.Multi(connections)
        self.writer = Writer(run, actor_of_run(run), clock)
        self.ready: deque[tuple[Item, Chunk]] = deque()
        self.cases: dict[int, Case | Result] = {}
        self.chunks: dict[int, Chunk] = {}
        self.flying: dict[int, Thread] = {}
        self.settled: list[Settlement] = []
        self.exhausted = False
        self.halted = False
        self.next_beat = 0.0
        self.next_claim = 0.0

    def work(self) -> list[Settlement]:
        """Work until nothing is left to do here; return what was settled."""
        try:
            while self._turn():
                pass
            self._leave()
        finally:
            self.multi.close()  # after a crash the lease runs out and the reaper gives the items back
        return self.settled

    def _turn(self) -> bool:
        self._beat()
        if not self._stopping():
            self._feed()
        self.multi.poll(0.02 if self.writer.intents else 0.2)
        if self.writer.due(idle=self.multi.idle):
            self.settled += self.writer.flush()
            self._release_finished()
        more = bool(self.ready) or not self.exhausted
        return bool(self.flying) or (more and not self._stopping())

    def _stopping(self) -> bool:
        return self.halted or time.monotonic() >= self.ends_at

    def _beat(self) -> None:
        if time.monotonic() < self.next_beat:
            return
        self.next_beat = time.monotonic() + HEARTBEAT
        status = Run.objects.filter(pk=self.run.pk).values_list("status", flat=True).first()
        self.halted = status != RunStatus.RUNNING
        renew(list(self.chunks), [*self.flying, *(item.pk for item, _ in self.ready)])

    def _feed(self) -> None:
        while len(self.flying) < self.room:
            if not self.ready and not self._claim():
                return
            if self.ready:
                self._begin(*self.ready.popleft())

    def _claim(self) -> bool:
        if time.monotonic() < self.next_claim:
            return False
        got = claim(self.run, self.worker)
        self.exhausted = got is None
        if got is None:
            self.next_claim = time.monotonic() + HEARTBEAT  # don't ask at every answer while the last calls end
            return False
        chunk, items = got
        self.chunks[chunk.pk] = chunk
        self.cases |= load_cases(items, self.run)
        self.ready.extend((item, chunk) for item in items)
        if not items:
            self._let_go(chunk)
        return True

    def _begin(self, item: Item, chunk: Chunk) -> None:
        case = self.cases.pop(item.pk)
        if isinstance(case, Result):
            self.writer.end(item, case)
            return
        thread = Thread(item, chunk, self.start(case))
        self.flying[item.pk] = thread
        self._go_on(thread, None)

    def _go_on(self, thread: Thread, answer: http.Answer | Exception | None) -> None:
        """Give a flow what it waited for, and do what it asks next."""
        try:
            flow = thread.flow
            effect = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
        except StopIteration as end:
            self._end(thread, end.value)
        except Exception:  # noqa: BLE001 - the task runner's border: one broken flow must not take the others along
            logger.exception("the flow of an item broke", extra={"item": thread.item.pk, "run": str(self.run.uid)})
            self._end(thread, internal_error())
        else:
            self._do(thread, effect)

    def _do(self, thread: Thread, effect: Call | Wait) -> None:
        if isinstance(effect, Wait):
            self.multi.later(effect.seconds, lambda: self._go_on(thread, None))
            return
        attempt = evidence.intended(thread.item, effect, self.clock())
        if not effect.intent:
            self._send(thread, effect, attempt)
            return
        self.writer.intend(
            Intent(
                item=thread.item,
                call=effect,
                attempt=attempt,
                go=lambda kept: self._send(thread, effect, kept),
                refuse=lambda owner: self._go_on(thread, SameGrant(owner)),
            )
        )

    def _send(self, thread: Thread, call: Call, attempt: Attempt) -> None:
        def done(answer: http.Answer | http.HttpError) -> None:
            if isinstance(answer, http.HttpError):
                evidence.failed(attempt, answer)
            else:
                evidence.answered(attempt, call, answer)
            self.writer.note(thread.item, call, attempt)
            self._go_on(thread, answer)

        self.multi.add(call.request, done)

    def _end(self, thread: Thread, result: Result) -> None:
        del self.flying[thread.item.pk]
        self.writer.end(thread.item, result)

    def _release_finished(self) -> None:
        busy = {thread.chunk.pk for thread in self.flying.values()} | {chunk.pk for _, chunk in self.ready}
        for chunk in [chunk for pk, chunk in self.chunks.items() if pk not in busy]:
            self._let_go(chunk)

    def _let_go(self, chunk: Chunk) -> None:
        release(chunk)
        self.chunks.pop(chunk.pk, None)

    def _leave(self) -> None:
        give_back([item for item, _ in self.ready])
        self.ready.clear()
        self.settled += self.writer.flush()
        self._release_finished()
