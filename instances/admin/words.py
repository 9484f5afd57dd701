"""What an item's stored words are called on its page: purposes of calls, and facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from instances.actions.causes import sentence
from instances.choices import AttemptState, Outcome, RunKind, meaning
from instances.models import Item

#: Purpose of a call → what it was made for. Words behind these are told as they are.
_PURPOSES = {
    "list": "List the instances",
    "list_detail": "Read one instance of the list",
    "read": "Read the instance and its token",
    "read_look": "Read the instance by its id",
    "read_before": "Read the instance as it was",
    "before": "Does the token work?",
    "revoke_refresh": "Revoke the refresh token",
    "revoke_access": "Revoke the access token",
    "verify_source": "Is it dead at the provider?",
    "verify_platform": "Is it dead through the platform?",
    "probe": "Call through the instance",
    "probe_look": "Ask the platform why",
    "alive": "Does the instance work?",
    "alive_look": "Ask the platform why",
    "address": "Get the consent address",
    "request_token": "Get a request token",
    "consent": "Consent at the provider",
    "reauthenticate": "Hand in the new code",
    "enable": "Enable the instance again",
    "identity": "Whose account is it?",
}

_SAID = {
    "revoked": "Revoked",
    "already": "It was dead already",
    "refused": "Refused",
    "throttled": "Too many requests",
    "unavailable": "Not available",
    "unclear": "Nothing that can be relied on",
    "lost": "Nothing: the answer was lost",
}
_SEEN = {
    "dead": "Dead: the token no longer works",
    "alive": "Alive: the token still works",
    "unknown": "Not seen",
}
_TOKENS = {
    "refresh": "Refresh token",
    "access": "Access token",
    "earlier": "In an earlier try",
}

#: Fact → (what it is called, what its words mean). Facts that only the program needs are "".
_FACTS: dict[str, tuple[str, Mapping[str, str]]] = {
    "revoked": ("", {}),
    "tokens": ("Sent to the provider", _TOKENS),
    "said": ("The provider said", _SAID),
    "source": ("At the provider afterwards", _SEEN),
    "platform": ("Through the platform", _SEEN),
    "account": ("Account at the provider", {}),
    "account_before": ("Account before", {}),
    "callback_before": ("Callback address before", {}),
    "not_verified": (
        "Same account?",
        {"True": "Not known: the provider does not tell"},
    ),
    "lost": ("Answer lost at", {}),
    "changed": ("Changed at the platform", {}),
    "same_as_item": ("Same grant as", {}),
    "status": ("Status of the answer", {}),
    "code": ("Reason", {}),
    "excerpt": ("Its words", {}),
    "request_id": ("Request id at the platform", {}),
    "fingerprint": ("Grant fingerprint", {}),
}

#: The same of what stands in the audit only.
_AUDITED: dict[str, tuple[str, Mapping[str, str]]] = {
    "kind": ("Kind of run", {one.value: str(one.label) for one in RunKind}),
    "purpose": ("What for", _PURPOSES),
    "to": ("Sent to", {}),
    "grant": ("Fingerprint of the grant", {}),
    "state": (
        "Answer",
        {one.value: str(one.label) for one in AttemptState},
    ),
    "duration_ms": ("Took, in milliseconds", {}),
    "cause": ("Reason", {}),
    "record_version": ("Version of the own record", {}),
    "record_digest": ("SHA-256 of the own record", {}),
    "restored_version": ("Says again what version", {}),
    "hosts": ("Hosts vouched for", {}),
    "secrets_forgotten": ("Apps whose secret is to be typed again", {}),
    "selection_hash": ("Hash of the frozen list", {}),
    "connections": ("Calls in flight at most", {}),
    "total": ("Instances", {}),
}


def purpose(word: str) -> str:
    """Return what a call was made for."""
    return _PURPOSES.get(word, word.replace("_", " ").capitalize())


def fact_words() -> Iterator[tuple[str, str]]:
    """Yield what the audit's facts are called, and what they can be as `fact=word`."""
    for name, (title, meanings) in (_AUDITED | _FACTS).items():
        yield name, title
        yield from ((f"{name}={word}", told) for word, told in meanings.items())


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
            yield title, _value(name, stored[name], words)


def _value(name: str, value: Any, words: Mapping[str, str]) -> Any:
    if name == "same_as_item":
        address = reverse("admin:instances_item_change", args=[value])
        return format_html('<a href="{}">another item of this run</a>', address)
    if name == "fingerprint":
        return format_html("<code>{}</code>", value)
    parts = value if isinstance(value, list) else [value]
    return ", ".join(words.get(str(part), str(part)) for part in parts)


def why(item: Item) -> str:
    """Return why an item ended as it did, in a sentence; "" when its outcome says it all."""
    if item.explanation or sentence(item.cause):
        return item.explanation or sentence(item.cause)
    changed = item.facts.get("changed")
    if isinstance(changed, list):
        return f"Changed: {', '.join(map(str, changed))}"
    return meaning(item.run.kind, item.outcome).sentence if item.cause else ""
