"""`manage.py first_owner`: make the person who may do everything, to begin with."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ceadmin.audit.actors import SYSTEM
from ceadmin.teams.models import User
from ceadmin.teams.users import Hand, add_user

USAGE = 2


class Command(BaseCommand):
    """Make the first account."""

    help = (
        "Make the first account: a superuser, who adds organizations and becomes their "
        "owner. The password is asked for, or read from --password-file or, in a pipe, "
        "from standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take who it is."""
        parser.add_argument("mail", nargs="?", help="the mail address to sign in with")
        parser.add_argument("--name", default="", help="how the audit shows them")
        parser.add_argument(
            "--password-file", type=Path, metavar="FILE", help="its first line is taken"
        )
        parser.add_argument(
            "--another",
            action="store_true",
            help="although there is a superuser already",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Make them and say what comes next."""
        if User.objects.filter(is_superuser=True).exists() and not options["another"]:
            raise CommandError(
                "There is a superuser already, who can add people in the admin. "
                "Say --another to make one more from here.",
                returncode=USAGE,
            )
        mail = options["mail"] or _asked("Mail address: ", input)
        user = User(email=mail, name=options["name"], is_superuser=True)
        _complain(user.clean_fields, exclude=["password"])
        user.clean()
        _complain(user.validate_unique)
        password = _password(options["password_file"])
        _complain(validate_password, password, user)
        user.set_password(password)
        add_user(user, Hand(SYSTEM, timezone.now()))
        self._next_steps(user)

    def _next_steps(self, user: User) -> None:
        self.stdout.write(f"{user.email} can sign in now.")
        self.stdout.write(f"  1. Open {settings.PUBLIC_URL}/admin/ and sign in.")
        self.stdout.write("  2. Add the organization with its two secrets; test it.")
        self.stdout.write(
            "  3. Add a provider app, then sync. Add the team as members."
        )


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return _first_line(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"{file} cannot be read: {type(error).__name__}.", returncode=USAGE
            ) from error
    if not sys.stdin.isatty():
        return _first_line(sys.stdin.read())
    password = _asked("Password: ", getpass.getpass)
    if _asked("Again: ", getpass.getpass) != password:
        raise CommandError("The two passwords differ.", returncode=USAGE)
    return password


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip("\r")


def _asked(question: str, ask: Any) -> str:
    try:
        return str(ask(question))
    except (EOFError, KeyboardInterrupt) as error:
        raise CommandError("Nobody answered.", returncode=USAGE) from error


def _complain(check: Any, *arguments: Any, **more: Any) -> None:
    """Turn what a validator says into the command's own error."""
    try:
        check(*arguments, **more)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages), returncode=USAGE) from error
