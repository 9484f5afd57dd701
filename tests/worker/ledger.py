"""What must hold after any fault, of every single item, by what the targets themselves saw."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from ceadmin.audit import verify
from ceadmin.audit.models import Event
from instances import runs
from instances.choices import DESTRUCTIVE, AttemptState, ChunkStatus, RunStatus
from instances.models import Attempt, Chunk, Hold, Item, Run
from tests.instances.fleet import Fleet
from tests.services import wait_until

ANSWERED, LOST, NOT_SENT = (
    AttemptState.ANSWERED.value,
    AttemptState.LOST.value,
    AttemptState.NOT_SENT.value,
)


@dataclass
class Ledger:
    """A run, and the log of the emulator that played its targets."""

    fleet: Fleet
    run: Run

    def check(self, count: int, **outcomes: int) -> None:
        """Fail on the first item that is not accounted for; `outcomes` if they are known."""
        self.run.refresh_from_db()
        assert self.run.status == RunStatus.FINISHED, (self.run, self.run.problem_text)
        items = list(self.run.items.order_by("number"))
        self._check_counts(items, count, outcomes)
        self._check_nothing_left()
        log = self._log()
        events = self._events()
        for item in items:
            self._check_item(item, events.get(item.pk, []), log.get(item.remote_id, []))
        self._check_the_run()

    def _check_counts(self, items: list[Item], count: int, outcomes: dict) -> None:
        told = runs.progress(self.run)
        rows = Counter(item.outcome for item in items)
        assert (len(items), told.done, told.total) == (count, count, count)
        assert self.run.total == count
        assert told.outcomes == dict(rows)
        if outcomes:
            assert dict(rows) == outcomes, Counter(
                (item.outcome, item.cause, item.explanation) for item in items
            )

    def _check_nothing_left(self) -> None:
        # A run ends with its last result; its worker lets go of the chunk a moment later.
        left = Chunk.objects.filter(run=self.run).exclude(status=ChunkStatus.DONE)
        wait_until(lambda: not left.exists(), 20, "chunks that nobody holds")
        assert not Hold.objects.exists()
        open_calls = Attempt.objects.filter(state=AttemptState.INTENDED)
        assert not open_calls.filter(item__run=self.run).exists()

    def _check_item(self, item: Item, events: list[Event], log: list[dict]) -> None:
        assert item.outcome, (item, item.status)
        assert item.finished_at, item
        assert item.tries >= 1, item
        told = Counter(event.action for event in events)
        settled = int(self.run.kind not in ("probe", "sync"))
        assert told["item_settled"] == settled, (item, item.tries, events)
        # Of several runs over the same instances, one revokes.
        destroys = self.run.kind in DESTRUCTIVE
        heard = [row for row in log if destroys and is_revocation(row)]
        self._check_calls(item, events, heard)
        assert not blind(log), (item, blind(log))

    def _check_calls(self, item: Item, events: list[Event], heard: list[dict]) -> None:
        """Each call has an intent and a result; what the target heard is among them."""
        sent = Attempt.objects.filter(item=item, purpose__startswith="revoke")
        intents = [one for one in events if one.action == "revoke_intended"]
        results = [one for one in events if one.action == "revoke_answered"]
        states = Counter(json.loads(one.text)["facts"]["state"] for one in results)
        seen = (item, len(intents), states, heard)
        assert len(intents) == sent.count(), seen
        # A worker that was taken for dead may tell its answer after all.
        assert len(results) - len(intents) in range(states[LOST] + 1), seen
        assert states[ANSWERED] <= len(heard), seen
        assert len(heard) <= states[ANSWERED] + states[LOST], seen
        assert len(heard) <= len(intents), seen

    def _check_the_run(self) -> None:
        events = Event.objects.filter(run_uid=str(self.run.uid))
        told = Counter(events.values_list("action", flat=True))
        assert (told["run_started"], told["run_finished"]) == (1, 1), told
        assert verify.verify() == []

    def _log(self) -> dict[str, list[dict]]:
        """Return what providers received, per remote instance."""
        found: dict[str, list[dict]] = {}
        for row in self.fleet.emulator.log():
            if row["side"] == "provider":
                for instance in row["instances"]:
                    found.setdefault(str(instance), []).append(row)
        return found

    def _events(self) -> dict[int, list[Event]]:
        found: dict[int, list[Event]] = {}
        rows = Event.objects.filter(run_uid=str(self.run.uid), item_id__isnull=False)
        for event in rows.order_by("sequence"):
            found.setdefault(event.item_id, []).append(event)
        return found


def is_revocation(row: dict) -> bool:
    """Tell whether a call that a provider received was to revoke."""
    return row["path"].endswith("revoke")


def blind(log: list[dict]) -> list[tuple[int, int]]:
    """Return the pairs of revocations of one instance without a look in between."""
    sent = [row["seq"] for row in log if is_revocation(row)]
    looks = [row["seq"] for row in log if not is_revocation(row)]
    return [
        (first, second)
        for first, second in pairwise(sent)
        if not any(first < look < second for look in looks)
    ]
