"""The pseudonyms: who stands behind an actor's uid, until they are erased."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.canonical import clipped
from ceadmin.audit.choices import ActorKind
from ceadmin.audit.models import PRESENT, Event, Origin, Person
from ceadmin.lib.rows import Lookup

_KNOWN = Lookup(Person, "uid", "uid")
_PLACES = Lookup(Origin, "actor_uid", "actor_uid", "address", "uid")

# An actor's uid and the network address they came from.
Place = tuple[uuid.UUID, str]


def remember(uid: uuid.UUID, *, user_id: int | None, name: str, mail: str) -> None:
    """Keep who stands behind a pseudonym; an erased one stays erased."""
    facts = {"user_id": user_id, "name": clipped(name, 255), "mail": clipped(mail, 254)}
    if not Person.objects.filter(uid=uid, erased_at=None).update(**facts):
        Person.objects.bulk_create([Person(uid=uid, **facts)], ignore_conflicts=True)


def know(actors: Iterable[Actor]) -> None:
    """Make a pseudonym for every person among the actors who has none yet."""
    people = {actor.uid: actor for actor in actors if actor.kind == ActorKind.PERSON}
    if not people:
        return
    known = {uid for (uid,) in _KNOWN.find(people)}
    for uid in people.keys() - known:
        actor = people[uid]
        remember(uid, user_id=actor.user_id, name=actor.name, mail=actor.mail)


def origins(actors: Iterable[Actor]) -> dict[Place, uuid.UUID]:
    """Return the uid of each actor's network address, making what is missing."""
    places = {place(actor) for actor in actors if actor.address}
    if not places:
        return {}
    found = _origins(places)
    missing = [
        Origin(actor_uid=uid, address=address)
        for uid, address in sorted(places - found.keys())
    ]
    if missing:
        Origin.objects.bulk_create(missing, ignore_conflicts=True)
        found = _origins(places)
    return found


def place(actor: Actor) -> Place:
    """Return where an actor came from, as it is stored."""
    return actor.uid, clipped(actor.address, 64)


def _origins(places: set[Place]) -> dict[Place, uuid.UUID]:
    rows = _PLACES.find({uid for uid, _ in places})
    return {
        (actor, address): uid
        for actor, address, uid in rows
        if (actor, address) in places
    }


def last_address(actor_uid: uuid.UUID, subject_uid: str) -> str:
    """Return where somebody was when they last did something with a subject, "" if unknown.

    What goes on in their name afterwards is told with that address; erasing takes it away.
    """
    deeds = Event.objects.filter(subject_uid=subject_uid, actor_uid=actor_uid)
    deeds = deeds.filter(PRESENT["subject_uid"], origin_uid__isnull=False)
    origin = deeds.order_by("-id").values_list("origin_uid", flat=True).first()
    found = Origin.objects.filter(uid=origin).order_by("pk").first() if origin else None
    return found.address if found else ""


def erase(uid: uuid.UUID, *, at: datetime) -> None:
    """Forget who stands behind a pseudonym; every event stays as it is."""
    with transaction.atomic():
        Person.objects.filter(uid=uid).update(
            user_id=None, name="", mail="", erased_at=at
        )
        Origin.objects.filter(actor_uid=uid).delete()
