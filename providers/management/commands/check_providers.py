"""`manage.py check_providers`: how sure and how old the catalogue is, and what is stale."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from providers import ages, catalogue, reference
from providers.errors import SpecError
from providers.management.survey import Survey

ATTENTION, USAGE = 1, 2


class Command(BaseCommand):
    """Tell confidence and age of every record, or write the reference page."""

    help = (
        "Show every provider of the catalogue with its confidence and the age of its facts. "
        "Ends with 1 if facts are stale or a record is wrong."
    )
    # A wrong record is told here in full, beside what is right.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how old facts may be, and what to do."""
        parser.add_argument(
            "--stale-after",
            type=int,
            default=ages.STALE_AFTER,
            metavar="MONTHS",
            help="how old facts may be (default: %(default)s)",
        )
        parser.add_argument(
            "--month",
            metavar="YYYY-MM",
            help="count ages up to this month instead of the current one",
        )
        parser.add_argument(
            "--folder",
            type=Path,
            default=catalogue.DATA,
            metavar="DIR",
            help="read these records instead of the product's own",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document instead of words (docs/commands.md)",
        )
        parser.add_argument(
            "--write",
            type=Path,
            metavar="FILE",
            help="write the reference page, such as docs/providers.md, and nothing else",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Look at every record, tell in English, and exit with what came of it."""
        with translation.override("en"):
            self._look(options)

    def _look(self, options: dict[str, Any]) -> None:
        survey = _survey(options)
        if options["write"]:
            self._write(options["write"], survey)
        elif options["json"]:
            self.stdout.write(json.dumps(survey.document(), indent=2))
        else:
            self.stdout.write("\n".join(survey.lines()))
        if survey.problems or (survey.stale and not options["write"]):
            sys.exit(ATTENTION)

    def _write(self, path: Path, survey: Survey) -> None:
        if survey.problems:
            self.stderr.write("\n".join(map(str, survey.problems)))
            return
        path.write_text(reference.page(survey.records), encoding="utf-8", newline="\n")
        self.stdout.write(f"{path}: {len(survey.records)} providers.")


def _survey(options: dict[str, Any]) -> Survey:
    month = options["month"] or ages.month_of(timezone.now().date())
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month):
        raise _misused(f"{month} is not a month like 2026-11.")
    if options["stale_after"] < 0:
        raise _misused("--stale-after is a number of months, 0 or more.")
    folder: Path = options["folder"]
    if not folder.is_dir():
        raise _misused(f"{folder} is not a folder.")
    records, problems = catalogue.read(folder)
    early = [
        SpecError("checked", "lies in the future", file=f"{record.key}.toml")
        for record in records
        if ages.age(record, month) < 0
    ]
    return Survey(records, [*problems, *early], month, options["stale_after"])


def _misused(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=USAGE)
