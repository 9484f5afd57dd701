"""Measure the engine against a bare loop and against xargs, and judge it.

    python -m tests.bench.run [--check] [--only speed,pages] [--tiny]

`--check` exits 1 on a missed figure and names it. A whole run writes docs/performance.md
and docs/performance.json; a part of one only prints. PostgreSQL is measured where
TEST_DATABASE_URL names a server.
"""

import argparse
import signal
import sys
import time
from contextlib import ExitStack
from typing import Any

from tests.bench import cells, report
from tests.bench.judge import best_ceiling, judge, missed
from tests.bench.parts import PARTS, Row, kept
from tests.bench.session import Session
from tests.bench.target import Target
from tests.bench.world import DATABASES, SERVER, there


def main(arguments: list[str]) -> int:
    """Measure, report, and return the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = options.only.split(",") if options.only else list(PARTS)
    sizes = cells.tiny() if options.tiny else cells.Sizes()
    databases = [one for one in options.databases.split(",") if there(one)]
    missing = [one for one in DATABASES if one not in databases]
    for one in missing:
        print(f"{one} NOT measured: set {SERVER}", flush=True)
    began = time.monotonic()
    rows, versions = _measure(wanted, sizes, databases)
    about = {
        "when": report.today(),
        "minutes": round((time.monotonic() - began) / 60),
        "machine": report.machine(),
        "versions": {**report.versions(), **versions},
    }
    broken = [row for row in rows if row["part"] == "broken"]
    about["missing"] = [*missing, *(row["name"] for row in broken)]
    figures = judge(rows)
    print(f"\n{report.plain(figures)}\n")
    for of in ("machine", "versions"):
        print(", ".join(f"{name} {value}".strip() for name, value in about[of].items()))
    if not options.only and not options.tiny:
        report.save(figures, rows, about)
    for row in broken:
        print(f"\nNOT measured to its end: {row['name']}: {row['error']}")
    bad = missed(figures)
    print(f"\n{report.verdict(bad)}")
    return 1 if (bad or broken) and options.check else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="exit 1 on a missed figure"
    )
    parser.add_argument("--only", default="", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--databases", default=",".join(DATABASES))
    parser.add_argument("--tiny", action="store_true", help="try the bench itself")
    options = parser.parse_args(arguments)
    unknown = {part for part in options.only.split(",") if part} - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return options


def _measure(
    wanted: list[str], sizes: cells.Sizes, databases: list[str]
) -> tuple[list[Row], dict[str, str]]:
    rows: list[Row] = []
    versions: dict[str, str] = {}
    with ExitStack() as stack:
        target = stack.enter_context(Target(processes=2))
        sessions = []
        if set(wanted) != {"ceiling"}:
            sessions = [
                stack.enter_context(Session(one, target.url)) for one in databases
            ]
            for session in sessions:
                versions |= session.ask("versions")
        for name in wanted:
            for row in kept(PARTS[name](target, sessions, sizes), name):
                rows.append(row)
                print(_line(row), flush=True)
            if name == "ceiling":
                print(f"The target answers {best_ceiling(rows):,.0f} calls a second.")
    return rows, versions


def _line(row: Row) -> str:
    """Return a row as a short line."""
    shown = (
        f"{name} {_short(value)}" for name, value in row.items() if name != "memory"
    )
    return "  " + ", ".join(shown)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
