"""What owners do with records of their own: add, change, restore and remove them, each recorded.

Nothing of a version is ever changed: whoever changes or restores adds one, on top of the
version that they saw, so of two at once one wins and the other is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.teams.models import Organization
from ceadmin.teams.reasons import said
from ceadmin.teams.users import Hand
from instances.models import Instance
from providers import own_rules
from providers.book import book_of, elements_of
from providers.catalogue import ELEMENT_TAKEN
from providers.errors import SpecError
from providers.models import OwnProvider, OwnProviderVersion, ProviderApp
from providers.own import MOST
from providers.spec import Provider


class OwnError(ValueError):
    """What is asked of an own record can't be done; `sentence` says why and what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code, self.sentence = code, sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Draft:
    """A record as somebody wants to save it."""

    text: str
    hosts: frozenset[str]  # vouched for, by name
    why: str
    by_name: str
    imported: bool = False  # it was read from a file

    @property
    def reason(self) -> str:
        """The reason without what stands around it."""
        return said(self.why)[:500]


@dataclass(frozen=True, slots=True)
class Uses:
    """How many instances and provider apps an own record has."""

    instances: int
    apps: int

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.instances or self.apps)


def judged(
    organization: Organization, draft: Draft, own: OwnProvider | None = None
) -> Provider:
    """Return the record that a draft describes; raise SpecError, and OwnError.

    `own` is the record whose new version it is to be.
    """
    record = own_rules.read(draft.text)
    if own is not None and record.key != own.key:
        words = _("is %(known)s in every version: add another record for another key")
        raise SpecError("key", words, known=own.key)
    _refuse_taken_elements(organization, record)
    if not draft.reason:
        raise OwnError(
            "reason_missing", gettext("Say why in words: the audit keeps it.")
        )
    open_ones = sorted(set(own_rules.hosts_of(record)) - draft.hosts)
    if open_ones:
        told = gettext("Tick that you vouch for %(hosts)s: tokens are sent there.")
        raise OwnError("not_vouched", told % {"hosts": ", ".join(open_ones)})
    return record


def _refuse_taken_elements(organization: Organization, record: Provider) -> None:
    for key, known in book_of(organization).own.items():
        both = set(elements_of(known.provider)) & set(elements_of(record))
        if both and key != record.key:
            raise SpecError(
                "element_keys",
                ELEMENT_TAKEN,
                element=repr(min(both)),
                owner=known.provider.name,
            )


def add(organization: Organization, draft: Draft, *, hand: Hand) -> OwnProvider:
    """Add a record; one that was removed comes back with a new version.

    Raises SpecError and OwnError.
    """
    record = judged(organization, draft)
    mine = OwnProvider.objects.filter(organization=organization)
    if mine.filter(removed_at=None).count() >= MOST:
        words = gettext("An organization has %(most)s own records at most.")
        raise OwnError("too_many", words % {"most": MOST})
    action = (
        Action.OWN_PROVIDER_IMPORTED if draft.imported else Action.OWN_PROVIDER_ADDED
    )
    known = mine.filter(key=record.key).first()
    with transaction.atomic():
        own = _returned(known, hand) if known else _made(organization, record, hand)
        _add_version(own, record, draft, hand, action)
    return own


def _made(organization: Organization, record: Provider, hand: Hand) -> OwnProvider:
    try:
        with transaction.atomic():
            return OwnProvider.objects.create(
                organization=organization,
                key=record.key,
                name=record.name,
                made_at=hand.now,
                changed_at=hand.now,
            )
    except IntegrityError:
        raise _taken() from None


def _returned(known: OwnProvider, hand: Hand) -> OwnProvider:
    """Bring a removed record back, if it is removed."""
    gone = OwnProvider.objects.filter(
        pk=known.pk, version=known.version, removed_at__isnull=False
    )
    number = known.version + 1
    if gone.update(removed_at=None, version=number, changed_at=hand.now) != 1:
        raise _taken()
    known.refresh_from_db()
    return known


def _taken() -> OwnError:
    return OwnError(
        "key_taken",
        gettext(
            "The organization has a record of this key. Open that one and change it, or "
            "choose another key."
        ),
    )


def change(own: OwnProvider, draft: Draft, *, seen: int, hand: Hand) -> None:
    """Give a record a new version on top of version `seen`. Raises SpecError and OwnError."""
    action = (
        Action.OWN_PROVIDER_IMPORTED if draft.imported else Action.OWN_PROVIDER_CHANGED
    )
    _put(own, draft, seen, hand, action)


def restore(
    own: OwnProvider, number: int, draft: Draft, *, seen: int, hand: Hand
) -> None:
    """Give a record the text of an older version, as a new one. Raises SpecError and OwnError."""
    facts = {"restored_version": number}
    _put(own, draft, seen, hand, Action.OWN_PROVIDER_RESTORED, facts)


def _put(
    own: OwnProvider,
    draft: Draft,
    seen: int,
    hand: Hand,
    action: Action,
    facts: dict[str, Any] | None = None,
) -> None:
    record = judged(own.organization, draft, own)
    before = own.versions.get(number=own.version).text
    if before == draft.text:
        words = gettext("This is the current version, letter by letter.")
        raise OwnError("unchanged", words)
    with transaction.atomic():
        mine = OwnProvider.objects.filter(pk=own.pk, version=seen, removed_at=None)
        new = {"version": seen + 1, "name": record.name, "changed_at": hand.now}
        if mine.update(**new) != 1:
            raise OwnError(
                "changed_meanwhile",
                gettext(
                    "Somebody changed or removed this record meanwhile. Your text is still "
                    "here: compare it with the newest version, then save it again."
                ),
            )
        own.refresh_from_db()
        told = {**(facts or {}), **_forget_secrets(own, before, record)}
        _add_version(own, record, draft, hand, action, told)


def _forget_secrets(own: OwnProvider, before: str, record: Provider) -> dict[str, Any]:
    """Forget the client secrets that were typed for other addresses than the record has now.

    An owner can use a secret without knowing it; sending it to a place of their own would
    show it to them.
    """
    try:
        known = own_rules.places_of(own_rules.read(before))
    except SpecError:  # an older release took it
        known = frozenset()
    if own_rules.places_of(record) <= known:
        return {}
    mine = ProviderApp.objects.filter(
        organization=own.organization_id, provider_key=own.key
    )
    forgotten = [
        app for app in mine.select_for_update().order_by("pk") if app.client_secret
    ]
    for app in forgotten:
        app.client_secret, app.secret_set_at, app.secret_set_by_name = "", None, ""
        app.save(update_fields=["client_secret", "secret_set_at", "secret_set_by_name"])
    return {"secrets_forgotten": [app.name for app in forgotten]} if forgotten else {}


def _add_version(
    own: OwnProvider,
    record: Provider,
    draft: Draft,
    hand: Hand,
    action: Action,
    facts: dict[str, Any] | None = None,
) -> None:
    OwnProvider.objects.filter(pk=own.pk).update(name=record.name)
    own.name = record.name
    version = OwnProviderVersion(
        own=own,
        number=own.version,
        text=draft.text,
        hosts=list(own_rules.hosts_of(record)),
        why=draft.reason,
        made_at=hand.now,
        made_by_name=draft.by_name[:255],
    )
    version.save()
    told = {"record_digest": version.digest, "hosts": version.hosts, **(facts or {})}
    _record(action, own, hand, draft.reason, told)


def uses(own: OwnProvider) -> Uses:
    """Return what uses a record."""
    mine = {"organization": own.organization_id, "provider_key": own.key}
    return Uses(
        Instance.objects.filter(**mine).count(),
        ProviderApp.objects.filter(**mine).count(),
    )


def remove(own: OwnProvider, *, hand: Hand) -> None:
    """Remove a record that nothing uses; its versions are kept. Raises OwnError."""
    with transaction.atomic():
        mine = OwnProvider.objects.filter(
            pk=own.pk, version=own.version, removed_at=None
        )
        if mine.update(removed_at=hand.now) != 1:
            raise OwnError(
                "changed_meanwhile",
                gettext(
                    "Somebody changed or removed this record meanwhile. Look at it again."
                ),
            )
        if used := uses(own):
            raise OwnError("in_use", sentence_of(used))
        _record(Action.OWN_PROVIDER_REMOVED, own, hand, "", {})


def sentence_of(used: Uses) -> str:
    """Say what stands in the way of a removal."""
    instances = ui.things(used.instances, "instance", "instances")
    apps = ui.things(used.apps, "provider app", "provider apps")
    words = gettext(
        "%(instances)s and %(apps)s use this record, so it stays. Remove the apps, or give "
        "them another provider, and sync; then remove it."
    )
    return words % {"instances": instances, "apps": apps}


def _record(
    action: Action, own: OwnProvider, hand: Hand, why: str, facts: dict[str, Any]
) -> None:
    entry = Entry(
        action,
        hand.actor,
        Subject("own_provider", str(own.uid), own.name),
        provider_key=own.key,
        reason=why,
        facts={"record_version": own.version, **facts},
    )
    record_many(own.organization.chain, [entry], at=hand.now)


def hosts_in(text: Iterable[str]) -> frozenset[str]:
    """Return the hosts that a form or a command line names, one an entry."""
    return frozenset(one.strip() for one in text if one.strip())
