"""The flows of one shard that are in the air, by item and by provider."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

from instances.engine.lanes import Thread

#: So many rounds of a shard's connections are kept ready where calls are fast: a batch may
#: be in the hand just then, and fast calls use up one round in a few hundredths …
_MOST_ROUNDS = 4
#: … and where they are slow, no more than is worked in so many seconds: other workers
#: shall find something to do.
_READY_SECONDS = 1.0
#: How much of what is known of a flow's time comes from the last one.
_NEWEST = 0.1


class Flights:
    """Which flow an item has; a flow that was given up may still be called back."""

    def __init__(self) -> None:
        self._flying: dict[int, Thread] = {}
        self._of_provider: Counter[str] = Counter()
        self._seconds = _READY_SECONDS  # that a flow takes, as seen lately

    def __len__(self) -> int:
        return len(self._flying)

    def __iter__(self) -> Iterator[Thread]:
        """Yield what is in the air now; the caller may land some of it."""
        return iter(list(self._flying.values()))

    @property
    def items(self) -> list[int]:
        """Return the items' primary keys."""
        return list(self._flying)

    def of(self, provider_key: str) -> int:
        """Return how many are of a provider."""
        return self._of_provider[provider_key]

    @property
    def rounds(self) -> float:
        """Return how many times the flows in the air are worth having ready."""
        return max(1.0, min(_MOST_ROUNDS, _READY_SECONDS / self._seconds))

    def begin(self, thread: Thread) -> None:
        """Let a flow begin."""
        thread.began = time.monotonic()
        self._flying[thread.item.pk] = thread
        self._of_provider[thread.item.provider_key] += 1

    def has(self, thread: Thread) -> bool:
        """Tell whether a flow is still in the air, and not given up while it waited."""
        return self._flying.get(thread.item.pk) is thread

    def end(self, thread: Thread) -> None:
        """Forget a flow, if it has not been forgotten."""
        if self.has(thread):
            del self._flying[thread.item.pk]
            self._of_provider[thread.item.provider_key] -= 1
            took = max(time.monotonic() - thread.began, 0.001)
            self._seconds += (took - self._seconds) * _NEWEST
