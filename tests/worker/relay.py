"""A TCP relay that a test can stall and cut, between a process and what it talks to."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path


class Relay:
    """Listens on a free port of this machine and passes on to a port or a unix socket."""

    def __init__(self, target: Path | tuple[str, int]) -> None:
        self.target = target
        self.loop = asyncio.new_event_loop()
        self.open = asyncio.Event()
        self.open.set()
        self.writers: set[asyncio.StreamWriter] = set()
        self.pairs: set[asyncio.Task[None]] = set()
        self.passed = 0  # bytes, both ways
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]

    def stall(self) -> None:
        """Take everything and pass nothing on; nobody is told."""
        self.loop.call_soon_threadsafe(self.open.clear)

    def flow(self) -> None:
        """Pass on again, also what was held back."""
        self.loop.call_soon_threadsafe(self.open.set)

    def cut(self) -> int:
        """Reset every connection; return how many there were. New ones are welcome."""
        return self._call(self._cut())

    def stop(self) -> None:
        """Close everything."""
        self._call(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def _cut(self) -> int:
        count = len(self.writers) // 2
        for writer in [*self.writers]:
            writer.transport.abort()
        return count

    async def _stop(self) -> None:
        self.server.close()
        self.open.set()
        await self._cut()
        for task in [*self.pairs]:
            task.cancel()
        await asyncio.gather(*self.pairs, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was aborted closes its socket in a later turn

    async def _serve(self, reader, writer) -> None:
        task = asyncio.current_task()
        self.pairs.add(task)
        ours = {writer}
        try:
            there = await self._reach()
            ours.add(there[1])
            self.writers |= ours
            await asyncio.gather(
                self._pump(reader, there[1]), self._pump(there[0], writer)
            )
        except (OSError, asyncio.CancelledError):
            pass  # the other side is away: so is this one
        finally:
            for one in ours:
                one.transport.abort()
            self.pairs.discard(task)

    async def _reach(self):
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(str(self.target))
        return await asyncio.open_connection(*self.target)

    async def _pump(self, reader, writer) -> None:
        try:
            while data := await reader.read(65536):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
                self.passed += len(data)
        except OSError:
            pass
        finally:
            self.writers.discard(writer)
            with suppress(OSError, RuntimeError):
                writer.close()
