"""Servers on loopback that do what they should not, for the tests of the outbound seam."""

import re
import socket
import threading
import time
from contextlib import suppress

#: How long a server goes on dripping if nobody stops it.
PATIENCE = 20.0


class Server:
    """Keeps what it is sent and answers as `behave(client, request)` likes.

    `behave` returns True to read another request from the same connection.
    """

    def __init__(self, behave, tls=None):
        self.behave, self.tls = behave, tls
        self.seen, self.accepted = [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Take no more connections."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.accepted += 1
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with suppress(OSError), client:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            with client, client.makefile("rb") as stream:
                while request := read_request(stream):
                    self.seen.append(request)
                    if not self.behave(client, request):
                        return


def read_request(stream):
    """Return the bytes of one request, b"" where there is none."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + (stream.read(int(length[1])) if length else b"")


def answers(body=b"", *fields, status="200 OK", length=True):
    """Answer properly and keep the connection."""
    lines = [f"HTTP/1.1 {status}", *fields]
    lines += [f"Content-Length: {len(body)}"] if length else []
    whole = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return says(whole, keep=True)


def says(raw, keep=False):
    """Send these bytes, whatever they are."""

    def behave(client, request):
        client.sendall(raw)
        return keep

    return behave


def drips(start, drop, every=0.05):
    """Send `start`, then `drop` over and over until the other side has had enough."""

    def behave(client, request):
        client.sendall(start)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            client.sendall(drop)
            time.sleep(every)

    return behave


def is_silent(client, request):
    """Say nothing for a long time."""
    time.sleep(PATIENCE)


def hangs_up(client, request):
    """Close the connection without a word."""


def by_path(**behaviours):
    """Behave as the first part of the request's path says."""

    def behave(client, request):
        name = re.match(rb"[A-Z]+ /(\w+)", request)[1].decode()
        return behaviours[name](client, request)

    return behave
