"""`manage.py checkpoint_audit`: sign how far the audit has come, or show the public keys."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from ceadmin.audit.watch import REMEDY, Signing, sign_all
from ceadmin.lib.signing import own_public_keys

ATTENTION = 1


class Command(BaseCommand):
    """Make a checkpoint now, as beat does every few minutes."""

    help = (
        "Sign how far every chain of the audit has come, into the log and "
        "CHECKPOINT_FILE. Ends with 1 where the audit is not what was signed before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --public-keys and --json."""
        parser.add_argument(
            "--public-keys",
            action="store_true",
            help="print the public keys, to be kept where the audit is verified",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON document instead of words (docs/commands.md)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it."""
        if options["public_keys"]:
            self.stdout.write(str(own_public_keys()))
            return
        try:
            done = sign_all(timezone.now())
        except OSError as error:
            raise CommandError(
                f"CHECKPOINT_FILE cannot be written: {error.strerror}."
            ) from error
        self._show(done, as_json=options["json"])
        if done.refused:
            sys.exit(ATTENTION)

    def _show(self, done: Signing, *, as_json: bool) -> None:
        if as_json:
            document = {
                "signed": [asdict(one) for one in done.signed],
                "refused": [asdict(one) for one in done.refused],
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        for one in done.signed:
            where = one.chain or "system"
            self.stdout.write(f"{where}: signed at event {one.sequence}, {one.hash}")
        for refusal in done.refused:
            self.stdout.write(f"{refusal}.")
        if done.refused:
            self.stdout.write(REMEDY)
        elif not done.signed:
            self.stdout.write("Nothing was recorded since the last checkpoint.")
