"""What a draft would do, counted before anything is sent: a few queries however many items there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from django.db.models import Count, Q
from django.utils.translation import gettext, gettext_noop, ngettext

from ceadmin import ui
from ceadmin.teams.models import Organization
from instances.choices import DESTRUCTIVE, NEEDS_PERSON, InstanceStatus, RunKind
from instances.models import Instance, Item, Run
from instances.runs.forecast import Forecast, forecast
from instances.runs.kin import NAMED, Kin, Reached, doubts, kin_of
from providers.book import Book, book_of
from providers.choices import CallbackMode
from providers.models import ProviderApp, enabled_keys
from providers.own import is_own
from providers.spec import Provider


@dataclass(frozen=True, slots=True)
class Effect:
    """The items of one provider: how many, in which state, and what dies there."""

    provider_key: str
    provider_name: str
    count: int
    statuses: tuple[tuple[str, int], ...]
    kills: str
    possible: int
    problem: str = ""  # why the others can't be worked
    manual_steps: tuple[str, ...] = ()
    language: str = "en"  # of the record's own words; "" where its owner wrote them


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft's effects. `siblings` are not selected and die with those that are."""

    total: int
    possible: int
    effects: tuple[Effect, ...]
    siblings: int
    sibling_names: tuple[str, ...]
    reached: tuple[Reached, ...]  # the siblings, provider by provider
    dead_already: int
    forecast: Forecast
    look_dead: int = 0  # of those that can be worked
    disabled: int = 0  # of these, by the platform
    elsewhere: int = 0  # of the list, whose consent does not come back here
    consent_hosts: tuple[str, ...] = ()  # where it goes instead

    @property
    def impossible(self) -> int:
        """Return how many items can't be worked as things are set up."""
        return self.total - self.possible


#: Status, how many are in it, and how many of these have a provider app.
_States = list[tuple[str, int, int]]

#: Instances in these states look dead; one that the platform disabled may hold a grant
#: that lives at its provider.
_LOOK_DEAD = NEEDS_PERSON


def preview(run: Run, kin: Kin | None = None) -> Preview:
    """Return what `run` would do to its frozen list; `kin` where it was read already."""
    kin = kin_of(run) if kin is None else kin
    by_provider, book = _listed(run), book_of(run.organization)
    kills, elsewhere = run.kind in DESTRUCTIVE, _elsewhere(run)
    off = _switched_off(run.organization, by_provider, book) if kills else set()
    effects = [
        _off(effect, book) if effect.provider_key in off else effect
        for effect in (
            _effect(run.kind, key, states, book) for key, states in by_provider.items()
        )
    ]
    return Preview(
        total=sum(effect.count for effect in effects),
        possible=sum(effect.possible for effect in effects),
        effects=tuple(effects),
        siblings=len(kin),
        sibling_names=tuple(one.name for one in kin.rows[:NAMED]),
        reached=kin.by_provider(doubts(run, kin), book),
        dead_already=sum(
            count
            for states in by_provider.values()
            for status, count, _ in states
            if status in _LOOK_DEAD
        ),
        look_dead=_possible_in(_LOOK_DEAD, effects, by_provider),
        disabled=_possible_in({InstanceStatus.DISABLED}, effects, by_provider),
        forecast=forecast(run, _counts(by_provider)),
        elsewhere=sum(elsewhere.values()),
        consent_hosts=tuple(sorted(elsewhere)),
    )


def _listed(run: Run) -> dict[str, _States]:
    """Return provider → how many of the list are in which state, and how many of these have an app."""
    rows = (
        Item.objects.filter(run=run)
        .order_by("provider_key")
        .values("provider_key", "instance__status")
        .annotate(
            count=Count("id"),
            with_app=Count("id", filter=Q(instance__provider_app__isnull=False)),
        )
    )
    by_provider: dict[str, _States] = {}
    for row in rows:
        status = row["instance__status"] or InstanceStatus.MISSING
        state = (status, row["count"], row["with_app"])
        by_provider.setdefault(row["provider_key"], []).append(state)
    return by_provider


def _elsewhere(run: Run) -> Counter[str]:
    """Return where consents go that do not come back here, and how many of the list."""
    hosts: Counter[str] = Counter()
    if run.kind not in _BY_APP:
        return hosts
    theirs = Q(instance__provider_app__callback_mode=CallbackMode.THEIRS)
    rows = Item.objects.filter(theirs, run=run).order_by()
    by_app = rows.values_list("instance__provider_app").annotate(count=Count("id"))
    counts = dict(by_app)
    for app in ProviderApp.objects.filter(pk__in=counts):
        hosts[app.consent_host] += counts[app.pk]
    return hosts


def _counts(by_provider: Mapping[str, _States]) -> dict[str, int]:
    return {
        key: sum(count for _, count, _ in states) for key, states in by_provider.items()
    }


def _possible_in(
    statuses: Collection[str],
    effects: Iterable[Effect],
    by_provider: Mapping[str, _States],
) -> int:
    """Return how many of those that can be worked are in some states."""
    return sum(
        with_app if effect.possible < effect.count else count
        for effect in effects
        if effect.possible
        for status, count, with_app in by_provider[effect.provider_key]
        if status in statuses
    )


def _effect(kind: str, key: str, states: _States, book: Book) -> Effect:
    """Return what a run does to the items of one provider; only what revokes kills something."""
    provider, kills = book.find(key), kind in DESTRUCTIVE
    count = sum(number for _, number, _ in states)
    possible, problem = count, ""
    if kills and (provider is None or not provider.revocable):
        possible, problem = 0, gettext(_NO_CALL if provider else _UNKNOWN)
    elif kind in _BY_APP or (kills and revocation_needs_app(provider)):
        possible = sum(app for _, _, app in states)
        problem = _without_app(kind, count - possible)
    known = provider if kills else None
    return Effect(
        provider_key=key,
        provider_name=_name(provider, book.version(key)),
        count=count,
        statuses=tuple((status, number) for status, number, _ in states),
        kills=known.kills if known else "",
        possible=possible,
        problem=problem,
        manual_steps=known.manual_steps if known and not known.revocable else (),
        language="" if is_own(key) else "en",
    )


def _name(provider: Provider | None, version: int) -> str:
    """Return a provider's name, with the version of an own record: it is what is approved."""
    if provider is None:
        return gettext("Unknown provider")
    if not version:
        return provider.name
    return gettext("%(name)s (own, version %(version)s)") % {
        "name": provider.name,
        "version": version,
    }


def _switched_off(
    organization: Organization, keys: Iterable[str], book: Book
) -> set[str]:
    """Return the providers whose record is off here; asks only where one is off by itself."""
    records = [record for key in keys if (record := book.find(key))]
    off = {record.key for record in records if record.needs_switch}
    return off - enabled_keys(organization) if off else set()


def _off(effect: Effect, book: Book) -> Effect:
    record = book.get(effect.provider_key)
    problem, steps = gettext(_OFF), record.manual_steps
    return replace(effect, possible=0, problem=problem, manual_steps=steps)


def _without_app(kind: str, count: int) -> str:
    if not count:
        return ""
    if kind == RunKind.REVOKE:
        told = ngettext(
            "One has no provider app, whose client id and secret this provider asks "
            "for. Assign one first.",
            "%(count)s have no provider app, whose client id and secret this provider "
            "asks for. Assign one first.",
            count,
        )
    else:
        told = ngettext(
            "One has no provider app, through which a person reauthenticates. Assign "
            "one first.",
            "%(count)s have no provider app, through which a person reauthenticates. "
            "Assign one first.",
            count,
        )
    return told % {"count": ui.number(count)}


#: A person reauthenticates through an app, so these take one at every provider.
_BY_APP = frozenset({RunKind.RECONNECT, RunKind.DRILL})
_UNKNOWN = gettext_noop(
    "The catalogue does not know this element. Assign a provider app with the generic "
    "record."
)
_OFF = gettext_noop(
    "This record is off: it was not proved. An owner can switch it on under Providers."
)
_NO_CALL = gettext_noop("This provider offers no revocation that can be called here.")


def revocation_needs_app(provider: Provider | None) -> bool:
    """Tell whether a provider's revocation is authenticated by the client's own credentials."""
    call = provider.revoke.call if provider else None
    return call is not None and (
        call.client_auth != "none" or "{client_secret}" in str(dict(call.fields))
    )


def obstacle(kind: str, instance: Instance) -> str:
    """Return why a run of `kind` could do nothing with one instance, "" where it could."""
    book, key = book_of(instance.organization), instance.provider_key
    provider, kills = book.find(key), kind in DESTRUCTIVE
    if kills and (provider is None or not provider.revocable):
        return gettext(_NO_CALL if provider else _UNKNOWN)
    if kills and _switched_off(instance.organization, [key], book):
        return gettext(_OFF)
    by_app = kind in _BY_APP or (kills and revocation_needs_app(provider))
    if by_app and instance.provider_app_id is None:
        return _has_no_app(kind)
    return ""


def _has_no_app(kind: str) -> str:
    if kind == RunKind.REVOKE:
        return gettext(
            "It has no provider app, whose client id and secret this provider asks for. "
            "Assign one first."
        )
    return gettext(
        "It has no provider app, through which a person reauthenticates. Assign one "
        "first."
    )
