"""`manage.py own_providers ORGANIZATION`: list an organization's own records, export and import them."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of, require
from ceadmin.teams.users import Hand
from instances.actions import own_records
from instances.actions.own_records import Draft, OwnError, hosts_in
from instances.management.base import (
    ATTENTION,
    PersonCommand,
    find_organization,
    misused,
)
from providers import own_rules
from providers.errors import SpecError
from providers.models import OwnProvider, OwnProviderVersion
from providers.own import MOST_BYTES


class Command(PersonCommand):
    """List, export, import."""

    help = "List an organization's own providers, export one as TOML, or import one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the organization, and which way."""
        parser.add_argument("organization", help="the organization's short name")
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--export", metavar="KEY", help="print the record of this key")
        way.add_argument(
            "--import",
            dest="file",
            type=Path,
            metavar="FILE",
            help="add the record of a TOML file, or give it a new version",
        )
        parser.add_argument(
            "--number", type=int, help="with --export: an older version's number"
        )
        parser.add_argument(
            "--vouch",
            nargs="+",
            default=[],
            metavar="HOST",
            help="with --import: the hosts of the record, each by name",
        )
        parser.add_argument("--reason", default="", help="with --import: why")
        super().add_arguments(parser)

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Do one of the three."""
        organization = find_organization(user, options["organization"])
        try:
            if options["file"]:
                self._import(user, organization, options)
            elif options["export"]:
                self._export(organization, options["export"], options["number"])
            else:
                self._list(organization, as_json=options["json"])
        except (SpecError, OwnError) as problem:
            raise CommandError(str(problem), returncode=ATTENTION) from problem
        return 0

    def _list(self, organization: Organization, *, as_json: bool) -> None:
        own = OwnProvider.objects.filter(organization=organization, removed_at=None)
        rows = [
            {"key": one.key, "name": one.name, "version": one.version}
            for one in own.order_by("key")
        ]
        if as_json:
            self.show_json(rows)
            return
        for row in rows:
            self.say(f"{row['key']}  version {row['version']}  {row['name']}")

    def _export(self, organization: Organization, key: str, number: int | None) -> None:
        versions = OwnProviderVersion.objects.filter(
            own__organization=organization, own__key=key, own__removed_at=None
        )
        wanted = versions.filter(number=number) if number else versions
        found = wanted.order_by("-number").first()
        if found is None:
            raise misused(f"{organization} has no own provider {key} of that version.")
        self.stdout.write(found.text, ending="")

    def _import(
        self, user: User, organization: Organization, options: dict[str, Any]
    ) -> None:
        require(user, Act.OWN, organization)
        hand = Hand(actor_of(user, organization, ""), timezone.now())
        draft = Draft(
            text=_text(options["file"]),
            hosts=hosts_in(options["vouch"]),
            why=options["reason"],
            by_name=str(user),
            imported=True,
        )
        own = _saved(organization, draft, hand)
        if options["json"]:
            self.show_json({"key": own.key, "name": own.name, "version": own.version})
        else:
            self.say(f"{own.name} is at version {own.version} in {organization}.")


def _saved(organization: Organization, draft: Draft, hand: Hand) -> OwnProvider:
    """Add the record, or give the one of its key a new version."""
    key = own_rules.read(draft.text).key
    mine = OwnProvider.objects.filter(organization=organization, removed_at=None)
    own = mine.filter(key=key).first()
    if own is None:
        return own_records.add(organization, draft, hand=hand)
    own_records.change(own, draft, seen=own.version, hand=hand)
    return own


def _text(path: Path) -> str:
    """Return what stands in a file; raise CommandError."""
    try:
        with path.open("rb") as file:
            held = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise misused(f"{path} cannot be read: {error.strerror}.") from error
    if len(held) > MOST_BYTES:
        raise misused(f"{path} is larger than {MOST_BYTES} bytes.")
    try:
        return held.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise misused(f"{path} is not UTF-8.") from error
