"""The target of the bench: platform and provider in one, as fast as asyncio allows.

    python -m tests.bench.target --memory FILE --port N --process 0

A hand-written parser reads just what tells the calls apart; the answers have the shape
and about the size of the real ones. It is consistent at once: what was revoked is dead in
the very next answer, whichever process gives it.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import target_memory, wire
from tests.bench.target_memory import DEAD, Memory

_MARK, _DIGITS = wire.MARK.encode(), wire.DIGITS
PING, READ, VERIFY, REVOKE, LOOK, OTHER = range(6)

_BY_ID = f"GET {wire.PLATFORM}/instances/".encode()
_PATHS = (
    (f"GET {wire.PLATFORM}/ping ".encode(), PING),
    (f"GET {wire.PLATFORM}/instances ".encode(), READ),
    (f"GET {wire.BOX}/2.0/users/me ".encode(), VERIFY),
    (f"POST {wire.BOX}/oauth2/revoke ".encode(), REVOKE),
    (_BY_ID, LOOK),
)


def _answer(status: str, body: object, *headers: str) -> bytes:
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {status}",
        "Content-Type: application/json;charset=UTF-8",
        f"Content-Length: {len(content)}",
        "Elements-Request-Id: 5f1c2d9e8b7a6c5d4e3f2a1b",
        *headers,
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + content


_PONG = _answer(
    "200 OK",
    {"dateTime": "2026-11-24T02:00:00.000Z", "endpoint": "box", "valid": True},
)
_REFUSED = _answer(
    "401 Unauthorized",
    {
        "requestId": "5f1c2d9e8b7a6c5d4e3f2a1b",
        "message": "Request failed",
        "providerMessage": "INVALID_ACCESS_TOKEN: invalid_grant Refresh token has expired",
    },
)
_PERSON = _answer(
    "200 OK",
    {"type": "user", "id": "229876543", "name": "Ada", "login": "ada@example.com"},
)
_UNKNOWN_PERSON = _answer("401 Unauthorized", None)
_REVOKED = _answer("200 OK", None)
_UNKNOWN_TOKEN = _answer(
    "400 Bad Request",
    {"error": "invalid_request", "error_description": "Invalid token"},
)
_NOTHING = _answer("404 Not Found", {"message": "No such call"})


def _instance_template() -> bytes:
    """Return the answer to a read, with marks of the right length in place of the number."""
    configuration = {
        "oauth.user.token": wire.access_token(0),
        "oauth.user.refresh_token": wire.refresh_token(0),
        "oauth.user.refresh_time": "1795123456789",
        "oauth.user.refresh_interval": "3600",
        "oauth.api.key": wire.CLIENT_ID,
        "oauth.api.secret": "********",
        "oauth.callback.url": "https://app.customer.example/oauth/callback",
        "event.notification.enabled": "false",
    }
    body = {
        "id": "0" * _DIGITS,
        "name": "Bench",
        "createdDate": "2026-01-05T10:00:00Z",
        "token": wire.element_token(0),
        "element": {"id": 39, "key": "box", "hub": "documents", "name": "Box"},
        "description": "x" * 200,
        "tags": [],
        "valid": True,
        "disabled": False,
        "configuration": configuration,
    }
    return _answer("200 OK", body).replace(b"0" * _DIGITS, _HOLE)


_HOLE = b"@" * _DIGITS
_INSTANCE = _instance_template()


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, memory: Memory, process: int) -> None:
        """Know the shared state and the row of counts."""
        self.memory = memory
        self.counts = memory.row(process)
        self.loop = asyncio.get_running_loop()
        self.rest = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that is there."""
        if self.rest:
            data = self.rest + data
        while data:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                break
            end += 4
            if data.startswith(b"POST"):
                end += _length(data, end)
                if len(data) < end:
                    break
            self._answer(data[:end] if len(data) > end else data)
            data = data[end:]
        self.rest = data

    def _answer(self, request: bytes) -> None:
        answer = self._judge(request)
        latency = self.memory.words[0]
        if latency:
            self.loop.call_later(latency / 1e6, self._write, answer)
        else:
            self.transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)

    def _judge(self, request: bytes) -> bytes:
        kind = next((kind for path, kind in _PATHS if request.startswith(path)), OTHER)
        self.counts[kind] += 1
        named = request.find(_MARK) + len(_MARK)
        at = len(_BY_ID) if kind == LOOK else named
        digits = request[at : at + _DIGITS]
        if kind == OTHER or not digits.isdigit():
            return _NOTHING
        state, number = self.memory.state, int(digits)
        dead = state[number] == DEAD
        if kind == PING:
            return _REFUSED if dead else _PONG
        if kind == VERIFY:
            return _UNKNOWN_PERSON if dead else _PERSON
        if kind == REVOKE:
            state[number] = DEAD
            return _UNKNOWN_TOKEN if dead else _REVOKED
        return _INSTANCE.replace(_HOLE, digits)


def _length(data: bytes, end: int) -> int:
    head = data[:end].lower()
    _, _, rest = head.partition(b"content-length:")
    return int(rest.partition(b"\r")[0] or 0)


async def serve(memory: Memory, port: int, process: int) -> None:
    """Serve until standard input is closed, as it is when whoever started this ends."""
    loop = asyncio.get_running_loop()
    place = _socket(port)
    await loop.create_server(lambda: Connection(memory, process), sock=place)
    over = loop.create_future()
    loop.add_reader(sys.stdin, lambda: over.done() or over.set_result(None))
    target_memory.ready(memory, process)
    await over


def _socket(port: int) -> socket.socket:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    place.bind(("127.0.0.1", port))
    return place


class Target:
    """The processes of a target, for whoever measures against it."""

    def __init__(self, processes: int = 2, latency: float = 0.0) -> None:
        """Start and wait until all listen; `latency` in seconds."""
        self.memory = Memory.make()
        self.memory.latency = latency
        self.place = _socket(0)  # keeps the port; never listens
        self.port = self.place.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.bench.target"]
        command += ["--memory", str(self.memory.path), "--port", str(self.port)]
        self.processes = [
            subprocess.Popen([*command, "--process", str(n)], stdin=subprocess.PIPE)
            for n in range(processes)
        ]
        end = time.monotonic() + 20
        while self.memory.listening() < processes:
            if time.monotonic() > end:
                raise TimeoutError("the target does not listen")
            time.sleep(0.01)
        self.memory.path.unlink()  # all have it open; nothing is left behind

    def __enter__(self) -> "Target":
        """Be closed at the end of a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def fresh(self, latency: float) -> None:
        """Let every grant live again, forget the counts, answer after `latency` seconds."""
        self.memory.reset()
        self.memory.latency = latency

    def counts(self) -> dict[str, int]:
        """Return how many calls of each kind came since the last `fresh`."""
        return {name: count for name, count in self.memory.counts().items() if count}

    def stop(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            process.wait(10)
        self.place.close()
        self.memory.close()


def main() -> None:
    """Be one process of a target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--process", type=int, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    gc.freeze()
    gc.disable()  # nothing here makes cycles that matter within a bench
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(Memory(options.memory), options.port, options.process))


if __name__ == "__main__":
    main()
