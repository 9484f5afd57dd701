"""Who acts, as the audit sees it."""

import uuid
from dataclasses import dataclass

from ceadmin.audit.choices import ActorKind

_NAMESPACE = uuid.UUID("5d0c5b9e-7a4f-5d0e-9f55-6d6f8f3f1c11")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which roles and from which network address.

    `uid` is the pseudonym that events keep; name, mail and address go to tables that
    can be erased without touching an event.
    """

    uid: uuid.UUID
    kind: str
    name: str
    user_id: int | None = None
    roles: frozenset[str] = frozenset()
    address: str = ""
    mail: str = ""


SYSTEM = Actor(uuid.uuid5(_NAMESPACE, "system"), ActorKind.SYSTEM, "ceadmin")
SCHEDULE = Actor(uuid.uuid5(_NAMESPACE, "schedule"), ActorKind.SCHEDULE, "Schedule")


def customer(link_uid: uuid.UUID, address: str = "") -> Actor:
    """Return who acts on a reconnect link: nobody is known but the link."""
    return Actor(link_uid, ActorKind.CUSTOMER, "Customer", address=address)


def visitor(address: str = "") -> Actor:
    """Return who acts when nobody is known at all, a refused sign-in for instance."""
    uid = uuid.uuid5(_NAMESPACE, "visitor")
    return Actor(uid, ActorKind.CUSTOMER, "Visitor", address=address)
