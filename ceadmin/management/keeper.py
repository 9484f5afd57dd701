"""Run one program that must never outlive the process that started it.

Use: python -I -S keeper.py SECONDS PROGRAM ARGUMENT…, in a process group of its own and
with a pipe as standard input whose other end the starter holds. The system closes that
end when the starter ends, however it ends, on Linux and macOS alike: then the program is
asked to stop, and its whole group is killed when SECONDS have passed. Closing the pipe
on purpose is the ordinary way to stop the program. Standard library only.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

starter_is_gone = threading.Event()


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code, 128 + N for a signal N."""
    seconds = float(arguments[0])
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    child = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    threading.Thread(
        target=end_with_starter, args=(child, seconds), daemon=True
    ).start()
    code = child.wait()
    if starter_is_gone.is_set():
        os.killpg(0, signal.SIGKILL)  # what the program left behind, and this one
    return code if code >= 0 else 128 - code


def end_with_starter(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until the starter is gone; stop the program, then kill what is left."""
    while os.read(0, 1024):
        pass
    starter_is_gone.set()
    child.terminate()
    time.sleep(seconds)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
