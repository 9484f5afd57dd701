"""`manage.py drill INSTANCE`: the whole loop on one instance, in eight steps."""

from typing import Any

from django.core.management.base import CommandParser

from ceadmin.lib import http
from ceadmin.teams.models import User
from instances.choices import RunKind
from instances.management import reports
from instances.management.asking import Wish, organization_of, selection_of
from instances.management.base import add_organization, find_organization, misused
from instances.management.working import RunCommand
from instances.models import Run


class Command(RunCommand):
    """Begin a drill."""

    help = (
        "Alive, revoke, see it dead, reconnect, see it alive: one instance, eight steps "
        "with evidence. It waits for a person at the consent page; --wait shows the link."
    )
    as_json = staticmethod(reports.drill_json)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which and why."""
        parser.add_argument("instance", metavar="INSTANCE", help="the platform's id")
        super().add_arguments(parser)
        add_organization(parser, required=False)
        parser.add_argument("--reason", required=True, help="why; the audit keeps it")
        parser.add_argument("--ticket", default="", help="where it was asked for")
        parser.add_argument(
            "--self-consent",
            action="store_true",
            help="in the demo: play the person at the consent page too",
        )

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Begin it."""
        if options["self_consent"] and not http.emulated():
            raise misused("--self-consent works in the demo only.")
        instance, slug = options["instance"], options["organization"]
        organization = (
            find_organization(user, slug) if slug else organization_of(user, instance)
        )
        wish = Wish(
            RunKind.DRILL,
            organization,
            selection_of(organization, [instance], []),
            reason=options["reason"],
            ticket=options["ticket"],
            options={"self_consent": True} if options["self_consent"] else {},
        )
        return self.begin_and_report(wish, user, options)

    def ending(self, run: Run) -> list[str]:
        """Show the steps, then the outcome."""
        return [*reports.step_lines(run), *reports.result_lines(run)]
