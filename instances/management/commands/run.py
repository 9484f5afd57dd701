"""`manage.py run probe|revoke|reconnect`: one operation on many instances."""

from typing import Any

from django.core.management.base import CommandParser

from ceadmin.teams.models import User
from instances.choices import RunKind
from instances.management.asking import Wish, selection_of
from instances.management.base import add_organization, find_organization, misused
from instances.management.working import RunCommand

KINDS = (RunKind.PROBE, RunKind.REVOKE, RunKind.RECONNECT)


class Command(RunCommand):
    """Begin a probe, a revocation or a reconnect."""

    help = (
        "Probe, revoke or reconnect instances. A revocation starts at once: the reason "
        "is the confirmation. --dry-run shows what would happen and sends nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what, where, which and why."""
        parser.add_argument("kind", choices=[kind.value for kind in KINDS])
        super().add_arguments(parser)
        add_organization(parser, required=True)
        _add_selection(parser)
        parser.add_argument("--reason", default="", help="why; revoke needs it")
        parser.add_argument("--ticket", default="", help="where it was asked for")
        parser.add_argument(
            "--only", choices=["access", "refresh"], help="revoke: just this token"
        )
        parser.add_argument(
            "--form",
            choices=["default", "article"],
            help="revoke: the request as the vendor's article writes it",
        )
        parser.add_argument(
            "--connections",
            type=int,
            metavar="N",
            help="how many calls it may have in flight, all workers together",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would happen, no more"
        )

    def act(self, user: User, options: dict[str, Any]) -> int:
        """Begin it, or show what it would do."""
        wish = _wish(user, options)
        if options["dry_run"]:
            return self.rehearse_and_report(wish, user, options)
        return self.begin_and_report(wish, user, options)


def _add_selection(parser: CommandParser) -> None:
    parser.add_argument(
        "--instance",
        action="extend",
        nargs="+",
        default=[],
        metavar="ID",
        help="the platform's ids of instances",
    )
    parser.add_argument(
        "--filter",
        action="extend",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="status, provider, element, app, account, tag or search; all have to match, "
        "a repeated key means any of its values",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every instance; revoke wants it said, the others mean it without",
    )


def _wish(user: User, options: dict[str, Any]) -> Wish:
    organization = find_organization(user, options["organization"])
    chosen = {name: options[name] for name in ("only", "form") if options[name]}
    if chosen and options["kind"] != RunKind.REVOKE:
        raise misused(f"--{next(iter(chosen))} belongs to revoke.")
    narrowed = options["instance"] or options["filter"]
    if narrowed and options["all"]:
        raise misused("--all and a choice contradict each other.")
    careful = options["kind"] == RunKind.REVOKE and not options["dry_run"]
    if careful and not narrowed and not options["all"]:
        raise misused("Revoke which? Say --instance, --filter or --all.")
    return Wish(
        options["kind"],
        organization,
        selection_of(organization, options["instance"], options["filter"]),
        reason=options["reason"],
        ticket=options["ticket"],
        options=chosen,
        connections=options["connections"],
    )
