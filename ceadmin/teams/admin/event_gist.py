"""What an event came to, in a phrase for its row in the list: which facts tell it, and how they read together."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.teams.admin.event_words import in_words

#: Facts that tell an act apart from others of its kind, in the order in which they are read.
_TELLING: dict[str, tuple[str, ...]] = {
    Action.REVOKE_ANSWERED: ("state", "status", "code"),
    Action.LIST_EXPORTED: ("what", "rows"),
}
#: Facts that say what was before and what is after.
_CHANGES: dict[str, tuple[str, str]] = {
    Action.STATUS_CHANGED: ("from", "to"),
    Action.MEMBER_CHANGED: ("before", "after"),
}


def gist(event: Event) -> SafeString:
    """Return the phrase, "" where the act says it all, or the text is none any more."""
    names = _CHANGES.get(event.action) or _TELLING.get(event.action, ())
    facts = _facts(event) if names else {}
    told = [
        words
        for name in names
        if name in facts
        for _, words in in_words({name: facts[name]})
    ]
    between = " → " if event.action in _CHANGES else " · "
    return format_html_join(between, "{}", ((words,) for words in told))


def _facts(event: Event) -> Mapping[str, Any]:
    try:
        facts = json.loads(event.text).get("facts")
    except (ValueError, AttributeError):  # altered: the event's own page says so
        return {}
    return facts if isinstance(facts, dict) else {}
