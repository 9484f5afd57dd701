"""The records of providers/data, read once.

`problems()` tells what is wrong without raising, for the system check; everything else
raises `SpecError` on a bad record, since acting on half a catalogue would be a guess.
"""

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from providers import rules, strict
from providers.choices import Reach
from providers.errors import SpecError
from providers.spec import OWN, Provider

DATA = Path(__file__).parent / "data"
ELEMENT_TAKEN = _("%(element)s belongs to %(owner)s already")


def is_own(key: str) -> bool:
    """Tell whether a key is one of an organization's own records."""
    return key.startswith(OWN)


class UnknownProvider(LookupError):
    """No record has this key."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the catalogue has no provider {key!r}")


def table_of(text: str) -> dict[str, Any]:
    """Return what a TOML text says; raise `SpecError` where it is none."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise SpecError("toml", _("is nested too deeply")) from None
    except ValueError as error:  # its own, and what Python says of a very long number
        raise SpecError("toml", "", quoted=str(error)) from None


def record_of(table: Mapping[str, Any]) -> Provider:
    """Return the record that a table describes; raise `SpecError`."""
    provider = strict.build(Provider, table)
    rules.check(provider)
    return provider


def parse(text: str, file: str) -> Provider:
    """Read one record; raise `SpecError` naming file and key if it is wrong."""
    try:
        provider = record_of(table_of(text))
    except SpecError as error:
        raise error.inside(file) from None
    if is_own(provider.key):
        raise SpecError("key", "begins as organizations' own keys do", file=file)
    if provider.key != Path(file).stem:
        raise SpecError("key", "is not the file's name", file=file)
    return provider


def load(folder: Path) -> dict[str, Provider]:
    """Read a folder of records; raise `SpecError` at the first fault."""
    records, found = _read_all(folder)
    for problem in found:
        raise problem
    return {record.key: record for record in records}


def problems(folder: Path = DATA) -> list[SpecError]:
    """Return what is wrong, one problem per file at most, then what clashes."""
    return read(folder)[1]


def read(folder: Path = DATA) -> tuple[list[Provider], list[SpecError]]:
    """Return the records of a folder that can be read, and what is wrong with the others."""
    # The product's own are read once for the check and for all that follows.
    records, found = _own() if folder == DATA else _read_all(folder)
    return list(records), list(found)


def _read_all(folder: Path) -> tuple[list[Provider], list[SpecError]]:
    records, found = [], []
    for path in sorted(folder.glob("*.toml")):
        try:
            records.append(parse(*_read(path)))
        except SpecError as error:
            found.append(error)
    return records, [*found, *_clashes(records)]


def _read(path: Path) -> tuple[str, str]:
    try:
        return path.read_text(encoding="utf-8"), path.name
    except UnicodeDecodeError:
        raise SpecError("toml", "is not UTF-8", file=path.name) from None


def _clashes(records: Iterable[Provider]) -> Iterator[SpecError]:
    owners: dict[str, str] = {}
    for record in records:
        for element_key in (*record.element_keys, *record.related_element_keys):
            if element_key in owners:
                yield SpecError(
                    "element_keys",
                    ELEMENT_TAKEN,
                    file=f"{record.key}.toml",
                    element=repr(element_key),
                    owner=owners[element_key],
                )
            owners.setdefault(element_key, record.key)


# The product's own catalogue


@functools.cache
def _own() -> tuple[list[Provider], list[SpecError]]:
    return _read_all(DATA)


@functools.cache
def _shipped() -> dict[str, Provider]:
    records, found = _own()
    for problem in found:
        raise problem
    return {record.key: record for record in sorted(records, key=_by_name)}


def _by_name(record: Provider) -> str:
    return record.name.casefold()


@functools.cache
def _by_element() -> dict[str, Provider]:
    return {
        element_key: record
        for record in _shipped().values()
        for element_key in (*record.element_keys, *record.related_element_keys)
    }


@functools.cache
def all() -> tuple[Provider, ...]:
    """Return every record, by name."""
    return tuple(_shipped().values())


def get(key: str) -> Provider:
    """Return the record with this key; raise `UnknownProvider` if there is none."""
    try:
        return _shipped()[key]
    except KeyError:
        raise UnknownProvider(key) from None


def find(key: str) -> Provider | None:
    """Return the record with this key, None where the catalogue has none."""
    return _shipped().get(key)


def for_element(element_key: str) -> Provider | None:
    """Return the record that an element's accounts belong to, if the catalogue knows."""
    return _by_element().get(element_key)


def families_of(records: Iterable[Provider]) -> dict[str, str]:
    """Return provider key → the family whose accounts a revocation is compared among.

    Only of records that reach beyond the token. Where all of a user's sessions end, the
    records of one and the same call are one family; else each is its own.
    """
    by_call: dict[str, str] = {}
    found: dict[str, str] = {}
    for record in records:
        call = record.revoke.call
        if call is None or record.reach == Reach.TOKEN:
            continue
        shared = record.reach == Reach.USER
        found[record.key] = (
            by_call.setdefault(call.url, record.key) if shared else record.key
        )
    return found
