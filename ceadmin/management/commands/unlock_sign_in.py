"""`manage.py unlock_sign_in`: let somebody sign in again before their door opens by itself."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams import browsers, factors, throttle
from ceadmin.teams.choices import Act
from ceadmin.teams.factors import FactorError
from ceadmin.teams.models import User
from ceadmin.teams.permissions import NotAllowed, actor_of, organizations
from ceadmin.teams.users import Hand, subject_of
from instances.management.base import PersonCommand, misused


class Command(PersonCommand):
    """Forget refused tries."""

    help = (
        "Forget the refused tries of an account (by mail address) or of a network (by an "
        "address in it), so that the right password is taken again at once. Owners may do "
        "it for members of their organizations, superusers for everybody. It is recorded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose tries."""
        super().add_arguments(parser)
        parser.add_argument(
            "whose", metavar="MAIL|ADDRESS", help="a mail address, or a network address"
        )
        parser.add_argument(
            "--reset-factor",
            action="store_true",
            help="take their second factor away, too, and end their sessions "
            "(superusers only)",
        )

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Open the door and say how much was forgotten."""
        whose: str = options["whose"].strip()
        somebody = _find(whose)
        _check(user, somebody, options["reset_factor"])
        hand = Hand(actor_of(user, None), timezone.now())
        with transaction.atomic():
            if somebody:
                browsers.lock(somebody)
            forgotten = _forget(whose, somebody, hand)
            if somebody and options["reset_factor"]:
                _reset(somebody, hand)
        if options["json"]:
            self.show_json({"forgotten": forgotten, "reset": options["reset_factor"]})
            return 0
        if options["reset_factor"]:
            self.say(f"{whose} has no second factor any more; their sessions ended.")
        self.say(
            f"Tries counted in {forgotten} ways are forgotten."
            if forgotten
            else "There were no tries to forget."
        )
        return 0


def _is_address(whose: str) -> bool:
    try:
        ip_address(whose)
    except ValueError:
        return False
    return True


def _find(whose: str) -> User | None:
    """Return the person; None for a network. Raises CommandError."""
    if _is_address(whose):
        return None
    somebody = User.objects.filter(email=whose.lower()).order_by("pk").first()
    if somebody is None:
        raise misused(f"Nobody has the mail address {whose}.")
    return somebody


def _check(user: User, somebody: User | None, resets: bool) -> None:
    """Raise `NotAllowed` unless the one may do it for the other."""
    if resets and somebody is None:
        raise misused("A network has no second factor: name a mail address.")
    if user.is_superuser:
        return
    owned = organizations(user, Act.OWN)
    if resets or somebody is None or not owned.filter(memberships__user=somebody):
        raise NotAllowed(Act.OWN, None)


def _forget(whose: str, somebody: User | None, hand: Hand) -> int:
    if somebody:
        forgotten = throttle.unlock_account(somebody.email, somebody.uid)
    else:
        forgotten = throttle.unlock_network(whose)
    network = "" if somebody else throttle.network_of(whose)
    record(
        Action.SIGN_IN_UNLOCKED,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=subject_of(somebody) if somebody else Subject("network"),
        facts={"forgotten": forgotten, "network_fingerprint": fingerprint(network)},
    )
    return forgotten


def _reset(somebody: User, hand: Hand) -> None:
    try:
        factors.reset(somebody, hand)
    except FactorError as problem:
        raise misused(problem.sentence) from problem
