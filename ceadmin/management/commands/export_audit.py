"""`manage.py export_audit`: whole chains into a file, with a signed manifest beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ceadmin.audit import export, manifest
from ceadmin.audit.export import Order
from ceadmin.audit.models import Head
from ceadmin.audit.record import SYSTEM_CHAIN
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import (
    actor_of,
    closed_without_factor,
    organizations,
    require,
)
from instances.management.base import (
    PersonCommand,
    add_organization,
    find_organization,
    misused,
)


class Command(PersonCommand):
    """Write the audit that a person may read into a file."""

    help = (
        "Write every event of the organizations whose audit a person may read, or of "
        "one, into a new file, and a signed manifest beside it. The export is recorded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to, what and how."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, help="the file to make")
        add_organization(parser, required=False)
        parser.add_argument(
            "--format", choices=export.KINDS, help="by the file's name if not said"
        )
        parser.add_argument(
            "--names",
            action="store_true",
            help="add names, mail addresses and network addresses to the pseudonyms",
        )

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Export and say what was written."""
        path: Path = options["file"]
        kind = options["format"] or path.suffix.removeprefix(".")
        if kind not in export.KINDS:
            raise misused("Say --format jsonl or --format csv, or name the file so.")
        orders = _orders(user, options["organization"])
        now = timezone.now()
        beside = path.with_name(path.name + manifest.SUFFIX)
        with _new_file(path) as file, _new_file(beside) as description:
            facts = {"format": kind, "names": options["names"], "chains": len(orders)}
            ends = export.announce(orders, facts, now)
            written = export.write(file, ends, kind=kind, names=options["names"])
            about = {"at": now, "kind": kind, "names": options["names"]}
            made = export.manifest_of(ends, orders, written, **about)
            description.write(made.text().encode("ascii"))
        if options["json"]:
            self.stdout.write(made.text(), ending="")
        else:
            self.say(f"{made.events} events are in {path}, of {len(orders)} chains.")
            self.say(f"What it holds is signed in {beside}. Keep both together.")
        return 0


def _orders(user: User, slug: str | None) -> list[Order]:
    """Return the chains that are wanted and may be read; raises `NotAllowed`."""
    if slug:
        wanted = find_organization(user, slug)
        require(user, Act.AUDIT, wanted)
        return [_order(user, wanted)]
    readable = organizations(user, Act.AUDIT).order_by("slug")
    orders = [_order(user, organization) for organization in readable]
    if user.is_superuser:
        closed = {one.chain for one in closed_without_factor(user)}
        orders += _others(user, {order.chain for order in orders} | closed)
    if not orders:
        raise misused(f"{user.email} may read the audit of no organization.")
    return orders


def _order(user: User, organization: Organization) -> Order:
    actor = actor_of(user, organization)
    return Order(organization.chain, organization.slug, actor)


def _others(user: User, known: set[str]) -> list[Order]:
    """Return the system's chain and those whose organization is gone."""
    heads = Head.objects.exclude(chain__in=known).order_by("chain")
    actor = actor_of(user, None)
    return [
        Order(chain, "system" if chain == SYSTEM_CHAIN else "", actor)
        for chain in heads.values_list("chain", flat=True)
    ]


def _new_file(path: Path) -> Any:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise misused(f"{path} exists already; name a new file.") from error
    except OSError as error:
        raise misused(f"{path} cannot be written: {error.strerror}.") from error
    return os.fdopen(handle, "wb", buffering=1 << 20)
