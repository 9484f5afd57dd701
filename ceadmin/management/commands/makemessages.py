"""Django's makemessages, which finds this product's own counting function too."""

from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """Write the sentences of the product into the translators' files."""

    xgettext_options = [
        *makemessages.Command.xgettext_options,
        "--keyword=things:2,3",
    ]

    def process_locale_dir(self, locale_dir: Any, files: Any) -> None:
        """Let a word that is counted somewhere have one entry, as msguniq wants it."""
        super().process_locale_dir(locale_dir, files)
        template = Path(str(locale_dir)) / f"{self.domain}.pot"
        if template.exists():
            template.write_text(once_each(template.read_text()))


def once_each(text: str) -> str:
    """Leave out the entries whose words have an entry with a plural, which serves both."""
    entries = text.split("\n\n")
    counted = {_words(one) for one in entries if "\nmsgid_plural " in one}
    return "\n\n".join(
        one for one in entries if "\nmsgid_plural " in one or _words(one) not in counted
    )


def _words(entry: str) -> str:
    """Return what an entry is about: its context and its words."""
    lines = [line for line in entry.splitlines() if not line.startswith("#")]
    about = "\n".join(lines).partition("\nmsgstr")[0]
    return about.partition("\nmsgid_plural")[0]
