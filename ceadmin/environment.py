"""Read settings from the environment and `.env`, and note what cannot be read.

django-environ does the parsing. What it would take wrongly is handled here: a value
that starts with `$` is that value and no reference; `NAME=` is the same as no line;
list entries are stripped; a word that is neither yes nor no is a problem instead of
"no"; a line that is no setting is reported by its number, without its text.

Nothing is raised: settings must load so that `ceadmin.checks` can say what is wrong.
"""

import logging
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

YES = frozenset({"1", "true", "yes", "on"})
NO = frozenset({"0", "false", "no", "off"})
MOST_DAYS = 36_500
MOST_CALLS = 100_000
_WHOLE, _DECIMAL = re.compile(r"[0-9]{1,9}"), re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
SETTING_LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=")

#: Ways to a mail server, and where each listens (RFC 8314 §3.3, RFC 6409 §3.1). Not smtps://,
#: which the library takes for STARTTLS: whoever writes it means TLS from the start.
MAIL_PORTS = {"smtp+tls": 587, "smtp+ssl": 465, "smtp": 25}

#: A file that holds one of these is nobody else's to read.
KEYS = ("SECRET_KEY", "FIELD_KEYS", "FINGERPRINT_KEYS", "CHECKPOINT_KEYS")
OPEN_TO_OTHERS = (
    "holds keys and others than its owner may read or write it: chmod 600 {}"
)

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
        held = [name for name in KEYS if any(_gives(line, name) for line in lines)]
        if held and is_open_to_others(path):
            self.problems.append((path.name, OPEN_TO_OTHERS.format(path)))

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
            if is_open_to_others(Path(file)):
                self.problems.append((f"{name}_FILE", OPEN_TO_OTHERS.format(file)))
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

    def number(
        self, name: str, default: int, *, least: int = 0, most: int | None = None
    ) -> int:
        """Return a whole number, at least `least` and at most `most`."""
        word = self.text(name).strip()
        fits = word.isdecimal() and least <= int(word) <= (most or int(word))
        if word and not fits:
            above = f" to {most}" if most else " on"
            bounds = f" from {least}{above}" if least or most else ""
            self.problems.append((name, f"is not a whole number{bounds}"))
        return int(word) if fits else default

    def days(self, name: str, default: int) -> timedelta | None:
        """Return a time in days, at least one; None where the word is "forever"."""
        word = self.text(name).strip().lower()
        if word == "forever":
            return None
        if word and not (word.isdecimal() and 1 <= int(word) <= MOST_DAYS):
            self.problems.append(
                (name, f'is neither a number of days, 1 to {MOST_DAYS}, nor "forever"')
            )
            word = ""
        return timedelta(days=int(word or default))

    def limit(self, name: str, *, whole: bool = False) -> float | None:
        """Return a number above 0, None where nothing is said."""
        word = self.text(name).strip()
        fits = _WHOLE.fullmatch(word) if whole else _DECIMAL.fullmatch(word)
        if word and not (fits and 0 < float(word) <= MOST_CALLS):
            what = "whole number" if whole else "number"
            self.problems.append(
                (name, f"is not a {what} above 0 and at most {MOST_CALLS}")
            )
            return None
        return float(word) if word else None

    def words(self, name: str) -> list[str]:
        """Return the entries of a comma-separated list."""
        return words_of(self.text(name))

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

    def mail(self, name: str) -> dict[str, Any]:
        """Return Django's description of the mail server that the address names, {} for none."""
        address = self.secret(name)
        if not address:
            return {}
        if address.startswith("consolemail:"):
            return dict(self.email_url_config("consolemail:"))
        with suppress(ValueError, TypeError):
            if found := self._mail_server(address):
                return found
        self.problems.append(
            (name, "is neither smtp+tls://…, smtp+ssl://… nor smtp://…")
        )
        return {}

    def _mail_server(self, address: str) -> dict[str, Any] | None:
        """Return what an address says, None where it is no whole one; raise ValueError."""
        parts = urlsplit(address)
        # A # / or ? in a password that is not encoded would make another host of it.
        behind = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme not in MAIL_PORTS or not parts.hostname or behind:
            return None
        found: dict[str, Any] = self.email_url_config(address)
        return found | {"EMAIL_PORT": parts.port or MAIL_PORTS[parts.scheme]}


def words_of(text: str) -> list[str]:
    """Return the entries of a comma-separated list."""
    return [word for part in text.split(",") if (word := part.strip())]


def is_open_to_others(path: Path) -> bool:
    """Say whether a file's group, or everybody, may read or write it."""
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) and bool(mode & 0o077)


def _gives(line: str, name: str) -> bool:
    given, _, value = line.removeprefix("export ").partition("=")
    return given == name and bool(value.strip())


def _over(winner: Mapping[str, str], loser: Mapping[str, str]) -> dict[str, str]:
    """Return both; a secret that the winner knows is not read from the loser's file."""
    files = {f"{name}_FILE" for name in winner}
    return {name: loser[name] for name in loser if name not in files} | {**winner}
