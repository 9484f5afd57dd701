"""`manage.py verify_audit [FILE]`: prove that nothing was changed in the audit or an export."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ceadmin.audit import verify
from ceadmin.audit.checkpoints import collect
from ceadmin.audit.offline import verify_file
from ceadmin.audit.report import Report
from ceadmin.audit.walk import Problem
from ceadmin.lib.signing import BadKeys, PublicKeys, own_public_keys, read_public_keys
from ceadmin.teams.models import Organization

NOT_WHOLE, USAGE = 1, 2


class Command(BaseCommand):
    """Verify the database, or an export without one."""

    help = (
        "Verify the audit in the database, or with FILE an export, offline: then the "
        "public keys are enough. Ends with 1 and names the first bad event if any is."
    )
    # An export is verified where there is no installation.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to verify, against what."""
        parser.add_argument("file", nargs="?", type=Path, help="an export")
        parser.add_argument(
            "--organization", metavar="SLUG", help="in the database: this one only"
        )
        parser.add_argument(
            "--checkpoints",
            type=Path,
            metavar="FILE",
            help="signed checkpoints, or a log that has them; in the database without "
            "it CHECKPOINT_FILE",
        )
        parser.add_argument(
            "--public-keys",
            metavar="KEYS",
            help="ID:BASE64,… or a file that holds them; without it those of "
            "CHECKPOINT_KEYS",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document instead of words (docs/commands.md)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Verify, tell, and exit with what came of it."""
        if options["file"] and options["organization"]:
            raise _misused("--organization belongs to the database, not to a file.")
        keys = _keys(options["public_keys"])
        report = _of_file(options, keys) if options["file"] else _of_base(options, keys)
        if options["json"]:
            self.stdout.write(json.dumps(report.document(), indent=2))
        else:
            for line in report.lines():
                self.stdout.write(line)
        if report.problems:
            sys.exit(NOT_WHOLE)


def _of_file(options: dict[str, Any], keys: PublicKeys) -> Report:
    path: Path = options["file"]
    with _checkpoints(options["checkpoints"]) as lines:
        try:
            done = verify_file(path, keys, lines)
        except OSError as error:
            raise _misused(f"{path} cannot be read: {error.strerror}.") from error
    names = done.manifest.organizations if done.manifest else {}
    signed = sum(map(len, done.marks.values()))
    return Report(path.name, list(done.walks.values()), done.found, signed, names)


def _of_base(options: dict[str, Any], keys: PublicKeys) -> Report:
    chain = _chain(options["organization"])
    own = Path(settings.CHECKPOINT_FILE)
    given = options["checkpoints"] or (own if own.exists() else None)
    with _checkpoints(given) as lines:
        marks, bad = collect(lines, keys, None if chain is None else {chain})
    wanted = verify.chains(marks) if chain is None else [chain]
    walks = [verify.walk(name, marks.get(name)) for name in wanted]
    problems = [problem for walk in walks for problem in walk.problems]
    for number, said in bad[: verify.MOST_PROBLEMS]:
        text = f"line {number} of the checkpoint file {said}"
        problems.append(Problem("", 0, "signature", text, number))
    rows = Organization.objects.values_list("uid", "slug")
    names = {"": "system"} | {str(uid): slug for uid, slug in rows}
    return Report("database", walks, problems, sum(map(len, marks.values())), names)


def _chain(slug: str | None) -> str | None:
    if slug is None:
        return None
    found = Organization.objects.filter(slug=slug).order_by("pk").first()
    if found is None:
        raise _misused(f"There is no organization “{slug}”.")
    return found.chain


def _keys(given: str | None) -> PublicKeys:
    try:
        if given is None:
            return own_public_keys()
        file = Path(given)
        return read_public_keys(given if ":" in given else file.read_text("ascii"))
    except ImproperlyConfigured as error:
        raise _misused(f"{error} Say --public-keys.") from error
    except (BadKeys, OSError, UnicodeDecodeError) as error:
        raise _misused(f"--public-keys cannot be read: {error}") from error


@contextmanager
def _checkpoints(path: Path | None) -> Iterator[Iterator[str]]:
    if path is None:
        yield iter(())
        return
    try:
        file = path.open(encoding="ascii", errors="replace")
    except OSError as error:
        raise _misused(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        yield iter(file)


def _misused(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=USAGE)
