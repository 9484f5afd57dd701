"""A loopback server that writes down what reaches it, byte for byte, and answers as told.

Standard library only: it runs in the product's environment and in that of the SDKs.
"""

import json
import ssl
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Recorder:
    """Listens on 127.0.0.1 while it is entered; with a context it speaks TLS."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: deque[tuple[int, object]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> list[dict[str, Any]]:
        """Return what was sent since the last call of this."""
        taken, self.sent = self.sent, []
        return taken


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Records any method."""

        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            sent = {
                "method": self.command,
                "target": self.path,
                "headers": [
                    [name.lower(), text] for name, text in self.headers.items()
                ],
                "body": body.decode("latin-1"),
            }
            recorder.sent.append(sent)
            self._answer(
                *(recorder.answers.popleft() if recorder.answers else (200, {}))
            )

        def _answer(self, status: int, data: object) -> None:
            body = b"" if status == 204 else json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = handle_one

        def log_message(self, *_: object) -> None:
            """What was recorded is the log."""

    return Handler
