"""Run a whole installation on one machine: broker, worker, beat and web as one crew."""

import errno
import fcntl
import http.client
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection

from ceadmin.checks import refuse
from ceadmin.management import demo_world, embedded_broker
from ceadmin.management.processes import LAST_LINES, Crew, Member, Show

MANAGE = settings.BASE_DIR / "manage.py"
SECONDS_TO_START = 90


class CannotStart(Exception):
    """What stands in the way, as a sentence for the person at the screen."""


class Launch:
    """One run of `up`: from the first check to the last process that stops."""

    def __init__(self, *, demo: bool, say: Show, show: Show | None) -> None:
        """Prepare; `say` is for people, `show` gets the processes' output if wanted."""
        self.demo = demo
        self.say = say
        self.crew = Crew(settings.BASE_DIR, logs=settings.STATE_DIR / "logs", show=show)

    def run(self, *, once: bool) -> int:
        """Start everything and stay until told to stop; return the exit code."""
        _raise_on_signals()
        try:
            with _only_one(settings.STATE_DIR):
                return self._run(once=once)
        except CannotStart as reason:
            self.say(str(reason))
            return 1
        except KeyboardInterrupt:
            return 0

    def _run(self, *, once: bool) -> int:
        self._refuse_the_wrong_world()
        self._look_at_ports()
        try:
            self._start()
            code = self._show_the_demo() if self.demo else self._greet()
            if once or code:
                return code
            self.say("Ctrl-C stops everything.")
            return self._stay()
        finally:
            _ignore_signals()
            self.say("Stopping…")
            self.crew.stop()
            with suppress(OSError):  # empty only where it was made for the socket alone
                settings.BROKER_SOCKET.parent.rmdir()
            self.say("Everything is stopped.")

    def _refuse_the_wrong_world(self) -> None:
        problem = demo_world.database_problem(demo=self.demo)
        if problem:
            raise SystemExit(refuse([problem]))
        if self.demo:
            demo_world.mark_database()

    def _look_at_ports(self) -> None:
        _want_port(settings.WEB_BIND, settings.WEB_PORT, "WEB_PORT")
        if self.demo:
            _want_port("127.0.0.1", settings.EMULATOR_PORT, "EMULATOR_PORT")

    def _start(self) -> None:
        self.say("Starting…")
        self._start_broker()
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        connection.close()
        for name, command in self._programs():
            self.crew.start(name, command)
        self._wait("ceadmin", _is_ready)

    def _start_broker(self) -> None:
        if settings.EMBEDDED_BROKER:
            self.crew.start("broker", _broker_command())
        self._wait("the broker", lambda: embedded_broker.answers(settings.REDIS_URL))

    def _programs(self) -> Iterator[tuple[str, list[str]]]:
        python = sys.executable
        if self.demo:
            port = str(settings.EMULATOR_PORT)
            state = str(settings.STATE_DIR / "emulator.json")
            emulator = [python, "-S", "-m", "tests.emulator"]
            yield "emulator", [*emulator, "--port", port, "--state", state]
        celery = [python, "-m", "celery", "--quiet", "--app", "ceadmin"]
        # Workers need not know of each other: the database shares out the work.
        yield "worker", [*celery, "worker", "--without-mingle", "--without-gossip"]
        yield "beat", [*celery, "beat", "--pidfile="]
        server = [python, "-m", "gunicorn", "--config", "python:ceadmin.gunicorn"]
        yield "web", [*server, "ceadmin.wsgi"]

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS_TO_START
        while not ready():
            fallen = self.crew.fallen()
            if fallen:
                raise CannotStart(_obituary(fallen))
            if time.monotonic() > end:
                raise CannotStart(
                    f"{what} did not answer within {SECONDS_TO_START} s; "
                    f"see {self.crew.logs}."
                )
            time.sleep(0.1)

    def _greet(self) -> int:
        self.say(f"ceadmin runs at {settings.PUBLIC_URL}/admin/")
        if not get_user_model().objects.exists():
            self.say("Nobody can sign in yet: make the first account with")
            self.say("  python manage.py first_owner")
        connection.close()
        return 0

    def _show_the_demo(self) -> int:
        show = self.crew.start_in_front("demo", [sys.executable, MANAGE, "demo"])
        try:
            while show.ended() is None:
                self._fail_if_one_fell()
                time.sleep(0.1)
        finally:
            show.stop()
        return show.wait()

    def _stay(self) -> int:
        while True:
            self._fail_if_one_fell()
            time.sleep(0.2)

    def _fail_if_one_fell(self) -> None:
        fallen = self.crew.fallen()
        if fallen:
            raise CannotStart(_obituary(fallen))


def _obituary(fallen: Member) -> str:
    if fallen.reader:
        fallen.reader.join(1)
    lines = "\n".join(f"  {line}" for line in fallen.last_lines)
    return (
        f"{fallen.name} ended with {fallen.ended()}, so everything stops. "
        f"Its last {LAST_LINES} lines:\n{lines}"
    )


def _broker_command() -> list[str]:
    server = embedded_broker.program()
    if server is None:
        raise CannotStart(
            "There is no broker program for this machine: install redis-server or "
            "valkey-server, or let REDIS_URL name a server."
        )
    data = settings.STATE_DIR / "broker"
    if not embedded_broker.make_room(settings.BROKER_SOCKET, data):
        raise CannotStart(f"{settings.BROKER_SOCKET.parent} belongs to somebody else.")
    _wait_for_the_former_broker()
    return embedded_broker.command(server, socket=settings.BROKER_SOCKET, data=data)


def _wait_for_the_former_broker() -> None:
    """Give the broker of an `up` that was killed the time to end."""
    end = time.monotonic() + 12
    while embedded_broker.answers(settings.REDIS_URL):
        if time.monotonic() > end:
            raise CannotStart(f"A broker already runs at {settings.BROKER_SOCKET}.")
        time.sleep(0.2)


def _want_port(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            problem = "is taken" if taken else "cannot be opened"
            raise CannotStart(
                f"Port {port} on {host} {problem}. Choose another with {setting}, "
                f"for instance {setting}={port + 100}."
            ) from error


def _is_ready() -> bool:
    host = "127.0.0.1" if settings.WEB_BIND == "0.0.0.0" else settings.WEB_BIND  # noqa: S104 (compares)
    call = http.client.HTTPConnection(host, settings.WEB_PORT, timeout=5)
    try:
        call.request("GET", "/readyz", headers={"Host": _own_name()})
        return call.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        call.close()


def _own_name() -> str:
    name: str = settings.ALLOWED_HOSTS[0].lstrip(".")
    return "localhost" if name == "*" else name


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system gives back however this process ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"ceadmin already runs on {folder}.") from error
        yield


def _raise_on_signals() -> None:
    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
