"""Run the emulator as a process: `python -S -m tests.emulator --port 9900 --state FILE`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from .application import Application
from .emulator import serve


def main() -> int:
    """Serve until interrupted; 2 when the port is taken."""
    options = _options()
    application = Application(options.state, options.log)
    for setting in options.switch:
        name, _, value = setting.partition("=")
        application.world.set_switch(name, _value(value))
    try:
        asyncio.run(_serve(application, options.port))
    except OSError as error:
        print(
            f"emulator: cannot listen on port {options.port}: {error}", file=sys.stderr
        )
        return 2
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulator", description=__doc__
    )
    parser.add_argument("--port", type=int, default=9900)
    parser.add_argument(
        "--state", type=Path, help="file that keeps the world over restarts"
    )
    parser.add_argument(
        "--log",
        type=Path,
        help="file to append every received request to, as JSON lines",
    )
    parser.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set an assumption",
    )
    return parser.parse_args()


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _serve(application: Application, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(application, port, _announce, stop)


def _announce(port: int) -> None:
    print(f"emulator: listening on http://127.0.0.1:{port}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
