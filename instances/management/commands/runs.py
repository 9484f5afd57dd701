"""`manage.py runs`: what was asked for lately, how far it is, and what is decided of a run at work."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ceadmin.teams.models import User
from ceadmin.teams.permissions import organizations
from instances import runs
from instances.management import reports
from instances.management.base import (
    ATTENTION,
    PersonCommand,
    add_organization,
    add_waiting,
    find_organization,
    find_run,
    misused,
)
from instances.management.following import Follower, how_to_look_again
from instances.management.working import may_have_links
from instances.models import Run

_ACTS = {
    "pause": runs.pause,
    "resume": runs.resume,
    "stop": runs.stop,
}
#: What people write for elements that the catalogue does not know.
_UNKNOWN = "unknown"


class Command(PersonCommand):
    """List runs, the newest first, or decide about one."""

    help = (
        "List the runs that a person may see, the newest first. With RUN show that one, "
        "after doing with it what the other options say."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where and how many, or which run and what to do with it."""
        super().add_arguments(parser)
        parser.add_argument(
            "run", nargs="?", metavar="RUN", help="a run's id, or how it begins"
        )
        add_organization(parser, required=False)
        parser.add_argument("--limit", type=int, default=20, metavar="N")
        add_waiting(parser)
        _add_acts(parser)

    def act(self, user: User, options: dict[str, Any]) -> int:
        """List them, or do what is asked with one and show it."""
        rows = Run.objects.filter(organization__in=organizations(user))
        if options["organization"]:
            wanted = find_organization(user, options["organization"])
            rows = rows.filter(organization=wanted)
        if options["run"]:
            run = _decide(find_run(rows, options["run"]), user, options)
            return self._show_one(run, user, options)
        if any(options[name] not in (None, [], False) for name in _WANTED):
            raise misused("Which run? `manage.py runs` lists their ids.")
        newest = rows.select_related("organization").order_by("-created_at", "-pk")
        self._show_list(list(newest[: max(options["limit"], 0)]), options["json"])
        return 0

    def _show_list(self, listed: list[Run], as_json: bool) -> None:
        counts, now = runs.progress_of(listed), timezone.now()
        if as_json:
            self.show_json([runs.as_json(run, now, counts[run.pk]) for run in listed])
            return
        lines = reports.list_lines(listed, counts, now)
        for line in lines if listed else ("No runs yet.",):
            self.say(line)

    def _show_one(self, run: Run, user: User, options: dict[str, Any]) -> int:
        """Show one run, to its end if that is wanted, and return the exit code."""
        ended, quiet = True, options["json"]
        if options["wait"]:
            out = None if quiet else self.stdout
            follower = Follower(out, may_have_links(user, run))
            ended = follower.follow(run, options["timeout"])
        if quiet:
            self.show_json(runs.as_json(run, timezone.now()))
        else:
            for line in reports.detail_lines(run, timezone.now()):
                self.say(line)
            if not ended:
                self.say(how_to_look_again(run, user.email))
        if not options["wait"]:
            return 0
        return runs.exit_code(run) if ended else ATTENTION


#: Options that say what to do with a run.
_WANTED = ("connections", "go_on", "leave_out", "do", "wait")


def _add_acts(parser: CommandParser) -> None:
    parser.add_argument(
        "--connections",
        type=int,
        metavar="N",
        help="how many calls it may have in flight, all workers together, 1 to 1000",
    )
    parser.add_argument(
        "--go-on",
        action="extend",
        nargs="+",
        default=[],
        metavar="PROVIDER",
        help="let a held provider go on",
    )
    parser.add_argument(
        "--leave-out",
        action="extend",
        nargs="+",
        default=[],
        metavar="PROVIDER",
        help="begin nothing more of a provider and cancel the rest of it",
    )
    acts = parser.add_mutually_exclusive_group()
    for name in (*_ACTS, "retry"):
        acts.add_argument(
            f"--{name}", dest="do", action="store_const", const=name, help=f"{name} it"
        )


def _decide(run: Run, user: User, options: dict[str, Any]) -> Run:
    """Do with a run what the options say and return the one to show."""
    now = timezone.now()
    if options["connections"] is not None:
        runs.set_connections(run, options["connections"], user=user, now=now)
    for key in options["go_on"]:
        runs.go_on(run, "" if key == _UNKNOWN else key, user=user, now=now)
    for key in options["leave_out"]:
        runs.leave_out(run, "" if key == _UNKNOWN else key, user=user, now=now)
    if options["do"] == "retry":
        return runs.retry(run, user=user, now=now)
    if options["do"]:
        _ACTS[options["do"]](run, user=user, now=now)
    return run
