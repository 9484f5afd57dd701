"""`manage.py new_keys`: print fresh keys as lines for `.env`."""

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Print keys that nobody else has."""

    help = (
        "Print SECRET_KEY, FIELD_KEYS, FINGERPRINT_KEYS and CHECKPOINT_KEYS with new "
        "keys, for .env. Keep them: what FIELD_KEYS sealed cannot be read without them."
    )
    # It runs before there are any keys.
    requires_system_checks = []

    def handle(self, *_: Any, **__: Any) -> None:
        """Print four lines."""
        self.stdout.write(f"SECRET_KEY={secrets.token_urlsafe(48)}")
        for name in ("FIELD_KEYS", "FINGERPRINT_KEYS", "CHECKPOINT_KEYS"):
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            self.stdout.write(f"{name}=k1:{key}")
