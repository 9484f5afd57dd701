"""What the parts of rejected designs cost beside the one that was taken, for the decision's page.

    python -m tests.bench.designs

CPU time of one call or one message, in user and in kernel, medians of five; one after the
other in one process, so that the ratios hold on a busy machine too.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from threading import local

import requests

from tests.bench import bare, processes, wire
from tests.bench.target import Target
from tests.bench.world import World, wait_until

ROUNDS = 5
CALLS = 2_000
TURNS = 5_000
AT_ONCE = 50

Row = tuple[str, float]


def main() -> None:
    """Measure and print a table."""
    with Target(processes=1) as target, World("sqlite", target.url) as world:
        rows = [*_calls(target), *_messages(world), *_turns()]
    print("| What | CPU each | against the best of its kind |\n|---|---|---|")
    best = 0.0
    for name, seconds in rows:
        # Each kind begins with the design that was taken.
        best = seconds if name.startswith("**") else best
        print(f"| {name} | {seconds * 1e6:,.0f} µs | {seconds / best:,.1f} × |")


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(ROUNDS))


# HTTP calls


def _calls(target: Target) -> list[Row]:
    return [
        ("**a call in one libcurl loop, 50 at once**", _median(lambda: _loop(target))),
        ("a call by `requests`, 50 threads", _median(lambda: _threads(target))),
    ]


def _loop(target: Target) -> float:
    return bare.measure(target.url, "probe", CALLS, AT_ONCE, 1)["cpu"] / CALLS


def _threads(target: Target) -> float:
    own = local()

    def ping(number: int) -> None:
        if not hasattr(own, "session"):
            own.session = requests.Session()
        call = wire.call("ping", number)
        headers = dict(line.split(": ", 1) for line in call.headers)
        answer = own.session.get(target.url + call.path, headers=headers)
        assert answer.status_code == 200

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ping, range(AT_ONCE)))  # warm
        began = time.process_time()
        list(pool.map(ping, range(CALLS)))
        return (time.process_time() - began) / CALLS


# Messages


def _messages(world: World) -> list[Row]:
    """Cost of an empty task, sender and worker together, for each instance of a run."""
    from ceadmin.lib import broker  # noqa: PLC0415 (settings stand by now)

    command = ("-m", "celery", "-A", "ceadmin", "worker", "-c", "2", "-l", "ERROR")
    member = world.crew.start("worker", world.command(*command))
    wait_until(broker.live_workers, 60, "a live worker")
    each = _median(lambda: _drain(member.pid, CALLS) / CALLS)
    return [
        ("**an empty task, one for 250 instances**", each / 250),
        ("an empty task, one for each instance", each),
    ]


def _drain(pid: int, count: int) -> float:
    from celery import current_app  # noqa: PLC0415 (settings stand by now)

    from ceadmin.lib import broker  # noqa: PLC0415 (settings stand by now)

    pids = [pid, *processes.tree(pid)]
    before, own = processes.cpu(pids), time.process_time()
    for number in range(count):
        current_app.send_task("celery.accumulate", args=[number])
    sent = time.process_time() - own
    client = broker.client()
    empty = lambda: not client.llen("ceadmin") and not client.exists("unacked")  # noqa: E731
    wait_until(empty, 120, "an empty queue")
    return sent + processes.cpu(pids) - before


# Turns of the limiter


def _turns() -> list[Row]:
    return [
        ("**a turn of a limit, a batch at once**", _median(lambda: _take(50))),
        ("a turn of a limit, one at once", _median(lambda: _take(1))),
    ]


def _take(batch: int) -> float:
    from ceadmin.lib.ratelimit import Limiter  # noqa: PLC0415 (settings stand by now)

    limiter, got = Limiter("designs"), 0
    began = time.process_time()
    while got < TURNS:
        turns = limiter.take(batch, [("host:bench.example.com", 1e6)])
        got += turns.count
    return (time.process_time() - began) / got


if __name__ == "__main__":
    sys.exit(main())
