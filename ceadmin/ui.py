"""How states, times and numbers look: the same on every page, in lists, receipts and mail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _


class Tone(StrEnum):
    """What a state means for the reader; the style sheet turns it into a colour."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    STRONG = "strong"  # still dangerous: filled, and first in a list
    REVOKED = "revoked"
    MUTED = "muted"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class Look:
    """How one state is shown: never by colour alone."""

    tone: Tone
    icon: str
    label: str | Promise


_OK, _WARN, _BAD, _STRONG = Tone.OK, Tone.WARN, Tone.BAD, Tone.STRONG
_REVOKED, _MUTED, _ACTIVE = Tone.REVOKED, Tone.MUTED, Tone.ACTIVE

#: Every status and outcome of the product. A word means the same wherever it stands, so
#: one table is enough.
LOOKS: dict[str, Look] = {
    # instances, and what a probe finds
    "unknown": Look(_MUTED, "question", _("Unknown")),
    "connected": Look(_OK, "check", _("Connected")),
    "degraded": Look(_WARN, "wave", _("Degraded")),
    "needs_reauth": Look(_BAD, "broken-link", _("Needs reauthentication")),
    "revoked": Look(_REVOKED, "key-bar", _("Revoked")),
    "disabled": Look(_MUTED, "pause", _("Disabled")),
    "missing": Look(_MUTED, "dotted-circle", _("Missing")),
    "dead": Look(_BAD, "broken-link", _("Dead")),
    "transient": Look(_WARN, "wave", _("Temporarily failing")),
    "not_supported": Look(_MUTED, "minus", _("Cannot be probed")),
    # runs, chunks, items
    "draft": Look(_MUTED, "pencil", _("Draft")),
    "planning": Look(_ACTIVE, "ring", _("Planning")),
    "queued": Look(_MUTED, "clock", _("Queued")),
    "claimed": Look(_ACTIVE, "ring", _("Claimed")),
    "running": Look(_ACTIVE, "ring", _("Running")),
    "waiting": Look(_ACTIVE, "person", _("Waiting")),
    "paused": Look(_WARN, "pause", _("Paused")),
    "stopping": Look(_WARN, "stop", _("Stopping")),
    "stopped": Look(_MUTED, "stop", _("Stopped")),
    "finished": Look(_OK, "check", _("Finished")),
    "done": Look(_OK, "check", _("Done")),
    "failed": Look(_BAD, "cross-circle", _("Failed")),
    "expired": Look(_MUTED, "clock", _("Expired")),
    "discarded": Look(_MUTED, "minus", _("Discarded")),
    # what becomes of a question to the approvers
    "approval_waiting": Look(_ACTIVE, "person", _("Waiting for approval")),
    "approval_approved": Look(_OK, "check", _("Approved")),
    "approval_refused": Look(_BAD, "cross-circle", _("Approval refused")),
    "approval_withdrawn": Look(_MUTED, "minus", _("Withdrawn")),
    "approval_expired": Look(_MUTED, "clock", _("Approval expired")),
    "approval_void": Look(_WARN, "warning", _("Approval void")),
    "approval_used": Look(_OK, "check", _("Approved")),
    "without_approval": Look(_STRONG, "warning", _("Without approval")),
    "reviewed_later": Look(_WARN, "check", _("Reviewed afterwards")),
    # what becomes of an invitation
    "invitation_usable": Look(_ACTIVE, "person", _("Waiting")),
    "invitation_used": Look(_OK, "check", _("Accepted")),
    "invitation_withdrawn": Look(_MUTED, "minus", _("Withdrawn")),
    "invitation_expired": Look(_MUTED, "clock", _("Expired")),
    "invitation_void": Look(_WARN, "warning", _("Void")),
    # the part of one provider in a run
    "canary": Look(_ACTIVE, "ring", _("Trying a few")),
    "open": Look(_ACTIVE, "play", _("Open")),
    "held": Look(_STRONG, "pause", _("Held")),
    "left_out": Look(_MUTED, "minus", _("Left out")),
    # attempts
    "intended": Look(_ACTIVE, "ring", _("Intended")),
    "answered": Look(_OK, "check", _("Answered")),
    "not_sent": Look(_WARN, "minus", _("Not sent")),
    "lost": Look(_STRONG, "question", _("Answer lost")),
    # what a revocation came to
    "verified_dead": Look(_REVOKED, "key-bar", _("Verified dead")),
    "accepted": Look(_REVOKED, "check", _("Accepted, not verifiable")),
    "already_dead": Look(_REVOKED, "minus", _("Already dead")),
    "expiring": Look(_WARN, "clock", _("Expiring")),
    "still_alive": Look(_STRONG, "warning", _("Still alive")),
    "refused": Look(_STRONG, "warning", _("Refused")),
    "unsupported": Look(_WARN, "person", _("Unsupported")),
    "nothing_to_revoke": Look(_MUTED, "minus", _("Nothing to revoke")),
    # what became of a reconnection
    "reconnected": Look(_OK, "check", _("Reconnected")),
    "denied": Look(_BAD, "cross-circle", _("Denied")),
    "wrong_account": Look(_BAD, "swap", _("Wrong account")),
    "still_dead": Look(_BAD, "broken-link", _("Still dead")),
    "not_alive": Look(_BAD, "broken-link", _("Not alive at the start")),
    "made": Look(_ACTIVE, "link", _("Made")),
    "opened": Look(_ACTIVE, "person", _("Opened")),
    "consented": Look(_ACTIVE, "ring", _("Consented")),
    # how well a provider is known, and whether it is called
    "confidence_high": Look(_OK, "check", _("High")),
    "confidence_medium": Look(_MUTED, "check", _("Medium")),
    "confidence_low": Look(_WARN, "warning", _("Low")),
    "provider_on": Look(_OK, "check", _("On")),
    "provider_off": Look(_WARN, "pause", _("Off")),
    "by_hand": Look(_MUTED, "person", _("By hand")),
    # what a sync found
    "new": Look(_OK, "plus", _("New")),
    "changed": Look(_ACTIVE, "pencil", _("Changed")),
    "unchanged": Look(_MUTED, "check", _("Unchanged")),
    "vanished": Look(_BAD, "dotted-circle", _("Vanished")),
    # anything
    "misconfigured": Look(_BAD, "warning", _("Misconfigured")),
    "unclear": Look(_STRONG, "question", _("Unclear")),
    "skipped": Look(_MUTED, "minus", _("Skipped")),
    "cancelled": Look(_MUTED, "cross-circle", _("Cancelled")),
    # why a sign-in was refused, and why sessions ended
    "bad_password": Look(_WARN, "warning", _("Wrong password")),
    "bad_code": Look(_WARN, "warning", _("Wrong code")),
    "bad_answer": Look(_WARN, "warning", _("Wrong answer")),
    "too_many": Look(_BAD, "lock", _("Too many tries")),
    "not_staff": Look(_WARN, "lock", _("No use of the admin")),
    "asked": Look(_MUTED, "person", _("Asked for")),
    "session_limit": Look(_MUTED, "minus", _("Too many sessions")),
    "password_changed": Look(_MUTED, "lock", _("Password changed")),
    "account_closed": Look(_MUTED, "lock", _("Account closed")),
    "factor_set": Look(_OK, "check", _("Second factor set up")),
    "factor_reset": Look(_WARN, "warning", _("Second factor taken away")),
    # plain answers and messages
    "yes": Look(_OK, "check", _("Yes")),
    "no": Look(_MUTED, "minus", _("No")),
    "success": Look(_OK, "check-circle", _("Done")),
    "info": Look(_ACTIVE, "info", _("Note")),
    "debug": Look(_MUTED, "info", _("Note")),
    "warning": Look(_WARN, "warning", _("Warning")),
    "error": Look(_BAD, "cross-circle", _("Error")),
}


def look(value: object) -> Look:
    """Return how `value` is shown; a word that nobody registered is shown plainly."""
    word = str(value)
    plain = Look(Tone.MUTED, "question", word.replace("_", " ").capitalize())
    return LOOKS.get(word, plain)


def icon(name: str, css: str = "icon") -> SafeString:
    """Draw one icon of the sprite; a word must stand beside it."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("ceadmin/icons.svg"),
        name,
    )


def pill(value: object, label: str | Promise = "") -> SafeString:
    """Draw a status: word, icon and colour. An empty value draws a dash."""
    if value is None or value == "":
        return format_html('<span class="none">{}</span>', "–")
    seen = look(value)
    return format_html(
        '<span class="pill pill-{}">{}{}</span>',
        seen.tone.value,
        icon(seen.icon),
        label or seen.label,
    )


def number(value: float) -> str:
    """Write a number as people of the current language read it: 12,431."""
    return number_format(value, use_l10n=True, force_grouping=True)


_UNITS = (
    (timedelta(days=365), _("%(count)d y")),
    (timedelta(days=30), _("%(count)d mo")),
    (timedelta(days=1), _("%(count)d d")),
    (timedelta(hours=1), _("%(count)d h")),
    (timedelta(minutes=1), _("%(count)d min")),
)


def short_duration(delta: timedelta) -> str:
    """Write how long something took or lasted, in its largest unit: 3 d, 2 h, 41 s."""
    for unit, words in _UNITS:
        if delta >= unit:
            return str(words) % {"count": delta // unit}
    return gettext("%(count)d s") % {"count": int(delta.total_seconds())}


def roughly(delta: timedelta) -> str:
    """Write how long something will take, as people say it: 40 seconds, 12 minutes, 28 hours."""
    seconds = max(delta.total_seconds(), 1)
    if seconds < 90:
        count = round(seconds) if seconds < 10 else 5 * round(seconds / 5)
        return things(count, "second", "seconds")
    if seconds < 90 * 60:
        return things(round(seconds / 60), "minute", "minutes")
    if seconds < 48 * 60 * 60:
        return things(round(seconds / 3600), "hour", "hours")
    return things(round(seconds / 86400), "day", "days")


def per_second(rate: float) -> str:
    """Write how many a second: 4,012/s, 12/s, 0.4/s; of less than one in ten seconds how many a minute."""
    if rate < 0.1:
        return gettext("%(number)s/min") % {"number": _plain(60 * rate)}
    return gettext("%(number)s/s") % {"number": _plain(rate)}


def _plain(value: float) -> str:
    """Write a number with at most one digit behind the point, and with none from ten on."""
    shown = round(value) if value >= 10 else round(value, 1)
    return number(int(shown) if shown == int(shown) else shown)


def absolute(moment: datetime) -> str:
    """Write a moment in full, in the reader's time zone, which it names."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'MOMENT_FORMAT')} {zone_name(local)}"


#: Short names of time zones that some languages have their own for.
_ZONES = {
    "WET": _("WET"),
    "WEST": _("WEST"),
    "CET": _("CET"),
    "CEST": _("CEST"),
    "EET": _("EET"),
    "EEST": _("EEST"),
}


def zone_name(moment: datetime) -> str:
    """Return what people call the time zone of a moment: UTC, CET, +0530."""
    name = moment.tzname() or ""
    return str(_ZONES.get(name, name))


def relative(moment: datetime, now: datetime) -> str:
    """Write a moment as seen from `now`: 2 h ago, in 3 d, just now."""
    delta = now - moment
    if abs(delta) < timedelta(seconds=10):
        return gettext("just now")
    if delta < timedelta():
        return gettext("in %(time)s") % {"time": short_duration(-delta)}
    return gettext("%(time)s ago") % {"time": short_duration(delta)}


def when(moment: datetime | None, now: datetime, *, bare: bool = False) -> SafeString:
    """Draw a moment relatively, the full time on hover and in print.

    `bare` leaves out "ago", for columns such as "Since".
    """
    if moment is None:
        return format_html('<span class="none">{}</span>', "–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="seconds"),
        absolute(moment),
        short_duration(abs(now - moment)) if bare else relative(moment, now),
    )


def things(count: int, one: str, many: str) -> str:
    """Write a counted thing: 1 run, 12,431 runs."""
    return f"{number(count)} {ngettext(one, many, count)}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar: so many of `label`, and where exactly these are listed."""

    label: str
    count: int
    tone: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A segment with its place, in percent of the bar's width."""

    segment: Segment
    x: str
    width: str


def stack(segments: Iterable[Segment]) -> Iterator[Bar]:
    """Place segments beside each other; what exists stays visible, however small."""
    present: Sequence[Segment] = [one for one in segments if one.count > 0]
    floor = 0.8  # percent
    total = sum(one.count for one in present)
    widths = [max(100 * one.count / total, floor) for one in present] if total else []
    shrink, x = 100 / sum(widths) if widths else 1, 0.0
    for one, width in zip(present, widths, strict=True):
        yield Bar(one, f"{x:.3f}%", f"{width * shrink:.3f}%")
        x += width * shrink
