"""How often somebody may try to prove who they are, and how refusals reach the audit.

Tries are counted in the database, in stretches of SIGN_IN_MINUTES, before the password is
looked at: by network (an IPv4 address, or the /64 that an IPv6 address is in), by account,
and by both together. A browser in which the person signed in before is counted for itself
and for nothing else, so that a stranger can close an account to strangers only.

Every refusal counts; the first of an account from a network is an event at once, the rest
of its stretch becomes one event with a count, and all together have only so many.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.audit.actors import visitor
from ceadmin.audit.canonical import clipped, visible
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams.models import Tally

#: So many times the tries of one account from one network may come from a whole network,
#: or go to a whole account: an office shares an address, a person has several.
_WIDE = 10
#: So many refusals of one stretch have an event of their own, all together.
MOST_EVENTS = 200
#: So many rows one sweep forgets in one statement.
_MOST_FORGOTTEN = 5000
_EVENTS = "events"
#: What a person who is known proves: a code when signing in, or everything once more.
CODE, CONFIRM = "code", "confirm"
PROOFS = (CODE, CONFIRM)


class TooMany(Exception):
    """Somebody tried too often; `until` says when they may try again."""

    def __init__(self, until: datetime) -> None:
        super().__init__("too many tries")
        self.until = until

    @property
    def sentence(self) -> str:
        """What whoever tried is told; the same for a right and a wrong answer."""
        at = timezone.localtime(self.until)
        text = gettext(
            "Too many tries. Wait, and try again from %(moment)s on: "
            "until then even the right answer is refused."
        )
        return text % {"moment": f"{at:%H:%M:%S} {ui.zone_name(at)}"}


@dataclass(frozen=True, slots=True)
class Key:
    """What tries are counted by, and how many a stretch has."""

    name: str
    most: int


@dataclass(frozen=True, slots=True)
class Door:
    """Where somebody tries: all its keys have to have a try left. The first is the narrowest."""

    keys: tuple[Key, ...]
    network: str
    subject_uid: str = ""


def sign_in_door(mail: str, address: str, browser: str = "") -> Door:
    """Return the door of the sign-in page; `browser` names one known to the account."""
    account, network = account_of(mail), network_of(address)
    if browser:
        return Door((Key(f"browser:{account}:{browser}", _tries()),), network)
    keys = (
        Key(f"pair:{account}:{network}", _tries()),
        Key(f"account:{account}", _tries() * _WIDE),
        Key(f"network:{network}", _tries() * _WIDE),
    )
    return Door(keys, network)


def person_door(what: str, uid: object, address: str, of: str = "") -> Door:
    """Return the door of somebody known who proves something more: `what` names it.

    `of` is what it is counted for beside the person, a browser or a session.
    """
    name = f"{what}:{uid}:{of or '-'}"
    return Door((Key(name, _tries()),), network_of(address), str(uid))


def take_try(door: Door, now: datetime) -> None:
    """Count a try, before it is looked at. Raises `TooMany`, whoever it is."""
    until: datetime | None = None
    ended: list[Tally] = []
    with transaction.atomic():
        tried: list[int] = []
        # Always in the same order, the narrowest last: two tries never wait for each other.
        for key in reversed(door.keys):
            row = _row(key, door, now, ended)
            if row.tries >= key.most:
                until = _open_again(door, now)
                break  # a flood of names leaves no rows behind a closed network
            tried.append(row.pk)
        else:
            Tally.objects.filter(pk__in=tried).update(tries=F("tries") + 1)
        _tell_rests(ended, now)
    if until:
        raise TooMany(until)


def _open_again(door: Door, now: datetime) -> datetime:
    """Return when every key of a closed door has tries again."""
    most = {key.name: key.most for key in door.keys}
    counted = Tally.objects.filter(key__in=most, until__gt=now)
    return max(row.until for row in counted if row.tries >= most[row.key])


def refuse(door: Door, now: datetime, subject_uid: str = "") -> bool:
    """Count a refusal; say whether it has an event of its own, to be recorded now.

    Whoever calls has a transaction open: the count and its event belong together.
    """
    ended: list[Tally] = []
    row = _row(_refusals_of(door, now), door, now, ended)
    row.refused += 1
    row.subject_uid = row.subject_uid or subject_uid
    tells = row.told == 0 and _may_tell(now)
    row.told += tells
    row.save(update_fields=["refused", "told", "subject_uid"])
    _tell_rests(ended, now)
    return tells


def forgive(door: Door) -> None:
    """Take back the try of somebody who proved who they are."""
    narrow, *wide = (key.name for key in door.keys)
    with transaction.atomic():
        for name in reversed(wide):  # in the order of `take_try`
            tried = Tally.objects.filter(key=name, tries__gt=0)
            tried.update(tries=F("tries") - 1)
        Tally.objects.filter(key=narrow).update(tries=0)


def unlock_account(mail: str, uid: object = "") -> int:
    """Forget the tries of an account and of its person; return how many there were."""
    account = account_of(mail)
    about = Q(key=f"account:{account}")
    begins = [f"pair:{account}:", f"browser:{account}:"]
    begins += [f"{what}:{uid}:" for what in PROOFS] if uid else []
    for word in begins:
        about |= Q(key__startswith=word)
    return _unlock(about)


def unlock_network(address: str) -> int:
    """Forget the tries that came from a network; return how many keys had some."""
    network = network_of(address)
    pairs = Q(key__startswith="pair:", network=network)
    return _unlock(Q(key=f"network:{network}") | pairs)


def _unlock(about: Q) -> int:
    """Open doors one after the other: whoever tries meanwhile holds several."""
    tried = Tally.objects.filter(about, tries__gt=0)
    names = sorted(tried.values_list("key", flat=True))  # account, …, network, pair
    return sum(Tally.objects.filter(key=name).update(tries=0) for name in names)


def close_stretches(now: datetime, most: int = 500) -> None:
    """Tell the audit of refusals without events in stretches that are over; forget those."""
    _forget_told(now)
    over = Tally.objects.filter(until__lte=now).order_by("until", "pk")
    for pk in list(over.values_list("pk", flat=True)[:most]):
        with transaction.atomic():
            rows = Tally.objects.select_for_update().filter(pk=pk, until__lte=now)
            for row in rows:
                Tally.objects.filter(pk=row.pk).delete()
                _tell_rests([row], now)


def _forget_told(now: datetime) -> None:
    """Forget the stretches of which there is nothing to tell, waiting for nobody."""
    over = Tally.objects.filter(until__lte=now, refused__lte=F("told"))
    with transaction.atomic():
        free = over.select_for_update(skip_locked=True).order_by("pk")
        pks = list(free.values_list("pk", flat=True)[:_MOST_FORGOTTEN])
        Tally.objects.filter(pk__in=pks).delete()


def account_of(mail: str) -> str:
    """Return what stands for an account in keys, whether or not there is one."""
    return fingerprint(visible(mail).strip().lower()) or "-"


def network_of(address: str) -> str:
    """Return whose tries are counted together: an IPv4 address or an IPv6 network."""
    try:
        found = ip_address(address)
    except ValueError:
        return clipped(address, 64) or "-"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ip_network((found.packed, 64), strict=False))
    return str(found)


def _tries() -> int:
    return int(settings.SIGN_IN_TRIES)


def _stretch() -> timedelta:
    return timedelta(minutes=settings.SIGN_IN_MINUTES)


def _row(key: Key, door: Door, now: datetime, ended: list[Tally]) -> Tally:
    """Return the tally of a key, locked, with a new stretch where the last one is over.

    What is over goes to `ended`, to be told once every lock is taken: the audit's is last.
    """
    fresh = {
        "since": now,
        "until": now + _stretch(),
        "network": door.network,
        "subject_uid": door.subject_uid,
    }
    rows = Tally.objects.select_for_update()
    row, _ = rows.get_or_create(key=key.name, defaults=fresh)
    if row.is_over(now):
        ended.append(copy(row))
        row.tries = row.refused = row.told = 0
        for name, value in fresh.items():
            setattr(row, name, value)
        row.save(update_fields=["tries", "refused", "told", *fresh])
    return row


def _refusals_of(door: Door, now: datetime) -> Key:
    """Return by which key a refusal is counted: a flood of names is its network's."""
    narrow, *wide = door.keys
    full = Tally.objects.filter(key__in=[key.name for key in wide], until__gt=now)
    tries = dict(full.values_list("key", "tries"))
    for key in reversed(wide):
        if tries.get(key.name, 0) >= key.most:
            return key
    return narrow


def _may_tell(now: datetime) -> bool:
    """Take one of the events that refusals may have in this stretch, all together."""
    row = _row(Key(_EVENTS, MOST_EVENTS), Door((), ""), now, [])
    if row.tries >= MOST_EVENTS:
        return False
    Tally.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
    return True


def _tell_rests(ended: Iterable[Tally], now: datetime) -> None:
    """Record how many refusals of each stretch had no event of their own."""
    for row in ended:
        if row.refused > row.told:
            _tell_rest(row, now)


def _tell_rest(row: Tally, now: datetime) -> None:
    network = "" if row.network == "-" else row.network
    record(
        Action.SIGN_INS_REFUSED,
        chain=SYSTEM_CHAIN,
        actor=visitor(network),
        at=now,
        subject=Subject("person", row.subject_uid) if row.subject_uid else Subject(),
        facts={
            "count": row.refused - row.told,
            "since": row.since.isoformat(),
            "until": min(row.until, now).isoformat(),
            "counted_by": row.key.partition(":")[0],
        },
    )
