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
from instances.actions.causes import Cause
from instances.actions.load import actor_of_run, load_cases
from instances.choices import RunStatus
from instances.engine.claim import claim, give_back, release, renew
from instances.engine.writer import Intent, Writer, internal_error
from instances.models import Attempt, Chunk, Item, Run

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
    acted: bool = False  # has an intent: it is worked to its end, whatever happens


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
        self.writer = Writer(run, actor_of_run(run), clock, worker)
        self.ready: deque[tuple[Item, Chunk]] = deque()
        self.cases: dict[int, Case | Result] = {}
        self.chunks: dict[int, Chunk] = {}
        self.flying: dict[int, Thread] = {}
        self.exhausted = False
        self.halted = False  # the run is paused or stopped: begin nothing more
        self.secrets_refused = (
            False  # the platform refused the organization's own secrets
        )
        self.next_beat = 0.0
        self.next_claim = 0.0

    def work(self) -> None:
        """Work until nothing is left to do here."""
        try:
            while self._turn():
                pass
            self._leave()
        finally:
            # After a crash the lease runs out and the reaper gives the items back.
            self.multi.close()

    def _turn(self) -> bool:
        self._beat()
        if not self._stopping():
            self._feed()
        self.multi.poll(0.02 if self.writer.intents else 0.2)
        if self.writer.due(idle=self.multi.idle):
            self.writer.flush()
            self._release_finished()
        more = bool(self.ready) or not self.exhausted
        return bool(self.flying) or (more and not self._stopping())

    def _stopping(self) -> bool:
        return self.halted or time.monotonic() >= self.ends_at

    def _beat(self) -> None:
        if time.monotonic() < self.next_beat:
            return
        self.next_beat = time.monotonic() + HEARTBEAT
        status = (
            Run.objects.filter(pk=self.run.pk).values_list("status", flat=True).first()
        )
        self.halted = self.secrets_refused or status != RunStatus.RUNNING
        pks = [*self.flying, *(item.pk for item, _ in self.ready)]
        renew(self.worker, list(self.chunks), pks)

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
            # Don't ask at every answer while the last calls end.
            self.next_claim = time.monotonic() + HEARTBEAT
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
        if thread.item.pk not in self.flying:
            return  # it was given up while it waited
        try:
            flow = thread.flow
            effect = (
                flow.throw(answer)
                if isinstance(answer, Exception)
                else flow.send(answer)
            )
        except StopIteration as end:
            self._end(thread, end.value)
        except Exception:  # the border: one broken flow must not take the others along
            logger.exception(
                "the flow of an item broke",
                extra={"item": thread.item.pk, "run": str(self.run.uid)},
            )
            self._end(thread, internal_error())
        else:
            self._do(thread, effect)

    def _do(self, thread: Thread, effect: Call | Wait) -> None:
        if self.halted and not thread.acted:
            self._put_back(thread)
            return
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
                go=lambda kept: self._act(thread, effect, kept),
                refuse=lambda owner: self._go_on(thread, SameGrant(owner)),
                drop=lambda: self._drop(thread),
            )
        )

    def _act(self, thread: Thread, call: Call, attempt: Attempt) -> None:
        thread.acted = True
        self._send(thread, call, attempt)

    def _put_back(self, thread: Thread) -> None:
        """Queue an item again that has changed nothing yet."""
        self._drop(thread)
        give_back(self.run, self.worker, [thread.item])

    def _drop(self, thread: Thread) -> None:
        """Forget an item; after a lost lease another worker has it."""
        thread.flow.close()
        del self.flying[thread.item.pk]

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
        if result.cause == Cause.ORGANIZATION_SECRETS:
            self.secrets_refused = self.halted = True
        self.writer.end(thread.item, result)

    def _release_finished(self) -> None:
        busy = {thread.chunk.pk for thread in self.flying.values()} | {
            chunk.pk for _, chunk in self.ready
        }
        for chunk in [chunk for pk, chunk in self.chunks.items() if pk not in busy]:
            self._let_go(chunk)

    def _let_go(self, chunk: Chunk) -> None:
        release(chunk)
        self.chunks.pop(chunk.pk, None)

    def _leave(self) -> None:
        give_back(self.run, self.worker, [item for item, _ in self.ready])
        self.ready.clear()
        self.writer.flush()
        self._release_finished()
