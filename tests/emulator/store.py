"""The state file: one JSON line per changed row, the last line of a row wins.

Lines are appended within a twentieth of a second, so that a killed process loses next to nothing; a torn
last line is left out at the next start, which also rewrites the file without what was superseded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

Row = tuple[str, Any, dict[str, Any] | None]


class Store:
    """An append-only file of rows, or nothing at all when no path was given."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._file: TextIO | None = None

    def load(self) -> list[Row]:
        """Return the live rows and leave the file compact and open for appending."""
        rows: dict[tuple[str, Any], dict[str, Any]] = {}
        if self.path is not None and self.path.exists():
            for kind, key, fields in self._lines():
                if fields is None:
                    rows.pop((kind, key), None)
                else:
                    rows[kind, key] = fields
        live: list[Row] = [(kind, key, fields) for (kind, key), fields in rows.items()]
        self.rewrite(live)
        return live

    def _lines(self) -> Iterable[Row]:
        assert self.path is not None
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    kind, key, fields = json.loads(line)
                except ValueError:
                    continue  # torn by a kill in the middle of a write
                yield kind, key, fields

    def rewrite(self, rows: Iterable[Row]) -> None:
        """Replace the file by these rows, all or nothing."""
        if self.path is None:
            return
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(_line(row) for row in rows)
        os.replace(fresh, self.path)
        self._file = self.path.open("a", encoding="utf-8")

    def append(self, rows: Iterable[Row]) -> None:
        """Add rows in one write."""
        if self._file is not None:
            self._file.write("".join(_line(row) for row in rows))
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(row: Row) -> str:
    return json.dumps(row, separators=(",", ":")) + "\n"
