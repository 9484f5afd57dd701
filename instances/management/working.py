"""The common end of commands that begin a run: wait or not, say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances import runs
from instances.management import reports
from instances.management.asking import Wish, begin, rehearse
from instances.management.base import ATTENTION, PersonCommand, add_waiting
from instances.management.following import Follower, how_to_look_again, queue_note
from instances.models import Run

AsJson = Callable[..., dict[str, Any]]


def may_have_links(user: User, run: Run) -> bool:
    """Tell whether a person may have the addresses of a run's reconnect links."""
    return may(user, Act.OPERATE, run.organization)


class RunCommand(PersonCommand):
    """A command that begins a run. Subclasses say how it looks in the end."""

    as_json: AsJson = staticmethod(reports.run_json)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --wait and --timeout."""
        super().add_arguments(parser)
        add_waiting(parser)

    def begin_and_report(self, wish: Wish, user: User, options: dict[str, Any]) -> int:
        """Begin the run, stay with it if wanted, and return the exit code."""
        run = begin(wish, user=user, now=timezone.now())
        quiet = options["json"]
        if not options["wait"]:
            note = queue_note()
            said = f"{run}: {note.rstrip('.')}."
            self._show(run, user, quiet, [said, f"run {run.uid}"])
            return 0
        ended = self._stay(run, user, options)
        run.refresh_from_db()
        late = [how_to_look_again(run, user.email)]
        self._show(run, user, quiet, self.ending(run) if ended else late)
        return runs.exit_code(run) if ended else ATTENTION

    def _stay(self, run: Run, user: User, options: dict[str, Any]) -> bool:
        out = None if options["json"] else self.stdout
        follower = Follower(out, may_have_links(user, run))
        if not options["json"]:
            self.say(f"run {run.uid}")
        return follower.follow(run, options["timeout"])

    def _show(self, run: Run, user: User, quiet: bool, lines: list[str]) -> None:
        if quiet:
            linked = may_have_links(user, run)
            self.show_json(self.as_json(run, timezone.now(), linked=linked))
            return
        for line in lines:
            self.say(line)

    def ending(self, run: Run) -> list[str]:
        """Return the lines that end the command."""
        return list(reports.result_lines(run))

    def rehearse_and_report(
        self, wish: Wish, user: User, options: dict[str, Any]
    ) -> int:
        """Show what the run would do and return the exit code."""
        seen = rehearse(wish, user=user, now=timezone.now())
        if options["json"]:
            slug = wish.organization.slug
            self.show_json(reports.preview_json(seen, wish.kind, slug))
            return 0
        lines: Iterator[str] = reports.preview_lines(seen, wish.kind)
        for line in lines:
            self.say(line)
        return 0
