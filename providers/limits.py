"""How many calls may go where: the provider's record, the settings, and what an organization set.

An organization's own limit comes before the record's and the settings', number by number.
What nobody limits still slows down when a server asks for it (`ceadmin.lib.ratelimit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext

from ceadmin.lib.ratelimit import Limit as Pace
from ceadmin.teams.models import Organization
from providers import catalogue, prose
from providers.book import Book, book_of
from providers.choices import LimitScope
from providers.models import Limit
from providers.own import is_own
from providers.spec import Limits as Record


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one organization's calls."""

    platform: Pace = field(default_factory=Pace)
    providers: Mapping[str, Pace] = field(default_factory=dict)  # its own, by key
    apps: Mapping[int, Pace] = field(default_factory=dict)  # by the app's id
    book: Book = field(default_factory=lambda: Book(None))  # whose records count

    @property
    def is_set(self) -> bool:
        """Tell whether anything is limited at all."""
        own = [self.platform, *self.providers.values(), *self.apps.values()]
        records = [_over(Pace(), record.limits) for record in self.book.all()]
        return any(pace.is_set for pace in [*own, *records])

    def provider(self, key: str) -> Pace:
        """Return what each host of a provider takes."""
        record = self.book.find(key)
        own = self.providers.get(key, Pace())
        return own if record is None else _over(own, record.limits)

    def own(self, key: str) -> Pace:
        """Return what the organization said of a provider: it binds this organization alone.

        Its own record is such a saying, whichever hosts it names.
        """
        return self.provider(key) if is_own(key) else self.providers.get(key, Pace())

    def shared(self, key: str) -> Pace:
        """Return what all organizations keep to together at each host of a provider.

        What an organization set itself takes the place of the record's, for its own calls.
        """
        record = catalogue.find(key)
        if record is None:
            return Pace()
        own = self.own(key)
        rate = None if own.rate else record.limits.rate
        return Pace(rate, None if own.concurrency else record.limits.concurrency)

    def app(self, pk: int) -> Pace:
        """Return what the calls with one provider app keep to."""
        return self.apps.get(pk, Pace())


def limits_of(organization: Organization) -> Limits:
    """Return the limits that count now; one query, one more where own records are asked for."""
    rows = list(Limit.objects.filter(organization=organization))
    own = {
        scope: {_owner(row): _pace(row) for row in rows if row.scope == scope}
        for scope in LimitScope
    }
    default = Pace(settings.PLATFORM_RATE, settings.PLATFORM_CONCURRENCY)
    return Limits(
        _over(own[LimitScope.PLATFORM].get("", Pace()), default),
        {str(key): pace for key, pace in own[LimitScope.PROVIDER].items()},
        {int(key): pace for key, pace in own[LimitScope.APP].items()},
        book_of(organization),
    )


def _owner(row: Limit) -> str | int:
    return row.provider_app_id or row.provider_key


def _pace(row: Limit) -> Pace:
    return Pace(row.rate, row.concurrency)


def _over(own: Pace, default: Pace | Record) -> Pace:
    return Pace(own.rate or default.rate, own.concurrency or default.concurrency)


# For people


@dataclass(frozen=True, slots=True)
class Effective:
    """What binds the work on one provider's instances."""

    rate: float | None  # items a second; None: nothing limits them
    concurrency: int | None  # calls at once
    words: str  # "Box: 20 calls a second"; "" when nothing limits them


def effective_limits(
    organization: Organization,
    provider_key: str,
    *,
    platform_calls: float = 1,
    provider_calls: float = 0,
) -> Effective:
    """Return what binds items that make so many calls to the platform and to the provider."""
    limits = limits_of(organization)
    known = limits.book.find(provider_key)
    asked = [
        (str(LimitScope.PLATFORM.label), limits.platform, platform_calls),
        (
            known.name if known else gettext("Provider"),
            limits.provider(provider_key),
            provider_calls,
        ),
    ]
    used = [one for one in asked if one[2] > 0]
    rates = [(pace.rate / calls, name, pace) for name, pace, calls in used if pace.rate]
    slots = [pace.concurrency for _, pace, _ in used if pace.concurrency]
    if not rates:
        return Effective(None, min(slots, default=None), _slots_in_words(used))
    rate, name, pace = min(rates, key=lambda one: one[0])
    return Effective(rate, min(slots, default=None), f"{name}: {in_words(pace)}")


def _slots_in_words(used: list[tuple[str, Pace, float]]) -> str:
    told = [
        (pace.concurrency, name, pace) for name, pace, _ in used if pace.concurrency
    ]
    if not told:
        return ""
    _, name, pace = min(told, key=lambda one: one[0])
    return f"{name}: {in_words(pace)}"


def in_words(pace: Pace) -> str:
    """Return a limit in words: "20 calls a second, 5 at once"."""
    return prose.limited(pace.rate, pace.concurrency) or gettext("no limit")
