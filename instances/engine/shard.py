"""One worker's share of a run: pulls chunks, keeps many flows in the air, writes what they came to.

Chunks are claimed lazily, so connections never drain between them; the shard is
time-boxed, so a message is never held longer than the broker's patience.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.conf import settings

from ceadmin.lib import http, trace
from ceadmin.lib.ratelimit import limiter
from instances.actions import evidence
from instances.actions.calls import PATIENCE, Call, Flow, Result, SameGrant, Wait
from instances.actions.case import Case
from instances.actions.causes import Cause
from instances.actions.evidence import Sent
from instances.actions.load import actor_of_run
from instances.choices import RunStatus
from instances.engine.claim import HELD_ELSEWHERE, pulse
from instances.engine.flights import Flights
from instances.engine.gate import Gate
from instances.engine.hand import Hand
from instances.engine.lanes import Thread, Waiter
from instances.engine.stock import Fetched, Stock
from instances.engine.writer import Intent, Writer, internal_error
from instances.models import Chunk, Item, Run
from providers.limits import limits_of

logger = logging.getLogger(__name__)

#: How often a shard looks whether it is paused or stopped, and says that it lives.
HEARTBEAT = 1.0
#: What has acted goes on for so many seconds after the time box, then it is put back and
#: looked at again by the next try: a task must not be cut off by its time limit.
GRACE = 60.0
#: So many times its connections may wait for their turn, or for their intent's commit.
_WAITING = 2

#: What starts the flow of one item.
Starter = Callable[[Case], Flow[Result]]


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
        connections: int | None = None,
    ) -> None:
        """`connections`: calls in flight at most here; None: its share of the run's."""
        self.run = run
        self.start = start
        self.worker = worker
        self.clock = clock
        self.ends_at = time.monotonic() + seconds
        self.most = connections
        # Until the first look others are taken to be at work beside it.
        self.room = connections or max(
            1, run.connections // max(settings.WORKER_PROCESSES, 1)
        )
        self.multi = http.Multi(self.room)
        own, limits = str(run.organization.uid), limits_of(run.organization)
        self.gate = Gate(run.kind, own, limits, limiter(worker))
        self.hand = Hand()
        self.writer = Writer(run, actor_of_run(run), clock, worker, hand=self.hand)
        self.stock = Stock(run, worker)
        self.flying = Flights()
        self.exhausted = False
        self.rested = False  # there is more, and it has to wait: nobody is to be woken
        self.halted = False  # the run is paused or stopped: begin nothing more
        self.shut: frozenset[str] = frozenset()  # providers that are held
        self.secrets_refused = False  # the organization's own, by the platform
        self.next_beat = 0.0
        self.next_claim = 0.0
        self.calm = True  # no answer came in this turn: the moment for the database

    def work(self) -> None:
        """Work until nothing is left to do here."""
        try:
            while self._turn():
                pass
            self._leave()
        finally:
            # After a crash the lease runs out and the reaper gives the items back.
            self.multi.close()
            self.gate.close()
            self.hand.close()

    def _turn(self) -> bool:
        self._beat()
        if not self._stopping():
            self._feed()
        self.calm = True
        patience = 0.0 if self._due() else self.writer.patience
        self.multi.poll(self.gate.patience(patience))
        self.gate.pump()
        self._keep_books()
        if self._stopping():
            self._wind_up()
        if not self.hand.busy and self.stock.hand_back():
            self._release()
        more = bool(self.stock.ready) or not self.exhausted
        under_way = self.hand.busy or bool(self.flying)
        return under_way or (more and not self._stopping())

    def _keep_books(self) -> None:
        """Go on with what is between the loop and the database: one thing at a time."""
        self.hand.collect()
        if self._due():
            self.writer.begin(self._heed)
        elif self._ahead():
            self._claim()

    def _release(self) -> None:
        flying = (thread.chunk for thread in self.flying)
        self.stock.release_finished(flying, self.writer.unwritten)

    def _due(self) -> bool:
        """Tell whether to write now: nothing else goes on here, or enough has come together."""
        begins = self._has_room() and not self._stopping()
        begins = begins and (bool(self.stock.ready) or not self.exhausted)
        idle = self.multi.idle and not begins
        return self.writer.due(idle=idle, calm=self.calm)

    def _ahead(self) -> bool:
        """Tell whether the next chunk may be fetched while calls are under way."""
        few = len(self.stock.ready) < self.room * self.flying.rounds
        return few and not self.exhausted and not self._stopping()

    def _has_room(self) -> bool:
        # What waits for its turn, or for its intent to be written, holds no connection.
        waiting = self.gate.waiting + self.writer.standing
        calling = len(self.flying) - waiting
        return calling < self.room and waiting <= self.room * _WAITING

    def _stopping(self) -> bool:
        return self.halted or time.monotonic() >= self.ends_at

    def _beat(self) -> None:
        late = time.monotonic() - self.next_beat
        if late < 0 or (self.hand.busy and late < HEARTBEAT):
            return
        self.hand.collect(wait=True)
        self.next_beat = time.monotonic() + HEARTBEAT
        now = pulse(self.run, self.worker)
        self.halted = self.secrets_refused or now.status != RunStatus.RUNNING
        self._shut(now.shut)
        self.room = self.most or math.ceil(now.connections / max(now.workers, 1))
        self.multi.resize(self.room)
        self.gate.beat(now.workers, self.room)
        self._give_up_pauses()
        for chunk in self.stock.renew(self.flying.items):
            self._forget(chunk)

    def _heed(self) -> None:
        """Do what the results just written mean for what comes next."""
        self._release()
        watch = self.writer.watch
        if watch.opened:
            watch.opened = self.exhausted = False
            self.next_claim = 0.0
        if watch.shut:
            self._shut(self.shut | watch.shut)
            watch.shut.clear()

    def _shut(self, shut: frozenset[str]) -> None:
        """Begin nothing more of these providers and give back what is ready of them."""
        self.shut = shut
        self.stock.put_ready_back(shut, HELD_ELSEWHERE.total_seconds())

    def _feed(self) -> None:
        # Items that end without a call take no room: they must not pile up here.
        while self._has_room() and not self.writer.full:
            one = self.stock.next(self._may if self.gate.limits_anything else None)
            if one is not None:
                self._begin(*one)
            elif not self._claim():
                return

    def _may(self, key: str) -> bool:
        """Tell whether an item may begin: of a slow provider only so many are in the air."""
        cap = self.gate.cap(key)
        return cap is None or self.flying.of(key) < cap

    def _claim(self) -> bool:
        """Fetch the next chunk, beside the loop where that can be; tell whether one is here."""
        if self.hand.busy or time.monotonic() < self.next_claim:
            return False
        closed = self.gate.closed()
        keys = {item.provider_key for item, _ in self.stock.ready}
        crowded = {key for key in keys if not self._may(key)}
        taken = partial(self._claimed, closed=bool(closed), crowded=bool(crowded))
        if "" in closed:  # the platform itself is paused: there is nothing to begin
            taken(None)
            return False
        before, without = len(self.stock.chunks), crowded | {*closed}
        self.hand.begin(partial(self.stock.fetch, without, self._workable), taken)
        return len(self.stock.chunks) > before

    def _claimed(self, fetched: Fetched | None, *, closed: bool, crowded: bool) -> None:
        self.exhausted = fetched is None and not crowded
        self.rested = fetched is None and closed
        if fetched is None:  # don't ask at every answer while the last calls end
            self.next_claim = time.monotonic() + (0.1 if crowded else HEARTBEAT)
            return
        chunk, items, _ = fetched
        if not self.stock.chunks:
            self.next_beat = 0.0  # it counts from now on
        if chunk.pk in self.stock.chunks:  # its lease was lost meanwhile
            self._forget(chunk)
        self.stock.add(fetched, partly=len(items) == self._workable(chunk))
        if not items:
            self._release()

    def _workable(self, chunk: Chunk) -> int | None:
        """Return how many items of a chunk are worth claiming in what is left of the time box."""
        left = self.ends_at - time.monotonic()
        return self.gate.workable(chunk.provider_key, left)

    def _forget(self, chunk: Chunk) -> None:
        """Drop what is left of an earlier claim of a chunk."""
        self.writer.forget(chunk.number)
        self.stock.forget(chunk)
        for thread in self.flying:
            if thread.chunk.pk == chunk.pk:
                self._drop(thread)
        self.gate.withdraw(lambda _, thread: thread.chunk.pk == chunk.pk)

    def _begin(self, item: Item, chunk: Chunk) -> None:
        case = self.stock.case(item)
        if isinstance(case, Result):
            self.writer.end(item, case)
            return
        app = case.app.pk if case.app else 0
        thread = Thread(item, chunk, self.start(case), app)
        self.flying.begin(thread)
        self._go_on(thread, None)

    def _go_on(self, thread: Thread, answer: http.Answer | Exception | None) -> None:
        """Give a flow what it waited for, and do what it asks next."""
        if not self.flying.has(thread):
            return  # it was given up while it waited
        thread.resting = False
        token = trace.item_id.set(str(thread.item.pk))
        try:
            self._step(thread, answer)
        finally:
            trace.item_id.reset(token)

    def _step(self, thread: Thread, answer: http.Answer | Exception | None) -> None:
        try:
            if isinstance(answer, Exception):
                effect = thread.flow.throw(answer)
            else:
                effect = thread.flow.send(answer)
        except StopIteration as end:
            self._end(thread, end.value)
        except Exception:  # the border: one broken flow must not take the others along
            logger.exception("the flow of an item broke")
            self._end(thread, internal_error())
        else:
            self._do(thread, effect)

    def _do(self, thread: Thread, effect: Call | Wait) -> None:
        if self.halted and not thread.acted:
            self._put_back(thread, 0.0)
            return
        if isinstance(effect, Wait):
            self._wait(thread, effect)
            return
        lane = thread.lane = self.gate.lane(effect, thread)
        turn = self.gate.turn(lane, thread, early=effect.intent)
        if turn is not None:
            self._leave_for(thread, effect, turn)
        else:
            go = partial(self._leave_for, thread, effect)
            self.gate.wait(lane, Waiter(thread, go, early=effect.intent))

    def _wait(self, thread: Thread, wait: Wait) -> None:
        if wait.seconds > min(PATIENCE, wait.patience):
            self._put_back(thread, wait.seconds)
            return
        thread.resting = True
        self.multi.later(wait.seconds, lambda: self._go_on(thread, None))

    def _leave_for(self, thread: Thread, call: Call, turn: float) -> None:
        """Send a call whose turn has come, one with an intent after that is committed."""
        thread.turn = turn
        attempt = evidence.intended(thread.item, call, self.clock())
        if not call.intent:
            self._send(thread, call, attempt)
            return
        self.writer.intend(
            Intent(
                item=thread.item,
                call=call,
                attempt=attempt,
                go=lambda kept: self._act(thread, call, kept),
                refuse=lambda refusal: self._refuse(thread, refusal),
                drop=lambda: self._drop(thread),
            )
        )

    def _refuse(self, thread: Thread, refusal: SameGrant) -> None:
        self.gate.free(thread)
        self._go_on(thread, refusal)

    def _act(self, thread: Thread, call: Call, attempt: Sent) -> None:
        thread.acted = True
        ahead = thread.turn - time.monotonic()
        if ahead > 0:  # it went on before its turn, so that the intent costs no time
            self.multi.later(ahead, lambda: self._send(thread, call, attempt))
        else:
            self._send(thread, call, attempt)

    def _send(self, thread: Thread, call: Call, attempt: Sent) -> None:
        lane = thread.lane
        assert lane is not None

        def done(answer: http.Answer | http.HttpError) -> None:
            self.calm = False
            if isinstance(answer, http.HttpError):
                evidence.failed(attempt, answer)
            else:
                evidence.answered(attempt, call, answer)
            self.writer.note(thread.item, call, attempt)
            self.gate.done(thread, lane, answer)
            if not isinstance(answer, http.Withdrawn):
                self._go_on(thread, answer)
            elif self.flying.has(thread):
                self._put_back(thread, 0.0)

        sure = partial(self._sure, thread) if call.intent else None
        self.multi.add(call.request, done, sure)

    def _sure(self, thread: Thread) -> bool:
        """Tell whether an item is certainly ours and still wanted: what can't be taken back may leave."""
        return self.flying.has(thread) and self.stock.sure and not self.halted

    # What is not worked to its end here

    def _put_back(self, thread: Thread, seconds: float) -> None:
        """Let an item be tried again in so many seconds; what has acted is looked at first then."""
        self._drop(thread)
        self.stock.put_back(thread.item, thread.chunk, seconds, acted=thread.acted)

    def _drop(self, thread: Thread) -> None:
        """Forget an item; after a lost lease another worker has it."""
        thread.flow.close()
        self.gate.free(thread)
        self.flying.end(thread)

    def _give_up_pauses(self) -> None:
        """Put back what would wait long for a paused host."""
        for thread, seconds in self.gate.stuck():
            self._put_back(thread, seconds)
        for key, seconds in self.gate.closed().items():
            self.stock.put_ready_back({key} if key else None, seconds)

    def _wind_up(self) -> None:
        """Put back what has not acted and has no call under way; at last, what has."""
        over = time.monotonic() >= self.ends_at + GRACE
        idle = [one for one in self.flying if over or not one.acted]
        self.gate.withdraw(lambda _, thread: over or not thread.acted)
        pks = {one.item.pk for one in idle} if self.halted else ()
        unwritten = self.writer.withdraw(pks)
        for thread in idle:
            if thread.resting or thread.item.pk in unwritten:
                self._put_back(thread, 0.0)

    def _end(self, thread: Thread, result: Result) -> None:
        self.flying.end(thread)
        if result.cause == Cause.ORGANIZATION_SECRETS:
            self.secrets_refused = self.halted = True
        self.writer.end(thread.item, result)

    def _leave(self) -> None:
        self.hand.collect(wait=True)
        self.stock.put_ready_back(None, 0.0)
        self.writer.flush()
        self.stock.hand_back()
        self.stock.release_finished(())
