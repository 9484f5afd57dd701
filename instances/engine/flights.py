"""The flows of one shard that are in the air, by item and by provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from instances.engine.lanes import Thread


class Flights:
    """Which flow an item has; a flow that was given up may still be called back."""

    def __init__(self) -> None:
        self._flying: dict[int, Thread] = {}
        self._of_provider: Counter[str] = Counter()

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

    def begin(self, thread: Thread) -> None:
        """Let a flow begin."""
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
