"""Read settings from the environment and `.env`, and note what cannot be read.

django-environ does the parsing. What it would take wrongly is handled here: a value
that starts with `$` is that value and no reference; `NAME=` is the same as no line;
list entries are stripped; a word that is neither yes nor no is a problem instead of
"no"; a line that is no setting is reported by its number, without its text.

Nothing is raised: settings must load so that `ceadmin.checks` can say what is wrong.
"""

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import environ

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})
SETTING_LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=")

# It would print a line that it cannot read, and with it a secret.
logging.getLogger("environ").setLevel(logging.ERROR)


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """The settings that were given: by a file, by variables, or by files they name."""

    ENVIRON: dict[str, str] = {}

    def __init__(self, variables: Mapping[str, str]) -> None:
        """Start from `variables`; `problems` collects (setting, what is wrong)."""
        super().__init__()
        self.ENVIRON = dict(variables)
        self.problems: list[tuple[str, str]] = []

    def read_file(self, path: Path, *, wins: bool) -> None:
        """Add the settings of `path`; `wins` over variables only where asked."""
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append((path.name, f"cannot be read: {type(error).__name__}"))
            return
        for number, line in enumerate(lines, start=1):
            if (
                line.strip()
                and not line.startswith("#")
                and not SETTING_LINE.match(line)
            ):
                self.problems.append((path.name, f"line {number} is not NAME=value"))
        self._parse(path, wins=wins)

    def _parse(self, path: Path, *, wins: bool) -> None:
        class Reader(environ.Env):  # type: ignore[misc]
            ENVIRON: dict[str, str] = {}

        Reader.read_env(path, overwrite=True)  # of two lines the later
        ours, theirs = self.ENVIRON, Reader.ENVIRON
        self.ENVIRON = _over(theirs, ours) if wins else _over(ours, theirs)

    def text(self, name: str, default: str = "") -> str:
        """Return the setting as it was written."""
        return self.ENVIRON.get(name, "") or default

    def secret(self, name: str) -> str:
        """Return the setting, or the content of the file that `<name>_FILE` names."""
        file = self.text(f"{name}_FILE")
        if not file:
            return self.text(name)
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(
                (f"{name}_FILE", f"cannot be read: {type(error).__name__}")
            )
            return ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a yes or a no."""
        word = self.text(name).strip().lower()
        if word and word not in YES | NO:
            self.problems.append((name, "is neither yes (1) nor no (0)"))
        return word in YES if word in YES | NO else default

    def number(self, name: str, default: int) -> int:
        """Return a whole number that is not negative."""
        word = self.text(name).strip()
        if word and not word.isdecimal():
            self.problems.append((name, "is not a whole number"))
        return int(word) if word.isdecimal() else default

    def words(self, name: str) -> list[str]:
        """Return the entries of a comma-separated list."""
        return [word for part in self.text(name).split(",") if (word := part.strip())]

    def database(self, name: str, default: Path, base: Path) -> dict[str, Any]:
        """Return Django's description of the database that the address names."""
        address = self.secret(name)
        if not address:
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(default)}
        if address.startswith("sqlite:///"):
            # By hand: the library would turn a "+" in the path into a space.
            file = base / address.removeprefix("sqlite:///")
            return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
        if address.startswith(("postgres://", "postgresql://")):
            with suppress(ValueError, TypeError):
                return dict(self.db_url_config(address))
        self.problems.append((name, "is neither sqlite:///PATH nor postgres://…"))
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def _over(winner: Mapping[str, str], loser: Mapping[str, str]) -> dict[str, str]:
    """Return both; a secret that the winner knows is not read from the loser's file."""
    files = {f"{name}_FILE" for name in winner}
    return {name: loser[name] for name in loser if name not in files} | {**winner}
