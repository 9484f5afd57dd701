"""The pseudonyms: who stands behind an actor's uid, until they are erased."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.canonical import clipped
from ceadmin.audit.choices import ActorKind
from ceadmin.audit.models import Origin, Person

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
    known = Person.objects.filter(uid__in=people).values_list("uid", flat=True)
    for uid in people.keys() - set(known):
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
    rows = Origin.objects.filter(
        actor_uid__in={uid for uid, _ in places},
        address__in={address for _, address in places},
    )
    return {(row.actor_uid, row.address): row.uid for row in rows}


def erase(uid: uuid.UUID, *, at: datetime) -> None:
    """Forget who stands behind a pseudonym; every event stays as it is."""
    with transaction.atomic():
        Person.objects.filter(uid=uid).update(
            user_id=None, name="", mail="", erased_at=at
        )
        Origin.objects.filter(actor_uid=uid).delete()
