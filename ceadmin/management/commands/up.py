"""`manage.py up`: the whole of ceadmin on this machine under one command."""

import argparse
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ceadmin.checks import REFUSED, refuse_or_start
from ceadmin.data_checks import audit_problems
from ceadmin.management import demo_world
from ceadmin.management.launch import Launch


class Command(BaseCommand):
    """Start broker, worker, beat and web; with --demo the emulator and the demo too."""

    help = (
        "Start ceadmin on this machine: the embedded broker (unless REDIS_URL names "
        "one), worker, beat and web server. Ctrl-C stops everything."
    )
    # refuse_or_start() says it with less noise.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --demo and --once."""
        parser.add_argument(
            "--demo",
            action="store_true",
            help="run in a world of its own under var/demo/, with a stand-in for Cloud "
            "Elements and the providers",
        )
        parser.add_argument(
            "--once", action="store_true", help="with --demo: stop after the table"
        )
        parser.add_argument("--entered", action="store_true", help=argparse.SUPPRESS)

    def handle(self, *_: Any, **options: Any) -> None:
        """Run until stopped, and exit with what came of it."""
        demo, once = options["demo"], options["once"]
        if once and not demo:
            raise CommandError("--once belongs to --demo.")
        if demo and not options["entered"]:
            self._enter_demo(once=once, verbosity=options["verbosity"])
        refuse_or_start(migrates=True)
        for problem in audit_problems():
            self.stderr.write(f"{problem.msg} {problem.hint} They are put back now.")
        if settings.DEMO and not demo:
            self.stderr.write("DEMO is on: start the demo with `manage.py up --demo`.")
            sys.exit(REFUSED)
        show = self._say if options["verbosity"] > 1 or not demo else None
        sys.exit(Launch(demo=demo, say=self._say, show=show).run(once=once))

    def _enter_demo(self, *, once: bool, verbosity: int) -> None:
        """Become a process that knows the demo's settings and nothing else."""
        file = demo_world.write_settings(settings.DEMO_DIR)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "up"]
        command += ["--demo", "--entered", f"--verbosity={verbosity}"]
        command += ["--once"] if once else []
        world = {**settings.HARMLESS_VARIABLES, "CEADMIN_ENV_FILE": str(file)}
        os.execve(sys.executable, command, world)  # noqa: S606 (no shell is wanted)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
