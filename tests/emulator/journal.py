"""The ordered log of what was received, and how often each instance was called. Holds ids, never secrets."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any, TextIO

from .messages import PREFIX, Delivery, Request

_KEEP = 200_000


class Journal:
    """Received requests, newest last; also appended to a file when one was given."""

    def __init__(self, path: Path | None = None) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEEP)
        self._file: TextIO | None = None
        self.last = 0
        self.calls: dict[int, dict[str, int]] = {}
        if path is not None:
            self._reopen(path)

    def _reopen(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text("utf-8", "replace").splitlines():
                self._restore(line)
        self._file = path.open("a", encoding="utf-8")

    def _restore(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # torn by a kill in the middle of a write
        self._entries.append(entry)
        self.last = max(self.last, entry["seq"])
        self._count(entry)

    def write(self, request: Request, delivery: Delivery) -> None:
        """Log one request and what became of it."""
        self.last += 1
        trace = request.trace
        entry = {
            "seq": self.last,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "side": trace.side,
            "method": request.method,
            "host": request.host,
            "path": PREFIX + request.path if request.platform else request.path,
            "query": [name for name, _ in request.query],
            "instance": trace.instances[0] if trace.instances else None,
            "instances": trace.instances,
            "organization": trace.organization,
            "provider": trace.provider,
            "client": trace.client,
            "effect": trace.effect,
            "status": None
            if delivery.manner in ("never", "cut")
            else delivery.answer.status,
            "fault": trace.fault,
        }
        self._entries.append(entry)
        self._count(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def _count(self, entry: dict[str, Any]) -> None:
        for instance in entry["instances"]:
            calls = self.calls.setdefault(
                instance, {"platform": 0, "element": 0, "provider": 0}
            )
            calls[entry["side"]] += 1

    def since(self, seq: int = 0, instance: int | None = None) -> list[dict[str, Any]]:
        """Return the entries after this number, of one instance if it is named."""
        later = dropwhile(lambda entry: entry["seq"] <= seq, self._entries)
        return [
            entry
            for entry in later
            if instance is None or instance in entry["instances"]
        ]

    def counts(self, since: int = 0) -> dict[int, dict[str, int]]:
        """Return the number of calls per instance and side after this number."""
        if not since:
            return self.calls
        counter = Journal()
        for entry in self.since(since):
            counter._count(entry)
        return counter.calls

    def clear(self) -> None:
        """Forget the entries; the numbers go on."""
        self._entries.clear()
        self.calls.clear()

    def flush(self) -> None:
        """Write what is buffered."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
