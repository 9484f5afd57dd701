"""What the list of events can be narrowed by, as chips, and what an address asks of it.

The filters only show; `question_of` reads the address, and `ceadmin.audit.finding`
answers. Words of apps above come from `event_words`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.actors import SCHEDULE, SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.finding import Question
from ceadmin.audit.models import Event, Person
from ceadmin.audit.record import SYSTEM_CHAIN
from ceadmin.frame import chosen_organization
from ceadmin.lib.sealed import fingerprints
from ceadmin.teams.admin.event_words import Choices, offered
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Membership
from ceadmin.teams.permissions import organizations, sees_everything
from ceadmin.teams.scoping import LONGEST_SEARCH, user_of

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices

#: The address's word for the system's chain, which has no name.
SYSTEM_WORD = "system"
#: The address's word for a last day, which is still wanted.
LAST_DAY = "at__lte"
#: So many people are offered; others are found from one of their events.
_MOST_PEOPLE = 100


class Chip(admin.SimpleListFilter):
    """One way to narrow the list; `question_of` reads it, the rows stay as they are."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Event]
    ) -> QuerySet[Event]:
        """Leave the rows as they are."""
        return queryset

    def has_output(self) -> bool:
        """Show it where there is something to choose, or chosen."""
        return bool(self.lookup_choices) or self.value() is not None

    def choices(self, changelist: Any) -> Iterator[_ListFilterChoices]:
        """Name what an address chose, though it is not offered."""
        found = list(super().choices(changelist))
        if not _any_selected(found):
            found.append(_named(str(self.value())))
        yield from found


class ChainFilter(Chip):
    """Events of one organization."""

    title = _("organization")
    parameter_name = "chain"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer the organizations whose audit the person may read."""
        readable = organizations(user_of(request), Act.AUDIT).order_by("name")
        choices = [(row.chain, row.name) for row in readable]
        user = user_of(request)
        return (
            [*choices, (SYSTEM_WORD, gettext("System"))]
            if user.is_superuser
            else choices
        )


class ActionFilter(Chip):
    """Events of one act."""

    title = _("act")
    parameter_name = "action__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer every act there is."""
        return Action.choices


class OutcomeFilter(Chip):
    """Events of one outcome, by the words that its pill has everywhere."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer what the apps above know of."""
        return offered(self.parameter_name)


class ProviderFilter(Chip):
    """Events at one provider."""

    title = ngettext_lazy("provider", "providers", 1)
    parameter_name = "provider_key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer what the apps above know of."""
        return offered(self.parameter_name)


class ActorFilter(Chip):
    """What one person did, or the schedule, or the system."""

    title = _("who")
    parameter_name = "actor_uid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer those who belong to what the person may read, and whoever is chosen."""
        people = dict(_people(request))
        chosen = _uid(request.GET.get(self.parameter_name, ""))
        own = {
            str(SCHEDULE.uid): gettext("Schedule"),
            str(SYSTEM.uid): gettext("System"),
        }
        if chosen and str(chosen) not in {**people, **own}:
            people[str(chosen)] = _name_of(request, chosen)
        return [*people.items(), *own.items()]


class AboutFilter(Chip):
    """Events of one run, instance or subject: there by links, gone by its cross."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """Offer what is chosen."""
        value = request.GET.get(str(self.parameter_name), "")
        return [(value, value[:8])] if value else []


class RunFilter(AboutFilter):
    """Events of one run."""

    title = _("run")
    parameter_name = "run_uid"


class InstanceFilter(AboutFilter):
    """Events of one instance."""

    title = ngettext_lazy("instance", "instances", 1)
    parameter_name = "instance_uid"


class SubjectFilter(AboutFilter):
    """Events about one subject."""

    title = _("subject")
    parameter_name = "subject_uid"


class DateFilter(admin.DateFieldListFilter):
    """Events between two moments: the usual ones as links, any two days by a form."""

    template = "admin/audit/event/date_filter.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("date")
        self.since = self._day(self.lookup_kwarg_since)
        self.until = self._day(LAST_DAY)
        self.others: list[tuple[str, str]] = []

    def expected_parameters(self) -> list[str | None]:
        """Take a last day too: what people choose includes it."""
        return [*super().expected_parameters(), LAST_DAY]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Event]
    ) -> QuerySet[Event]:
        """Leave the rows as they are."""
        return queryset

    def choices(self, changelist: Any) -> Iterator[_ListFilterChoices]:
        """Name two days that no link has."""
        found = cast("list[_ListFilterChoices]", [*super().choices(changelist)])
        if self.used_parameters and not _any_selected(found):
            words = (
                self.since or gettext("the beginning"),
                self.until or gettext("now"),
            )
            found.append(_named(" – ".join(words)))
        asked: dict[str, str] = changelist.params
        own = self.field_generic
        self.others = [pair for pair in asked.items() if not pair[0].startswith(own)]
        yield from found

    def _day(self, name: str) -> str:
        values: Any = self.used_parameters.get(name) or [""]
        moment = _moment(str(values[-1]))
        return timezone.localtime(moment).date().isoformat() if moment else ""


FILTERS = (
    *(ChainFilter, ActorFilter, ActionFilter, OutcomeFilter, ProviderFilter),
    *(RunFilter, InstanceFilter, SubjectFilter, ("at", DateFilter)),
)


def question_of(request: HttpRequest) -> Question:
    """Return what a request asks of the events, within what its person may read."""
    asked = {name: request.GET[name].replace("\x00", "") for name in request.GET}
    words = asked.get("q", "").strip()[:LONGEST_SEARCH]
    about = _uid(words)
    given = ("outcome", "provider_key", "run_uid", "instance_uid", "subject_uid")
    return Question(
        chains=_chains(request, asked.get("chain")),
        action=asked.get("action__exact", ""),
        actor_uid=_uid(asked.get("actor_uid", "")),
        since=_moment(asked.get("at__gte", "")),
        until=_until(asked),
        about=str(about) if about else "",
        words="" if about else words,
        marks=tuple(fingerprints(words.lower())) if "@" in words else (),
        **{name: asked.get(name, "")[:64] for name in given},
    )


def _chains(request: HttpRequest, asked: str | None) -> tuple[str, ...] | None:
    if asked is None and (chosen := chosen_organization(request)):
        asked = chosen.chain
    user = user_of(request)
    if sees_everything(user):
        if asked is None:
            return None
        return (SYSTEM_CHAIN if asked == SYSTEM_WORD else asked,)
    readable = organizations(user, Act.AUDIT).order_by("pk")
    chains = tuple(row.chain for row in readable)
    if user.is_active and user.is_superuser:  # some are closed without a second factor
        asked = SYSTEM_CHAIN if asked == SYSTEM_WORD else asked
        chains = (SYSTEM_CHAIN, *chains)
    return chains if asked is None else tuple(set(chains) & {asked})


def _any_selected(choices: Iterable[_ListFilterChoices]) -> bool:
    return any(one["selected"] for one in choices)


def _named(display: str) -> _ListFilterChoices:
    return {"selected": True, "query_string": "", "display": display}


def _people(request: HttpRequest) -> Iterator[tuple[str, str]]:
    """Yield who did something, as far as they belong to what the person may read."""
    people = Person.objects.filter(erased_at=None).order_by("name", "mail")
    if not user_of(request).is_superuser:
        readable = organizations(user_of(request), Act.AUDIT)
        members = Membership.objects.filter(organization__in=readable)
        people = people.filter(user_id__in=list(members.values_list("user", flat=True)))
    for person in people[:_MOST_PEOPLE]:
        yield str(person.uid), str(person)


def _name_of(request: HttpRequest, uid: uuid.UUID) -> str:
    """Name somebody who is chosen, if they ever did something that the person may read."""
    told = Event.objects.filter(actor_uid=uid)
    if not user_of(request).is_superuser:
        readable = organizations(user_of(request), Act.AUDIT)
        told = told.filter(chain__in=[row.chain for row in readable])
    known = Person.objects.filter(uid=uid).order_by("pk").first()
    return str(known) if known and told.exists() else str(uid)[:8]


def _uid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None


def _until(asked: Mapping[str, str]) -> datetime | None:
    last = _moment(asked.get(LAST_DAY, ""))
    if last is None:
        return _moment(asked.get("at__lt", ""))
    next_day = timezone.localtime(last).date() + timedelta(days=1)
    return _moment(next_day.isoformat())


def _moment(text: str) -> datetime | None:
    """Return the moment that an address names: a time, or the beginning of a day."""
    try:
        moment = parse_datetime(text)
        day = None if moment else parse_date(text)
    except ValueError:
        return None
    if day is not None:
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 (below)
    if moment is None:
        return None
    aware = moment if moment.tzinfo else timezone.make_aware(moment)
    return aware.astimezone(UTC) if 1 < aware.year < 9999 else None
