"""`manage.py runs`: what was asked for lately, and how far it is."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ceadmin.teams.models import User
from ceadmin.teams.permissions import organizations
from instances import runs
from instances.management import reports
from instances.management.base import PersonCommand, add_organization, find_organization
from instances.models import Run


class Command(PersonCommand):
    """List runs, the newest first."""

    help = "List the runs that a person may see, the newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where, and how many."""
        super().add_arguments(parser)
        add_organization(parser, required=False)
        parser.add_argument("--limit", type=int, default=20, metavar="N")

    def act(self, user: User, options: dict[str, Any]) -> int:
        """List them."""
        rows = Run.objects.filter(organization__in=organizations(user))
        if options["organization"]:
            wanted = find_organization(user, options["organization"])
            rows = rows.filter(organization=wanted)
        newest = rows.select_related("organization").order_by("-created_at", "-pk")
        listed = list(newest[: max(options["limit"], 0)])
        if options["json"]:
            now = timezone.now()
            self.show_json([runs.as_json(run, now) for run in listed])
            return 0
        for line in reports.list_lines(listed) if listed else ("No runs yet.",):
            self.say(line)
        return 0
