"""What people do by hand: `xargs -P N curl`, making the calls that the engine makes.

A probe is one curl for each instance. A revoke is one shell for each instance that runs
one curl after the other, since each step of a script needs what the step before printed.
"""

import shlex
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench import wire
from tests.bench.wire import Kind, Sent


def measure(url: str, kind: Kind, items: int, connections: int) -> dict[str, float]:
    """Return `wall` in seconds of xargs over `items` instances, `connections` at a time."""
    numbers = "\n".join(f"{n:0{wire.DIGITS}d}" for n in range(items))
    with tempfile.TemporaryDirectory() as folder:
        command = ["xargs", "-P", str(connections), "-I", "{}"]
        command += _command(url, kind, Path(folder))
        began = time.monotonic()
        subprocess.run(command, input=numbers.encode(), check=True)
        return {"wall": time.monotonic() - began}


def _command(url: str, kind: Kind, folder: Path) -> list[str]:
    calls = [_curl(url, call) for call in wire.chain(kind, 0)]
    zeros = wire.MARK + "0" * wire.DIGITS
    if len(calls) == 1:
        return [word.replace(zeros, wire.MARK + "{}") for word in calls[0]]
    lines = [shlex.join(call).replace(zeros, f"{wire.MARK}'\"$1\"'") for call in calls]
    script = folder / "revoke.sh"
    script.write_text("\n".join(lines) + "\n")
    return ["sh", str(script), "{}"]


def _curl(url: str, call: Sent) -> list[str]:
    words = ["curl", "-s", "-o", "/dev/null"]
    for header in call.headers:
        words += ["-H", header]
    words += ["-d", call.body] if call.body else []
    return [*words, url + call.path]
