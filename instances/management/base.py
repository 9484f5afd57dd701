"""What all commands share: who acts, where, and how it is said.

Exit codes: 0 what was asked is done, 1 it is not done or something needs attention,
2 wrong usage, 3 the person may not do it.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from ceadmin.teams.choices import Act
from ceadmin.teams.denials import denied
from ceadmin.teams.denials import organization_of as organization_of_refusal
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, organizations
from instances.models import Run
from instances.runs import RunError
from instances.selection import BadSelection

ATTENTION, USAGE, NOT_ALLOWED = 1, 2, 3


def misused(sentence: str) -> CommandError:
    """Return the error of a command line that asks for what is not there."""
    return CommandError(sentence, returncode=USAGE)


class PersonCommand(BaseCommand):
    """A command that acts as a person, with that person's rights and nothing more."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --as and --json."""
        parser.add_argument(
            "--as",
            dest="person",
            metavar="MAIL",
            required=True,
            help="act as the person with this mail address, with their rights",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document instead of words (docs/commands.md)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it as that person; say refusals in a sentence, with an exit code."""
        person = find_person(options["person"])
        try:
            code = self.act(person, options)
        except NotAllowed as refusal:
            self._keep(person, refusal)
            raise CommandError(str(refusal), returncode=NOT_ALLOWED) from refusal
        except BadSelection as problem:
            raise misused(str(problem)) from problem
        except RunError as problem:
            raise CommandError(problem.sentence, returncode=ATTENTION) from problem
        if code:
            sys.exit(code)

    def _keep(self, person: User, refusal: NotAllowed) -> None:
        """Let the audit keep that somebody asked for what they may not do, once."""
        if not refusal.recorded:
            facts = {"command": type(self).__module__.rpartition(".")[2]}
            where, now = organization_of_refusal(person, refusal), timezone.now()
            denied(person, "not_allowed", where, "", now, facts)

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Look at the data too: a key that is not loaded stops a command as it stops a worker."""
        return {**super().get_check_kwargs(options), "databases": ["default"]}

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Do what the command is for and return its exit code."""
        raise CommandError(f"{type(self).__name__} does nothing.")

    def say(self, line: str = "") -> None:
        """Show a line at once, also in a pipe."""
        self.stdout.write(line)
        self.stdout.flush()

    def show_json(self, document: Any) -> None:
        """Print a JSON document."""
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))


def add_organization(parser: CommandParser, *, required: bool) -> None:
    """Take --organization."""
    parser.add_argument(
        "--organization",
        metavar="SLUG",
        required=required,
        help="the organization, by the short name in its address",
    )


def add_waiting(parser: CommandParser) -> None:
    """Take --wait and --timeout."""
    parser.add_argument(
        "--wait", action="store_true", help="stay until the run has ended"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="with --wait: how long to stay; the run goes on afterwards",
    )


def find_person(mail: str) -> User:
    """Return an active user by mail address; raise CommandError."""
    user = User.objects.filter(email=mail.strip().lower(), is_active=True).first()
    if user is None:
        raise misused(f"Nobody who can sign in has the mail address {mail}.")
    return user


def find_organization(user: User, slug: str) -> Organization:
    """Return an organization that the person belongs to; raise CommandError.

    One of somebody else is as unknown as one that does not exist.
    """
    own = organizations(user, Act.VIEW)
    found = own.filter(slug=slug).first()
    if found is None:
        known = ", ".join(own.order_by("slug").values_list("slug", flat=True))
        raise misused(
            f"{user.email} belongs to no organization “{slug}”. "
            + (f"There is {known}." if known else "They belong to none.")
        )
    return found


def find_run(own: QuerySet[Run], text: str) -> Run:
    """Return the one run of `own` whose id is `text` or begins so; raise CommandError."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{4,32}", digits):
        raise misused(f"“{text}” is not the id of a run. `manage.py runs` lists them.")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found = list(
        own.select_related("organization").filter(uid__range=(first, last))[:2]
    )
    if len(found) != 1:
        many = "Several runs have" if found else "You may see no run that has"
        raise misused(f"{many} an id that begins with {text}.")
    return found[0]
