"""A server that counts, and a process that calls it as fast as a limit lets it.

    python -m tests.lib.counting PORT SCOPE RATE SECONDS

Moments are the server's: when a datagram was received.
"""

import select
import socket
import sys
import time
from bisect import bisect_left

LOOPBACK = "127.0.0.1"


class Counter:
    """Counts datagrams; `moments` holds when each was received, by the system's clock."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        # The kernel's own stamp: a busy machine may wake this process late.
        self.socket.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.moments: list[float] = []

    @property
    def port(self) -> int:
        return self.socket.getsockname()[1]

    def close(self) -> None:
        """Let the port go."""
        self.socket.close()

    def count(self, seconds: float) -> None:
        """Receive for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.socket], [], [], left)[0]:
                _, extra, _, _ = self.socket.recvmsg(64, 64)
                stamp = extra[0][2]
                whole = int.from_bytes(stamp[:8], sys.byteorder)
                self.moments.append(
                    whole + int.from_bytes(stamp[8:16], sys.byteorder) / 1e9
                )


def busiest_second(moments: list[float]) -> int:
    """Return the largest number of moments within any one second."""
    ordered = sorted(moments)
    return max(
        bisect_left(ordered, moment + 1.0) - at for at, moment in enumerate(ordered)
    )


def call(port: int, scope: str, rate: float, seconds: float) -> None:
    """Send a datagram at each turn."""
    import django  # noqa: PLC0415 (a process of its own)

    django.setup()
    from ceadmin.lib.ratelimit import Limiter  # noqa: PLC0415

    print("at work", flush=True)
    limiter = Limiter(f"caller {time.monotonic_ns()}")
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        turns = limiter.take(10, [(scope, rate)])
        first = time.monotonic() + turns.delay
        for number in range(turns.count):
            time.sleep(max(0.0, first + number * turns.apart - time.monotonic()))
            out.sendto(b".", (LOOPBACK, port))
        time.sleep(turns.again)


if __name__ == "__main__":
    call(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
