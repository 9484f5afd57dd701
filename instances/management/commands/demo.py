"""`manage.py demo`: load the demo's world, drill once per provider, show what was seen."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ceadmin.lib import http
from instances.management.base import misused
from instances.management.demo.show import show
from instances.management.demo.stand_in import NoStandIn
from instances.management.demo.world import world


class Command(BaseCommand):
    """Show the main job on the stand-in. `manage.py up --demo` runs it."""

    help = (
        "Load the demo's world, drill one instance of each provider through the worker, "
        "and hold what was seen against the stand-in's own log. Part of `make demo`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --fault."""
        parser.add_argument(
            "--fault",
            metavar="NAME",
            default=settings.DEMO_FAULT,
            help=f"spoil one step: {', '.join(world().faults)} (or DEMO_FAULT=NAME)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run it, and exit with 0 only if all went as the article says."""
        if not http.emulated():
            raise misused("The demo runs in its own world only: make demo.")
        if options["fault"] and options["fault"] not in world().faults:
            raise misused(f"There is no fault {options['fault']!r}; see --help.")
        try:
            sys.exit(show(self._say, timezone.now, options["fault"]))
        except NoStandIn as problem:
            raise CommandError(str(problem)) from problem

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
