"""One installation in a process of its own, which answers what `tests.bench.run` asks.

Django takes its settings once in a process, and the databases are measured in turns: so
there is a session for each database. Questions come as lines of JSON, `{"do": name, …}`;
so do the answers.

    python -m tests.bench.session --database postgres --target URL
"""

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from types import TracebackType
from typing import Any

from tests.bench.world import DATABASES, ROOT, World


class Session:
    """The other end: a session as its user sees it."""

    def __init__(self, database: str, target_url: str) -> None:
        """Start one."""
        self.database = database
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.bench.session"]
        command += ["--database", database, "--target", target_url]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True
        )

    def ask(self, name: str, **how: Any) -> Any:
        """Return the answer to a question; raises RuntimeError with what went wrong there."""
        self._send(name, how)
        return self._answer(name)

    @staticmethod
    def ask_all(sessions: "list[Session]", name: str, **how: Any) -> None:
        """Ask all at once, where no time is measured; raises as `ask` does."""
        for session in sessions:
            session._send(name, how)
        for session in sessions:
            session._answer(name)

    def _send(self, name: str, how: dict[str, Any]) -> None:
        self.process.stdin.write(json.dumps({"do": name, **how}) + "\n")
        self.process.stdin.flush()

    def _answer(self, name: str) -> Any:
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the session ended"}
        if "error" in answer:
            raise RuntimeError(f"{self.database}, {name}: {answer['error']}")
        return answer["value"]

    def __enter__(self) -> "Session":
        """Be ended at the end of a `with`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.stdin.close()
        self.process.wait(60)


def main() -> None:
    """Answer until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=DATABASES, required=True)
    parser.add_argument("--target", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # tidy up
    # What anything here prints goes to the errors: standard output is for answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with World(options.database, options.target) as world:
        from tests.bench.questions import Questions  # noqa: PLC0415 (models need the World)

        logging.getLogger().setLevel(
            logging.WARNING
        )  # here; the workers log everything
        questions = Questions(world)
        for line in sys.stdin:
            print(
                json.dumps(_answer(questions, json.loads(line))), file=out, flush=True
            )


def _answer(questions: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": getattr(questions, wanted.pop("do"))(**wanted)}
    except Exception:  # noqa: BLE001 (it is told to whoever asked)
        return {"error": traceback.format_exc()}


if __name__ == "__main__":
    main()
