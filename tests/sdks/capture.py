"""Print as JSON what each SDK sends when it revokes.

Use: .venv-sdks/bin/python -m tests.sdks.capture. The SDKs keep their own addresses and check
certificates; in this process alone every name and every connection leads to a server on
127.0.0.1, whose certificates come from an authority made for the run.
"""

import importlib
import json
import os
import socket
import ssl
import tempfile
from typing import Any

import certifi
import trustme

from tests.sdks.recorder import Recorder

# Where OpenSSL, requests and httplib2 look for authorities before they ask certifi.
AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPLIB2_CA_CERTS")


def main() -> None:
    """Run every call in turn and print what it sent."""
    authority = trustme.CA()
    with (
        tempfile.NamedTemporaryFile(suffix=".pem") as file,
        Recorder(context_of(authority)) as recorder,
    ):
        authority.cert_pem.write_to_path(file.name)
        trust(file.name)
        lead_to(recorder.port)
        calls = importlib.import_module("tests.sdks.calls").CALLS
        print(json.dumps([capture(recorder, call) for call in calls]))


def context_of(authority: trustme.CA) -> ssl.SSLContext:
    """Return the server's TLS: a certificate for whichever host is asked for."""

    def named(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name or "127.0.0.1").configure_cert(context)
        connection.context = context

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.sni_callback = named
    return context


def trust(file: str) -> None:
    """Let whatever is imported from now on trust the authority in the file alone."""
    os.environ |= dict.fromkeys(AUTHORITIES, file)
    certifi.where = lambda: file


def lead_to(port: int) -> None:
    """Resolve every name to the server, and let every connection end there."""
    here = ("127.0.0.1", port)
    connect = socket.socket.connect

    def resolved(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", here)]

    socket.getaddrinfo = resolved
    socket.socket.connect = lambda connection, _: connect(connection, here)


def capture(recorder: Recorder, call: Any) -> dict[str, Any]:
    """Make one call; raise when it sends another number of requests than it was answered."""
    recorder.answers.extend(call.answers)
    try:
        call.run()
    except Exception as error:
        raise RuntimeError(f"{call.package} failed: {recorder.take()}") from error
    sent = recorder.take()
    if len(sent) != len(call.answers):
        raise RuntimeError(f"{call.package} made other calls than expected: {sent}")
    about = {"provider": call.provider, "package": call.package, "token": call.token}
    return {**about, "sent": sent[-1]}


if __name__ == "__main__":
    main()
