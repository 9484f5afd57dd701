"""Events, the head of each chain, and the people behind the pseudonyms.

An event has no foreign keys: it outlives users, organizations and instances. What it
says about persons is a pseudonym; names and addresses stand in `Person` and `Origin`,
where they can be erased while every event stays as it is.
"""

import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action, ActorKind
from ceadmin.lib.named import named
from ceadmin.lib.rows import Rows
from ceadmin.lib.words import one_of

#: What is written of an event: all but its primary key.
COLUMNS = (
    *("chain", "sequence", "at", "action", "actor_uid", "actor_kind", "origin_uid"),
    *("role", "subject_type", "subject_uid", "subject_name", "run_uid", "item_id"),
    *("instance_uid", "provider_key", "outcome", "reason", "ticket"),
    *("text", "previous_hash", "hash"),
)

#: Indexes by these leave out what is empty. SQLite uses such an index only where a query
#: says that in the index's own words, and as words: not by a parameter.
PRESENT = {
    name: RawSQL(f"NOT ({name} = '')", (), models.BooleanField())  # noqa: S611 (our own names)
    for name in ("instance_uid", "subject_uid", "run_uid", "outcome")
}


class AppendOnly(Exception):
    """Somebody tried to change or remove an event, or to write one past `record()`."""


class EventQuerySet(models.QuerySet["Event"]):
    """Events, readable; written by `ceadmin.audit.record` only."""

    def append(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Insert events that `ceadmin.audit.record` chained, given by their columns."""
        _rows().insert([[event[name] for name in COLUMNS] for event in events])

    def append_one(self, event: Mapping[str, Any]) -> int:
        """Insert one event; return its primary key."""
        values = [event[name] for name in COLUMNS]
        return int(_rows().insert_returning([values], "id")[0][0])

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are never changed.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are never removed.")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are written by record() only.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are never changed.")


@named(
    _("event"),
    _("events"),
    outcome=_("outcome"),
    reason=_("reason"),
    ticket=_("ticket"),
)
class Event(models.Model):
    """One thing that was done. The columns are copies of `text`, for searching."""

    # The organization's uid; '' is the system's own chain.
    chain = models.CharField(_("organization"), max_length=36, blank=True)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField(_("time"))
    action = models.CharField(_("what"), max_length=32, choices=Action)

    actor_uid = models.UUIDField(_("who"))
    actor_kind = models.CharField(_("kind of actor"), max_length=16, choices=ActorKind)
    origin_uid = models.UUIDField(_("network address"), null=True)
    role = models.CharField(_("roles"), max_length=80, blank=True)

    subject_type = models.CharField(max_length=32, blank=True)
    subject_uid = models.CharField(max_length=36, blank=True)
    subject_name = models.CharField(_("subject"), max_length=255, blank=True)

    run_uid = models.CharField(_("run"), max_length=36, blank=True)
    item_id = models.BigIntegerField(_("item"), null=True)
    instance_uid = models.CharField(
        ngettext_lazy("instance", "instances", 1), max_length=36, blank=True
    )
    provider_key = models.CharField(
        ngettext_lazy("provider", "providers", 1), max_length=64, blank=True
    )

    outcome = models.CharField(max_length=32, blank=True)
    reason = models.TextField(blank=True)
    ticket = models.CharField(max_length=120, blank=True)

    text = models.TextField(_("canonical text"))
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain", "sequence"], name="event_once_per_chain"
            ),
            models.CheckConstraint(
                condition=one_of("action", Action.values), name="event_action_known"
            ),
            models.CheckConstraint(
                condition=one_of("actor_kind", ActorKind.values),
                name="event_actor_known",
            ),
        ]
        indexes = [
            # The audit list of one organization, newest first, also between two dates.
            models.Index(fields=["chain", "-at", "-id"], name="events_of_chain"),
            # The audit list of one organization, filtered by act.
            models.Index(fields=["chain", "action", "-id"], name="events_by_action"),
            # The audit list of one organization, filtered by outcome.
            models.Index(
                fields=["chain", "outcome", "-id"],
                name="events_by_outcome",
                condition=~Q(outcome=""),
            ),
            # What one person did, newest first.
            models.Index(fields=["actor_uid", "-id"], name="events_of_actor"),
            # The timeline of anything that has a uid: app, organization, member.
            models.Index(
                fields=["subject_uid", "-id"],
                name="events_of_subject",
                condition=~Q(subject_uid=""),
            ),
            # The timeline of one run.
            models.Index(
                fields=["run_uid", "-id"],
                name="events_of_run",
                condition=~Q(run_uid=""),
            ),
            # The timeline of one instance.
            models.Index(
                fields=["instance_uid", "-id"],
                name="events_of_instance",
                condition=~Q(instance_uid=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are written by record() only.")

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise AppendOnly("Audit events are never removed.")


@cache
def _rows() -> Rows:
    return Rows(Event, *COLUMNS)


class Head(models.Model):
    """The newest event of a chain: what the next one must follow."""

    chain = models.CharField(max_length=36, unique=True, blank=True)
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.chain or 'system'}: {self.sequence}"


class Person(models.Model):
    """The person behind a pseudonym; erasable."""

    uid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A plain number: the account may go.
    user_id = models.BigIntegerField(null=True, blank=True, unique=True)
    name = models.CharField(max_length=255, blank=True)
    mail = models.CharField(max_length=254, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("people")
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(user_id__isnull=True, name="", mail=""),
                name="person_erased_is_empty",
            ),
        ]

    def __str__(self) -> str:
        nameless = gettext("Person %(uid)s") % {"uid": str(self.uid)[:8]}
        return self.name or self.mail or nameless


class Origin(models.Model):
    """A network address that an actor came from; erasable."""

    uid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor_uid = models.UUIDField()
    address = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["actor_uid", "address"], name="origin_once_per_actor"
            ),
        ]

    def __str__(self) -> str:
        return self.address
