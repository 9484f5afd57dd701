"""Who dies with a run's list without standing on it: read once, and asked by whatever has to know.

`Kin` is what one statement found at one moment. Pages, thresholds, the typed confirmation and
approvals count by the same one; its hash tells whether others would die now than were shown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count
from django.utils.translation import gettext, gettext_noop

from ceadmin.lib.rows import among
from instances import reach
from instances.choices import DESTRUCTIVE
from instances.models import Instance, Run
from instances.querysets import InstanceQuerySet
from instances.runs.rights import instances_of
from instances.selection import frozen_hash
from providers import catalogue
from providers.book import Book
from providers.choices import Reach
from providers.models import enabled_keys
from providers.spec import Provider

#: So many are named of each provider; the list of instances shows all.
NAMED = 10

_WHY: dict[Reach, str] = {
    Reach.TOKEN: gettext_noop("Others hold the same token."),
    Reach.GRANT: gettext_noop("%(name)s keeps one grant for each user and app."),
    Reach.ACCOUNT: gettext_noop(
        "%(name)s ends the app in the whole account, whoever connected it."
    ),
    Reach.USER: gettext_noop("%(name)s ends everything of a user, in every app."),
}


class Relative(NamedTuple):
    """One instance that dies too."""

    pk: int
    uid: UUID
    provider_key: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Those of one provider that die too, and those of which nobody can tell."""

    provider_key: str
    provider_name: str
    why: str  # a sentence for people
    count: int
    names: tuple[str, ...]  # the first NAMED
    statuses: tuple[tuple[str, int], ...]
    doubtful: int


@dataclass(frozen=True, slots=True)
class Kin:
    """Whoever dies with a run's list without standing on it, by name."""

    rows: tuple[Relative, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def hash(self) -> str:
        """Return the hash of who they are, "" where there are none."""
        uids = sorted(str(one.uid) for one in self.rows)
        return frozen_hash(uids) if uids else ""

    @property
    def instances(self) -> InstanceQuerySet:
        """Return their rows."""
        mine = among(Instance, "id", [one.pk for one in self.rows])
        return Instance.objects.filter(mine)

    def by_provider(self, doubtful: dict[str, int], book: Book) -> tuple[Reached, ...]:
        """Return them provider by provider, with the doubtful ones beside."""
        found: dict[str, list[Relative]] = {key: [] for key in doubtful}
        for one in self.rows:
            found.setdefault(one.provider_key, []).append(one)
        return tuple(
            _reached(book.get(key), found[key], doubtful.get(key, 0))
            for key in sorted(found)
        )


def kin_of(run: Run) -> Kin:
    """Return who dies with a run's list, as things are now: nobody where nothing dies."""
    if run.kind not in DESTRUCTIVE:
        return Kin()
    rows = siblings_of(run).order_by("name", "pk").values_list(*Relative._fields)
    return Kin(tuple(map(Relative._make, rows)))


def siblings_of(run: Run) -> InstanceQuerySet:
    """Return the instances beside a run's list that die with it."""
    return instances_of(run).siblings(run.organization, _off(run))


def doubtful_of(run: Run) -> InstanceQuerySet:
    """Return the instances beside a run's list of which nobody can tell whether they die."""
    return instances_of(run).doubtful(run.organization, _off(run))


def doubts(run: Run, kin: Kin) -> dict[str, int]:
    """Return provider → how many beside a run's list may die, nobody can tell; `kin` do."""
    if run.kind not in DESTRUCTIVE:
        return {}
    own = run.organization_id
    possible = reach.possible(instances_of(run), own, _off(run))
    sure = among(Instance, "id", [one.pk for one in kin.rows])
    rows = possible.exclude(sure).order_by().values_list("provider_key")
    return dict(rows.annotate(count=Count("pk")))


def _off(run: Run) -> set[str]:
    """Return the providers whose call is not made here, since no owner switched it on."""
    careful = {record.key for record in catalogue.all() if record.needs_switch}
    return careful - enabled_keys(run.organization)


def _reached(record: Provider, rows: list[Relative], doubtful: int) -> Reached:
    return Reached(
        provider_key=record.key,
        provider_name=record.name,
        why=gettext(_WHY[record.reach]) % {"name": record.name},
        count=len(rows),
        names=tuple(one.name for one in rows[:NAMED]),
        statuses=tuple(sorted(Counter(one.status for one in rows).items())),
        doubtful=doubtful,
    )
