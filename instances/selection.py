"""Which instances a run is about: a versioned JSON document and the rows it means.

A document is either a list of rows (`{"version": 1, "instances": [pk, …]}` or
`{"version": 1, "remote_ids": ["471196", …]}`) or a filter whose parts all have to match
(`{"version": 1, "filter": {"status": ["connected"], "tag": ["eu"], "search": "acme"}}`).
Every question is asked of the rows of one organization, so a foreign id selects nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from ceadmin.lib.rows import among
from instances.choices import NEEDS_PERSON, NOT_WORKING, InstanceStatus
from instances.querysets import InstanceQuerySet

VERSION = 1

#: Filter name → the look-up it means. `search` is a question of its own.
LOOKUPS: dict[str, str] = {
    "status": "status__in",
    "provider": "provider_key__in",
    "element": "element_key__in",
    "app": "provider_app_id__in",
    "account": "account__in",
    "tag": "tags__name__in",
}


class BadSelection(ValueError):
    """The document does not say which rows; the text is a sentence for people, in English: it may be stored."""


def of_instances(pks: Iterable[int]) -> dict[str, Any]:
    """Return the document that means the rows with these primary keys."""
    return {"version": VERSION, "instances": sorted(set(pks))}


def of_remote_ids(remote_ids: Iterable[str]) -> dict[str, Any]:
    """Return the document that means the rows with these ids of the platform."""
    return {"version": VERSION, "remote_ids": sorted(set(remote_ids))}


def of_filter(parts: Mapping[str, Iterable[str] | str]) -> dict[str, Any]:
    """Return the document that means the rows matching all `parts`; raise BadSelection on an unknown name or value."""
    clean: dict[str, Any] = {}
    for name, value in parts.items():
        clean[name] = _part(name, value)
    return {"version": VERSION, "filter": clean}


def everything() -> dict[str, Any]:
    """Return the document that means every instance of the organization."""
    return of_filter({})


def _part(name: str, value: Iterable[str] | str) -> Any:
    if name == "search":
        if not isinstance(value, str):
            raise BadSelection(gettext_noop("The search has to be a text."))
        return value
    if name not in LOOKUPS:
        raise BadSelection(
            gettext_noop("There is no filter “%(name)s”. Known: %(known)s.")
            % {"name": name, "known": ", ".join([*LOOKUPS, "search"])}
        )
    values = [value] if isinstance(value, str) else list(value)
    if name == "status":
        values = _statuses(values)
    return sorted(set(values))


def _statuses(values: Iterable[str]) -> list[str]:
    """Return the statuses that are meant, those of `NOT_WORKING` one by one."""
    found: list[str] = []
    for value in values:
        if value not in (*InstanceStatus.values, NOT_WORKING):
            known = (*InstanceStatus.values, NOT_WORKING)
            raise BadSelection(
                gettext_noop("There is no status “%(name)s”. Known: %(known)s.")
                % {"name": value, "known": ", ".join(known)}
            )
        found += (
            [one.value for one in NEEDS_PERSON] if value == NOT_WORKING else [value]
        )
    return found


def narrow(own: InstanceQuerySet, document: Any) -> InstanceQuerySet:
    """Return those of `own` (one organization's instances) that `document` means; raise BadSelection when it is not one."""
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        raise BadSelection(
            gettext_noop(
                "This selection was made by another version of the product; select the rows again."
            )
        )
    if "instances" in document:
        return own.filter(among(own.model, "id", _numbers(document["instances"])))
    if "remote_ids" in document:
        ids = [str(one) for one in document["remote_ids"]]
        return own.filter(among(own.model, "remote_id", ids))
    if "filter" in document:
        return _matching(own, document["filter"])
    raise BadSelection(gettext_noop("The selection names neither rows nor a filter."))


def _numbers(values: Iterable[Any]) -> list[int]:
    try:
        return [int(value) for value in values]
    except (TypeError, ValueError) as error:
        raise BadSelection(
            gettext_noop("The selection holds something that is not a row number.")
        ) from error


def _matching(own: InstanceQuerySet, parts: Mapping[str, Any]) -> InstanceQuerySet:
    found = own
    for name, value in of_filter(parts)["filter"].items():
        found = (
            found.searched(value)
            if name == "search"
            else found.filter(**{LOOKUPS[name]: value})
        )
    return found.distinct() if "tag" in parts else found


def frozen_hash(instance_uids: Iterable[str]) -> str:
    """Return the SHA-256 over a frozen list of instance uids, one a line in the order given."""
    digest = hashlib.sha256()
    for uid in instance_uids:
        digest.update(uid.encode() + b"\n")
    return digest.hexdigest()
