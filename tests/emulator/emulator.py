"""The running emulator: its loop, its socket, and the handle that tests hold."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from . import control
from .application import Application
from .server import Connection

_BACKLOG = 2048
_SAVE_EVERY = 0.05  # seconds
T = TypeVar("T")


async def serve(
    application: Application,
    port: int,
    ready: Callable[[int], None],
    stop: asyncio.Event,
) -> None:
    """Listen on loopback until `stop` is set; raises OSError when the port is taken."""
    loop = asyncio.get_running_loop()
    connections: set[Connection] = set()
    server = await loop.create_server(
        lambda: Connection(application.handle, loop, connections),
        "127.0.0.1",
        port,
        backlog=_BACKLOG,
    )
    saving = loop.create_task(_keep_saving(application))
    ready(server.sockets[0].getsockname()[1])
    try:
        await stop.wait()
    finally:
        saving.cancel()
        server.close()
        for connection in list(connections):
            connection.transport.abort()
        application.close()


async def _keep_saving(application: Application) -> None:
    while True:
        await asyncio.sleep(_SAVE_EVERY)
        application.flush()


class Emulator:
    """An emulator in a thread of this process."""

    def __init__(
        self, port: int, state: Path | None, log: Path | None, switches: dict[str, Any]
    ) -> None:
        self.application = Application(state, log)
        for name, value in switches.items():
            self.application.world.set_switch(name, value)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready: Future[int] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(port,), name="emulator", daemon=True
        )
        self._thread.start()
        self.port = self._ready.result(timeout=10)

    def _run(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(
                serve(self.application, port, self._ready.set_result, self._stop)
            )
        except OSError as error:
            self._ready.set_exception(error)
        finally:
            self._loop.close()

    @property
    def url(self) -> str:
        """The address of the emulator."""
        return f"http://127.0.0.1:{self.port}"

    def control(self, path: str, payload: Any = None, method: str = "") -> Any:
        """Call the control endpoint in process: `control("faults", {...})`, `control("instances/471001")`."""
        path, _, query = path.removeprefix("/_control").partition("?")
        method = method or (
            "GET" if payload is None and path.strip("/") != "reset" else "POST"
        )
        query_fields = dict(parse_qsl(query))
        given = json.loads(json.dumps(payload))  # a copy: two threads must not share it
        act = partial(control.act, self.application, method, path, query_fields, given)
        return json.loads(self._in_loop(lambda: json.dumps(act())))

    def log(self, since: int = 0, instance: int | None = None) -> list[dict[str, Any]]:
        """Return what was received after this number."""
        return self._in_loop(lambda: self.application.journal.since(since, instance))

    def _in_loop(self, call: Callable[[], T]) -> T:
        """Run a call in the server's thread, which alone may touch the world."""
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(call())
            except Exception as error:  # noqa: BLE001 - it is raised again in the caller's thread
                result.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return result.result(timeout=60)

    def stop(self) -> None:
        """Stop serving, save, and wait for the thread. Stopping twice is fine."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=10)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    port: int = 0,
    state: str | Path | None = None,
    log: str | Path | None = None,
    switches: dict[str, Any] | None = None,
) -> Emulator:
    """Start an emulator in a thread; port 0 takes a free one. Raises OSError when the port is taken."""
    return Emulator(
        port, Path(state) if state else None, Path(log) if log else None, switches or {}
    )
