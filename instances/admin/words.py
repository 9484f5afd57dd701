"""What an item's stored words are called on its page: purposes of calls, and facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from instances.actions.causes import sentence
from instances.choices import AttemptState, Outcome, RunKind, RunStatus, meaning
from instances.models import Item
from instances.spoken import spoken

_Text = str | Promise

#: Purpose of a call → what it was made for. Words behind these are told as they are.
_PURPOSES: Mapping[str, _Text] = {
    "list": _("List the instances"),
    "list_detail": _("Read one instance of the list"),
    "read": _("Read the instance and its token"),
    "read_look": _("Read the instance by its id"),
    "read_before": _("Read the instance as it was"),
    "read_after": _("Read after"),
    "before": _("Does the token work?"),
    "revoke_refresh": _("Revoke the refresh token"),
    "revoke_access": _("Revoke the access token"),
    "verify_source": _("Is it dead at the provider?"),
    "verify_platform": _("Is it dead through the platform?"),
    "probe": _("Call through the instance"),
    "probe_look": _("Ask the platform why"),
    "alive": _("Does the instance work?"),
    "alive_look": _("Ask the platform why"),
    "address": _("Get the consent address"),
    "request_token": _("Get a request token"),
    "consent": _("Consent at the provider"),
    "reauthenticate": _("Hand in the new code"),
    "enable": _("Enable the instance again"),
    "identity": _("Whose account is it?"),
}

_SAID: Mapping[str, _Text] = {
    "revoked": _("Revoked"),
    "already": _("It was dead already"),
    "refused": _("Refused"),
    "throttled": _("Too many requests"),
    "unavailable": _("Not available"),
    "unclear": _("Nothing that can be relied on"),
    "lost": _("Nothing: the answer was lost"),
}
_SEEN: Mapping[str, _Text] = {
    "dead": _("Dead: the token no longer works"),
    "alive": _("Alive: the token still works"),
    "unknown": _("Not seen"),
}
_TOKENS: Mapping[str, _Text] = {
    "refresh": _("Refresh token"),
    "access": _("Access token"),
    "earlier": _("In an earlier try"),
}

#: Fact → (what it is called, what its words mean). Facts that only the program needs are "".
_FACTS: dict[str, tuple[_Text, Mapping[str, _Text]]] = {
    "revoked": ("", {}),
    "tokens": (_("Sent to the provider"), _TOKENS),
    "said": (_("The provider said"), _SAID),
    "source": (_("At the provider afterwards"), _SEEN),
    "platform": (_("Through the platform"), _SEEN),
    "account": (_("Account at the provider"), {}),
    "account_before": (_("Account before"), {}),
    "callback_before": (_("Callback address before"), {}),
    "not_verified": (
        _("Same account?"),
        {"True": _("Not known: the provider does not tell")},
    ),
    "lost": (_("Answer lost at"), {}),
    "changed": (_("Changed at the platform"), {}),
    "same_as_item": (_("Same grant as"), {}),
    "status": (_("Status of the answer"), {}),
    "code": (_("Reason"), {}),
    "excerpt": (_("Its words"), {}),
    "request_id": (_("Request id at the platform"), {}),
    "fingerprint": (_("Grant fingerprint"), {}),
    "until": (pgettext_lazy("fact", "Until"), {}),
    "refused": (pgettext_lazy("fact", "Refused"), {}),
    "retry_after": (pgettext_lazy("fact", "Retry after"), {}),
}

#: What a list that was exported was one of.
_TAKEN_OUT: Mapping[str, _Text] = {
    "instances": _("Instances"),
    "items": _("Items of a run"),
    "links": _("Reconnect links"),
}

#: The same of what stands in the audit only.
_AUDITED: dict[str, tuple[_Text, Mapping[str, _Text]]] = {
    "kind": (_("Kind of run"), {one.value: one.label for one in RunKind}),
    "purpose": (_("What for"), _PURPOSES),
    "to": (_("Sent to"), {}),
    "grant": (_("Fingerprint of the grant"), {}),
    "state": (
        _("Answer"),
        {one.value: one.label for one in AttemptState},
    ),
    "duration_ms": (_("Took, in milliseconds"), {}),
    "cause": (_("Reason"), {}),
    "record_version": (_("Version of the own record"), {}),
    "record_digest": (_("SHA-256 of the own record"), {}),
    "restored_version": (_("Says again what version"), {}),
    "hosts": (_("Hosts vouched for"), {}),
    "secrets_forgotten": (_("Apps whose secret is to be typed again"), {}),
    "selection_hash": (_("Hash of the frozen list"), {}),
    "connections": (_("Calls in flight at most"), {}),
    "total": (_("Instances"), {}),
    "what": (pgettext_lazy("fact", "What"), _TAKEN_OUT),
}


def purpose(word: str) -> str:
    """Return what a call was made for."""
    return str(_PURPOSES.get(word, word.replace("_", " ").capitalize()))


def fact_words() -> Iterator[tuple[str, str]]:
    """Yield what the audit's facts are called, and what they can be as `fact=word`."""
    for name, (title, meanings) in (_AUDITED | _FACTS).items():
        yield name, str(title)
        yield from ((f"{name}={word}", str(told)) for word, told in meanings.items())


def facts(item: Item) -> list[tuple[str, Any]]:
    """Return an item's facts in words and in the order in which they are asked for."""
    unseen = item.outcome in (Outcome.ACCEPTED, Outcome.UNCLEAR)
    kept = {
        name: value
        for name, value in item.facts.items()
        if unseen or value != "unknown"
    }
    return list(_told(kept))


def _told(stored: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    order = [*_FACTS, *(name for name in stored if name not in _FACTS)]
    for name in order:
        title, words = _FACTS.get(name, (name.replace("_", " ").capitalize(), {}))
        if title and stored.get(name) not in (None, "", []):
            yield str(title), _value(name, stored[name], words)


def _value(name: str, value: Any, words: Mapping[str, _Text]) -> Any:
    if name == "same_as_item":
        address = reverse("admin:instances_item_change", args=[value])
        told = gettext("another item of this run")
        return format_html('<a href="{}">{}</a>', address, told)
    if name in ("fingerprint", "refused", "request_id"):
        return format_html("<code>{}</code>", value)
    if name in ("excerpt", "code") and str(value) not in words:
        return format_html('<span translate="no">{}</span>', value)
    parts = value if isinstance(value, list) else [value]
    return ", ".join(str(words.get(str(part), part)) for part in parts)


def state(item: Item) -> str:
    """Return an item's outcome or status; nothing is queued in a run that was never started."""
    never = item.run.status == RunStatus.EXPIRED
    return item.outcome or (item.run.word if never else item.status)


def why(item: Item) -> str:
    """Return why an item ended as it did, in a sentence; "" when its outcome says it all."""
    told = item.explanation or sentence(item.cause)
    if told:
        return spoken(told)
    changed = item.facts.get("changed")
    if isinstance(changed, list):
        names = ", ".join(map(str, changed))
        return gettext("Changed: %(names)s") % {"names": names}
    return gettext(meaning(item.run.kind, item.outcome).sentence) if item.cause else ""


#: So many are named; more are counted.
_NAMED = 4


def listed(names: list[str]) -> str:
    """Return names in a row: a few, then how many others."""
    more = len(names) - _NAMED
    if more > 0:
        return gettext("%(names)s and %(others)s") % {
            "names": ", ".join(names[:_NAMED]),
            "others": ui.things(more, "other", "others"),
        }
    return ", ".join(names)


def lifetime(hours: int) -> str:
    """Return how long a reconnect link works: in days where they are whole."""
    days, rest = divmod(hours, 24)
    return ui.things(hours, "hour", "hours") if rest else ui.things(days, "day", "days")
