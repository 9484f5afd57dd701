"""Work a run in this very process, and say what an item costs.

    python -m tests.bench.profile --kind revoke --items 3000 --latency 0 [--profile] [--memory]

Numbers are of one worker with all calls in flight; for the engine as it runs, and for
judged figures, see `tests.bench.run`.
"""

import argparse
import cProfile
import logging
import pstats
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.bench.target import Target
from tests.bench.world import DATABASES, World

TOP = 40
#: Seconds after which a run is taken for stuck.
PATIENCE = 300.0


def main() -> None:
    """Measure once and print."""
    options = _options()
    with (
        Target(processes=1, latency=options.latency / 1000) as target,
        World(options.database, target.url) as world,
    ):
        _log_to(world.folder / "worker.log")
        _measure(options, target)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", choices=("probe", "revoke"), default="probe")
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--latency", type=float, default=0, help="ms until an answer")
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--profile", action="store_true", help="with cProfile's top")
    parser.add_argument(
        "--memory", action="store_true", help="resident size as it goes"
    )
    return parser.parse_args()


def _log_to(file: Path) -> None:
    """Log as a worker does, but not on the screen."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file.open("w"))


def _measure(options: argparse.Namespace, target: Target) -> None:
    from instances import runs  # noqa: PLC0415 (models need the World)
    from tests.bench import fleet as fleets  # noqa: PLC0415

    fleet = fleets.Fleet(options.items)
    run = fleet.draft(options.kind, options.items, options.connections)
    fleet.start(run)
    profile = cProfile.Profile() if options.profile else None
    before = _resident()
    with _statements() as statements:
        wall, cpu = time.perf_counter(), time.process_time()
        with profile or nullcontext():
            while not _ended(run):
                if time.perf_counter() - wall > PATIENCE:
                    raise SystemExit(f"the run is still {run.status}: it got stuck")
                runs.work(run.pk, worker="bench", seconds=PATIENCE)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    fleets.check(run, options.kind)
    _print(options, wall, cpu, len(statements))
    print(f"  calls at the target: {target.counts()}")
    if options.memory:
        print(f"  resident: {before:.1f} MB before, {_resident():.1f} MB after")
    if profile:
        _tops(profile)


def _ended(run: object) -> bool:
    run.refresh_from_db()
    return run.status != "running"


@contextmanager
def _statements() -> Iterator[list[float]]:
    """Collect a mark for every statement that this thread sends."""
    from django.db import connection  # noqa: PLC0415 (the settings need the World)

    seen: list[float] = []

    def count(execute, sql, params, many, context):
        seen.append(0.0)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield seen


def _print(options: argparse.Namespace, wall: float, cpu: float, sent: int) -> None:
    items = options.items
    print(
        f"{options.kind}, {items} items, {options.latency:g} ms, {options.database}, "
        f"{options.connections} connections: {wall:.2f} s, {items / wall:.0f}/s, "
        f"{cpu / items * 1e6:.0f} us CPU per item, {sent / items:.3f} statements per item"
    )


def _resident() -> float:
    """Return this process's resident memory in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _tops(profile: cProfile.Profile) -> None:
    stats = pstats.Stats(profile)
    for order in ("tottime", "cumtime"):
        stats.sort_stats(order).print_stats(TOP)


if __name__ == "__main__":
    main()
