"""`manage.py rotate_keys`: seal everything with the newest key, or say what is left to seal."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ceadmin.lib.keyring import fingerprint_keyring, keyring
from ceadmin.lib.reseal import Tally
from ceadmin.lib.sealed_columns import SealedColumn
from ceadmin.management import rotation

LEFT, USAGE = 1, 2


class Command(BaseCommand):
    """Rotate the keys of FIELD_KEYS."""

    help = (
        "Seal every secret in the database with the newest key of FIELD_KEYS, in batches, "
        "beside workers and web servers at work. A killed one is simply run again. "
        "Then says how many rows of each column carry which key, and how many "
        "fingerprints are under which key of FINGERPRINT_KEYS. See docs/keys.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what is to be done, and how it is told."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--check",
            action="store_true",
            help="change nothing; exit with 1 while any row carries another key than "
            "the newest",
        )
        what.add_argument(
            "--forget",
            metavar="KEY_ID",
            help="remove the secrets that only this lost key opens, so that ceadmin "
            "starts again; it must not be in FIELD_KEYS",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document instead of words (docs/commands.md)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it, tell what is there now, and exit with 1 while something is left."""
        told = None if options["json"] else self._told
        tallies: dict[str, Tally] = {}
        forgotten: dict[str, int] = {}
        if options["forget"]:
            forgotten = self._forget(options["forget"])
        elif not options["check"]:
            tallies = rotation.rotate(timezone.now, told)
        report = rotation.report(tallies, forgotten)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self._show(report)
        if not report["done"]:
            sys.exit(LEFT)

    def _forget(self, key_id: str) -> dict[str, int]:
        if key_id in keyring().keys:
            raise CommandError(
                f"FIELD_KEYS holds {key_id}, so it is not lost. Take it out first.",
                returncode=USAGE,
            )
        return rotation.forget(key_id, timezone.now())

    def _told(self, column: SealedColumn, tally: Tally) -> None:
        self.stdout.write(f"{column.label}: {tally.resealed:,} sealed anew")
        self.stdout.flush()

    def _show(self, report: dict[str, Any]) -> None:
        newest = report["newest"]
        for label, column in report["columns"].items():
            keys = ", ".join(f"{key or '?'} {n:,}" for key, n in column["keys"].items())
            more = (
                f"; {column['unreadable']:,} do not open"
                if column["unreadable"]
                else ""
            )
            self.stdout.write(f"{label}: {keys or 'empty'}{more}")
        for label, n in report["forgotten"].items():
            self.stdout.write(f"{label}: {n:,} removed")
        for label, keys in report["fingerprints"].items():
            said = ", ".join(f"{key} {n:,}" for key, n in keys.items()) or "empty"
            self.stdout.write(f"fingerprints, {label}: {said}")
        if report["done"]:
            self.stdout.write(f"Every secret is sealed with {newest}.")
        else:
            self.stdout.write(
                f"{report['left']:,} secrets are not sealed with {newest}. {_NEXT}"
            )
        if report["old_fingerprints"]:
            self.stdout.write(_FINGERPRINTS.format(key=fingerprint_keyring().newest))


_NEXT = (
    "Run rotate_keys again; what does not open needs its key back, or --forget "
    "(docs/keys.md)."
)
_FINGERPRINTS = (
    "Tokens are not kept, so their fingerprints move to {key} when they are next read: "
    "sync the organizations."
)
