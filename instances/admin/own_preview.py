"""What a record's text means, for whoever writes it: what would be sent, and to whom."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from providers import own_rules, rules
from providers.errors import SpecError
from providers.samples import Sample, samples
from providers.spec import Provider
from providers.told import coded, joined, quoted, told


@dataclass(frozen=True, slots=True)
class Host:
    """A host that is vouched for; `parts` says what may stand in its braces."""

    name: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """A record as it would be used, or what is wrong with its text."""

    record: Provider | None = None
    problem: str = ""  # key and sentence
    hosts: tuple[Host, ...] = ()
    calls: tuple[Sample, ...] = ()


def preview_of(text: str) -> Preview:
    """Return what a text means."""
    try:
        record = own_rules.read(text)
    except SpecError as error:
        return Preview(problem=in_words(error))
    return Preview(record, "", tuple(_hosts(record)), samples(record).calls)


def in_words(problem: SpecError) -> str:
    """Return what is wrong with a record, and where; what Python says of it is English."""
    said = joined((problem.words, quoted(problem.quoted)), ": ")
    return told("%(key)s: %(said)s", key=coded(problem.key), said=said)


def _hosts(record: Provider) -> Iterator[Host]:
    for name in own_rules.hosts_of(record):
        places = [(part, record.placeholders[part]) for part in rules.names_in(name)]
        parts = (
            told(
                "%(part)s: %(meaning)s, %(pattern)s",
                part=coded(f"{{{part}}}"),
                meaning=quoted(place.meaning, record.language),
                pattern=coded(place.pattern.pattern),
            )
            for part, place in places
        )
        yield Host(name, tuple(parts))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: "add", "remove" or "same"."""

    kind: str
    text: str


_KINDS = {"+": "add", "-": "remove"}


def compared(old: str, new: str) -> list[Line]:
    """Return what turns one text into the other, with three lines around each change."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    shown = [line for line in lines if not line.startswith(("---", "+++"))]
    return [Line(_KINDS.get(line[:1], "same"), line) for line in shown]
