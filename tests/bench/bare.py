"""The bare loop: nothing but libcurl, making the calls that the engine makes.

    python -m tests.bench.bare --url URL --kind revoke --first 0 --count 1000 --connections 25

Says "ready", waits for a line, works, and prints when it ended. No guard, no evidence, no
database: what is left between this and the engine is what the engine costs.
"""

import argparse
import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as counting

import pycurl

from tests.bench import wire
from tests.bench.wire import Kind

#: What the target has to answer to the calls of `wire.CHAINS`, in their order.
ANSWERS: dict[Kind, tuple[int, ...]] = {
    "probe": (200,),
    "revoke": (200, 200, 200, 401, 401),
}
_EVENTS = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


@dataclass(slots=True)
class Slot:
    """One handle and where it stands in the calls of one instance."""

    curl: pycurl.Curl
    number: int = 0
    step: int = 0


class Loop:
    """All handles of one process."""

    def __init__(self, url: str, kind: Kind, numbers: Iterator[int]) -> None:
        """Prepare to make the calls of `kind` for each of `numbers`."""
        self.url, self.chain, self.answers = url, wire.CHAINS[kind], ANSWERS[kind]
        self.numbers = numbers
        self.multi = pycurl.CurlMulti()
        self.multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self.multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self.poll = select.epoll()
        self.due: float | None = None
        self.slots: dict[pycurl.Curl, Slot] = {}

    def work(self, connections: int) -> None:
        """Make all calls, `connections` at a time."""
        self.multi.setopt(pycurl.M_MAXCONNECTS, connections)
        for _ in range(connections):
            curl = pycurl.Curl()
            curl.setopt(pycurl.WRITEFUNCTION, len)
            curl.setopt(pycurl.NOSIGNAL, 1)
            self._begin(Slot(curl))
        while self.slots:
            wait = -1 if self.due is None else max(0.0, self.due - time.monotonic())
            for fd, events in self.poll.poll(wait):
                self.multi.socket_action(fd, _bits(events))
            if self.due is not None and self.due <= time.monotonic():
                self.due = None
                self.multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._collect()

    def _begin(self, slot: Slot) -> None:
        number = next(self.numbers, None)
        if number is None:
            self.slots.pop(slot.curl, None)
            return
        slot.number, slot.step = number, 0
        self._send(slot)

    def _send(self, slot: Slot) -> None:
        call, curl = wire.call(self.chain[slot.step], slot.number), slot.curl
        curl.setopt(pycurl.URL, self.url + call.path)
        curl.setopt(pycurl.HTTPHEADER, list(call.headers))
        if call.method == "POST":
            curl.setopt(pycurl.POSTFIELDS, call.body)
        else:
            curl.setopt(pycurl.HTTPGET, 1)
        self.slots[curl] = slot
        self.multi.add_handle(curl)
        self.due = time.monotonic()

    def _collect(self) -> None:
        more = 1
        while more:
            more, good, bad = self.multi.info_read()
            if bad:
                raise ConnectionError(str(bad))
            for curl in good:
                self._land(self.slots[curl])

    def _land(self, slot: Slot) -> None:
        status = slot.curl.getinfo(pycurl.RESPONSE_CODE)
        if status != self.answers[slot.step]:
            raise ValueError(f"{self.chain[slot.step]} answered {status}")
        self.multi.remove_handle(slot.curl)
        slot.step += 1
        if slot.step < len(self.chain):
            self._send(slot)
        else:
            self._begin(slot)

    def _watch(self, event: int, fd: int, multi: object, data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            self.poll.unregister(fd)
        elif data:
            self.poll.modify(fd, _EVENTS[event])
        else:
            self.poll.register(fd, _EVENTS[event])
            self.multi.assign(fd, True)

    def _set_timer(self, milliseconds: int) -> None:
        wait = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        self.due = wait


def _bits(events: int) -> int:
    read = pycurl.CSELECT_IN if events & ~select.EPOLLOUT else 0
    write = pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
    return read | write


def measure(
    url: str, kind: Kind, items: int, connections: int, processes: int = 2
) -> dict[str, float]:
    """Return `wall` and `cpu` in seconds of the bare loop over `items` instances.

    The processes share out instances and connections; they are warm when the clock starts.
    """
    shares = [_share(items, processes, n) for n in range(processes)]
    command = [sys.executable, "-m", "tests.bench.bare", "--url", url, "--kind", kind]
    running = []
    for n, (first, many) in enumerate(shares):
        of = _share(connections, processes, n)[1]
        own = ["--first", str(first), "--count", str(many), "--connections", str(of)]
        running.append(_start([*command, *own]))
    for process in running:
        process.stdout.readline()  # "ready"
    began = time.monotonic()
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("the bare loop got an answer that it should not get")
    told = [json.loads(text) for text in said]
    wall = max(one["ended"] for one in told) - began
    return {"wall": wall, "cpu": sum(one["cpu"] for one in told)}


def _share(whole: int, parts: int, n: int) -> tuple[int, int]:
    """Return where the n-th part of a whole begins and how much it is."""
    first, end = whole * n // parts, whole * (n + 1) // parts
    return first, end - first


def _start(command: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def main() -> None:
    """Be one process of the bare loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--kind", choices=tuple(wire.CHAINS), required=True)
    for name in ("--first", "--count", "--connections"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    numbers = counting(options.first)
    own = (next(numbers) for _ in range(options.count))
    loop = Loop(options.url, options.kind, own)
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    loop.work(options.connections)
    ended, cpu = time.monotonic(), time.process_time() - began
    print(json.dumps({"ended": ended, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main()
