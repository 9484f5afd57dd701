"""The records that one organization can use: the catalogue's, and its own beside them.

A book reads the organization's own records once, in one query, when the first of them is
asked for, and gives the same answers from then on: make a new one for each piece of work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from django.db.models import F

from ceadmin.teams.models import Organization
from providers import catalogue, own_rules
from providers.errors import SpecError
from providers.own import OwnProvider, OwnProviderVersion, is_own
from providers.spec import Provider


@dataclass(frozen=True, slots=True)
class Known:
    """An own record with the version it was read from."""

    provider: Provider
    version: int
    digest: str


class Book:
    """The catalogue as one organization sees it."""

    def __init__(self, organization_id: int | None) -> None:
        self._organization = organization_id

    @cached_property
    def own(self) -> dict[str, Known]:
        """Its own records by key, without those that no rule of today lets through."""
        if self._organization is None:
            return {}
        rows = OwnProviderVersion.objects.filter(
            own__organization=self._organization,
            own__removed_at=None,
            number=F("own__version"),
        ).order_by("own__key")
        told = rows.values_list("own__key", "number", "digest", "text")
        read = (
            (key, number, digest, _read(text)) for key, number, digest, text in told
        )
        return {key: Known(one, number, d) for key, number, d, one in read if one}

    def find(self, key: str) -> Provider | None:
        """Return the record with this key, None where there is none."""
        if not is_own(key):
            return catalogue.find(key)
        known = self.own.get(key)
        return known.provider if known else None

    def get(self, key: str) -> Provider:
        """Return the record with this key; raise `UnknownProvider` if there is none."""
        found = self.find(key)
        if found is None:
            raise catalogue.UnknownProvider(key)
        return found

    def for_element(self, element_key: str) -> Provider | None:
        """Return the record of an element: the catalogue's, else an own one."""
        shipped = catalogue.for_element(element_key)
        return shipped or next(
            (one for one in self._own() if element_key in elements_of(one)), None
        )

    def all(self) -> tuple[Provider, ...]:
        """Return every record, by name."""
        found = [*catalogue.all(), *self._own()]
        return tuple(sorted(found, key=lambda one: one.name.casefold()))

    def version(self, key: str) -> int:
        """Return the version of an own record, 0 for one of the catalogue."""
        known = self.own.get(key) if is_own(key) else None
        return known.version if known else 0

    def name_of(self, key: str) -> str:
        """Return a provider's name for people."""
        known = self.find(key)
        return known.name if known else "unknown"

    def versions_of(self, keys: Iterable[str]) -> list[list[str | int]]:
        """Return key, version and digest of the own records among these keys."""
        mine = sorted({key for key in keys if is_own(key)})
        found = ((key, self.own[key]) for key in mine if key in self.own)
        return [[key, known.version, known.digest] for key, known in found]

    def _own(self) -> Iterator[Provider]:
        return (known.provider for known in self.own.values())


def book_of(organization: Organization) -> Book:
    """Return the records of an organization as they are now."""
    return Book(organization.pk)


def elements_of(record: Provider) -> tuple[str, ...]:
    """Return the elements whose accounts belong to a record."""
    return (*record.element_keys, *record.related_element_keys)


@lru_cache(maxsize=256)
def _read(text: str) -> Provider | None:
    """Read a text that was accepted once; the same text is the same record."""
    try:
        return own_rules.read(text)
    except SpecError:
        # Accepted by an older release: what today's rules refuse is not called.
        return None


def names_of(pairs: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """Return (organization, key) → name of own records; one query, none without a pair."""
    mine = {pair for pair in pairs if is_own(pair[1])}
    if not mine:
        return {}
    rows = OwnProvider.objects.filter(
        organization__in={pk for pk, _ in mine}, key__in={key for _, key in mine}
    )
    told = rows.values_list("organization", "key", "name")
    return {(pk, key): name for pk, key, name in told if (pk, key) in mine}
