"""`manage.py erase_person`: forget who a person was; what they did stays."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ceadmin.teams.erasing import Unknown, erase_pseudonym, erase_user
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from instances.management.base import ATTENTION, NOT_ALLOWED, PersonCommand, misused


class Command(PersonCommand):
    """Erase a person, as a superuser."""

    help = (
        "Forget name, mail address and network addresses of a person: their account "
        "becomes an empty one that cannot sign in, and the audit shows a pseudonym. "
        "Every event stays. This cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take who is to be forgotten."""
        super().add_arguments(parser)
        parser.add_argument(
            "who", help="the mail address, or the pseudonym of one without an account"
        )
        parser.add_argument(
            "--yes", action="store_true", help="do it; without it, only say what it is"
        )

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Erase them and say under which pseudonym their events stay."""
        if not user.is_superuser:
            raise CommandError(
                "Only a superuser erases people.", returncode=NOT_ALLOWED
            )
        who = _who(options["who"])
        uid = who.uid if isinstance(who, User) else who
        if not options["yes"]:
            raise misused(f"This forgets for good who {uid} is. Say --yes to do it.")
        hand = Hand(actor_of(user, None), timezone.now())
        try:
            erase_user(who, hand) if isinstance(who, User) else erase_pseudonym(
                uid, hand
            )
        except (Unknown, PermissionDenied) as refusal:
            raise CommandError(str(refusal), returncode=ATTENTION) from refusal
        if options["json"]:
            self.show_json({"pseudonym": str(uid), "erased": True})
        else:
            self.say(f"Erased. What they did stays, under the pseudonym {uid}.")
        return 0


def _who(text: str) -> User | uuid.UUID:
    """Return the account of a mail address, or a pseudonym; raise CommandError."""
    found = User.objects.filter(email=text.strip().lower()).order_by("pk").first()
    if found is not None:
        return found
    try:
        uid = uuid.UUID(text)
    except ValueError as error:
        raise misused(f"Nobody has the mail address {text}.") from error
    return User.objects.filter(uid=uid).order_by("pk").first() or uid
