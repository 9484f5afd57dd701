"""A server on loopback for hundreds of connections at once."""

import asyncio
import threading

REPLY = "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}"


class Crowd:
    """Answers with the path it was asked for; `/together` once enough have asked."""

    def __init__(self):
        self.accepted = self.wanted = 0
        self.talks, self.waiting = set(), []
        self.loop, started = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def gather(self, calls):
        """Let `/together` wait until this many calls have come."""
        self.wanted = calls

    def answer(self, transport, path):
        """Answer now, or when there are enough."""
        self.waiting.append((transport, path))
        if path == "/together" and len(self.waiting) < self.wanted:
            return
        self.wanted = 0
        for waiting, asked in self.waiting:
            waiting.write(REPLY.format(len(asked), asked).encode())
        self.waiting.clear()

    def close(self):
        """Stop, and end what is still open."""
        self.loop.call_soon_threadsafe(self._end)
        self.thread.join()

    def _run(self, started):
        made = self.loop.create_server(lambda: Talk(self), "127.0.0.1", 0, backlog=1024)
        self.server = self.loop.run_until_complete(made)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        started.set()
        self.loop.run_forever()
        self.loop.close()

    def _end(self):
        self.server.close()
        for transport in self.talks:
            transport.abort()
        self.loop.call_later(0.05, self.loop.stop)


class Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd):
        self.crowd, self.received = crowd, b""

    def connection_made(self, transport):
        """Count it."""
        self.transport = transport
        self.crowd.accepted += 1
        self.crowd.talks.add(transport)

    def connection_lost(self, error):
        """Forget it."""
        self.crowd.talks.discard(self.transport)

    def data_received(self, data):
        """Read requests without bodies."""
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            self.crowd.answer(self.transport, head.split(b" ")[1].decode())
