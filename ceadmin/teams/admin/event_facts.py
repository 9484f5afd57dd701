"""What the facts of events are called, as far as no app above names them.

Events keep the keys, which are English; a key that nobody names is shown as it is.
"""

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

#: Fact → what it is called on the audit's pages.
TITLES: dict[str, str | Promise] = {
    # what was changed, from what to what
    "account": pgettext_lazy("fact", "Account"),
    "after": pgettext_lazy("fact", "After"),
    "before": pgettext_lazy("fact", "Before"),
    "change": pgettext_lazy("fact", "Change"),
    "from": pgettext_lazy("fact", "From"),
    "provider_app": pgettext_lazy("fact", "Provider app"),
    "reason": pgettext_lazy("fact", "Reason"),
    "removed": pgettext_lazy("fact", "Removed"),
    # what was tried, and how often
    "accepted": pgettext_lazy("fact", "Accepted"),
    "act": pgettext_lazy("fact", "Act"),
    "count": pgettext_lazy("fact", "Count"),
    "counted_by": pgettext_lazy("fact", "Counted by"),
    "fields": pgettext_lazy("fact", "Fields"),
    "format": pgettext_lazy("fact", "Format"),
    "method": pgettext_lazy("fact", "Method"),
    "model": pgettext_lazy("fact", "Model"),
    "narrowed_by": pgettext_lazy("fact", "Narrowed by"),
    "not_recorded": pgettext_lazy("fact", "Not recorded"),
    "route": pgettext_lazy("fact", "Route"),
    "row": pgettext_lazy("fact", "Row"),
    "rows": pgettext_lazy("fact", "Rows"),
    "says": pgettext_lazy("fact", "Says"),
    "since": pgettext_lazy("fact", "Since"),
    "try": pgettext_lazy("fact", "Try"),
    "until": pgettext_lazy("fact", "Until"),
    "what": pgettext_lazy("fact", "What"),
    # people, and how they came in
    "active": pgettext_lazy("fact", "Active"),
    "address_fingerprint": pgettext_lazy("fact", "Address fingerprint"),
    "asked_by": pgettext_lazy("fact", "Asked by"),
    "copies": pgettext_lazy("fact", "Copies"),
    "forgotten": pgettext_lazy("fact", "Forgotten"),
    "left": pgettext_lazy("fact", "Left"),
    "names": pgettext_lazy("fact", "Names"),
    "network_fingerprint": pgettext_lazy("fact", "Network fingerprint"),
    "person": pgettext_lazy("fact", "Person"),
    "roles": pgettext_lazy("fact", "Roles"),
    "second_factor": pgettext_lazy("fact", "Second factor"),
    "superuser": pgettext_lazy("fact", "Superuser"),
    # runs and who approves them
    "digest": pgettext_lazy("fact", "Digest"),
    "drifted": pgettext_lazy("fact", "Drifted"),
    "needed": pgettext_lazy("fact", "Needed"),
    "note": pgettext_lazy("fact", "Note"),
    "options": pgettext_lazy("fact", "Options"),
    "outcomes": pgettext_lazy("fact", "Outcomes"),
    "without_approval": pgettext_lazy("fact", "Without approval"),
    # links, organizations, apps, limits
    "anyway": pgettext_lazy("fact", "Anyway"),
    "base_url": pgettext_lazy("fact", "Base url"),
    "brand": pgettext_lazy("fact", "Brand"),
    "callback_mode": pgettext_lazy("fact", "Callback mode"),
    "client_id": pgettext_lazy("fact", "Client id"),
    "concurrency": pgettext_lazy("fact", "Concurrency"),
    "confidence": pgettext_lazy("fact", "Confidence"),
    "checked": pgettext_lazy("fact", "Checked"),
    "domain": pgettext_lazy("fact", "Domain"),
    "element_key": pgettext_lazy("fact", "Element key"),
    "expires_at": pgettext_lazy("fact", "Expires at"),
    "finding": pgettext_lazy("fact", "Finding"),
    "ok": pgettext_lazy("fact", "Ok"),
    "rate": pgettext_lazy("fact", "Rate"),
    "reauthenticate_by": pgettext_lazy("fact", "Reauthenticate by"),
    "scope": pgettext_lazy("fact", "Scope"),
    "secret": pgettext_lazy("fact", "Secret"),
    "secret_expires_on": pgettext_lazy("fact", "Secret expires on"),
    "site": pgettext_lazy("fact", "Site"),
    # keys, checkpoints, the clock
    "back": pgettext_lazy("fact", "Back"),
    "chains": pgettext_lazy("fact", "Chains"),
    "command": pgettext_lazy("fact", "Command"),
    "is": pgettext_lazy("fact", "Is"),
    "key": pgettext_lazy("fact", "Key"),
    "newest": pgettext_lazy("fact", "Newest"),
    "problem": pgettext_lazy("fact", "Problem"),
    "remedy": pgettext_lazy("fact", "Remedy"),
    "resealed": pgettext_lazy("fact", "Resealed"),
    "signed": pgettext_lazy("fact", "Signed"),
    "unreadable": pgettext_lazy("fact", "Unreadable"),
    "was": pgettext_lazy("fact", "Was"),
}


def title_of(name: str) -> str:
    """Return what a fact is called that no app above names."""
    return str(TITLES.get(name) or name.replace("_", " ").capitalize())
