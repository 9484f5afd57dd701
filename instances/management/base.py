"""What all commands share: who acts, where, and how it is said.

Exit codes: 0 what was asked is done, 1 it is not done or something needs attention,
2 wrong usage, 3 the person may not do it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, organizations
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
        try:
            code = self.act(find_person(options["person"]), options)
        except NotAllowed as refusal:
            raise CommandError(str(refusal), returncode=NOT_ALLOWED) from refusal
        except BadSelection as problem:
            raise misused(str(problem)) from problem
        except RunError as problem:
            raise CommandError(problem.sentence, returncode=ATTENTION) from problem
        if code:
            sys.exit(code)

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
