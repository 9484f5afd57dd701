"""`manage.py sync ORGANIZATION`: mirror the platform's instances."""

from typing import Any

from django.core.management.base import CommandParser

from ceadmin.teams.models import User
from instances import selection
from instances.choices import RunKind
from instances.management.asking import Wish
from instances.management.base import find_organization
from instances.management.working import RunCommand


class Command(RunCommand):
    """Begin a sync."""

    help = "Mirror an organization's instances and report what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the organization."""
        parser.add_argument("organization", help="the organization's short name")
        super().add_arguments(parser)

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Begin it."""
        organization = find_organization(user, options["organization"])
        wish = Wish(RunKind.SYNC, organization, selection.everything())
        return self.begin_and_report(wish, user, options)
