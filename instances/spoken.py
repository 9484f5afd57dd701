"""What workers wrote down of runs, items and links, in the language of whoever reads it."""

from __future__ import annotations

from collections import Counter

from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ceadmin.lib import sayings
from instances import kept_elsewhere
from instances.actions import revoke, verdicts
from instances.actions.causes import sentence
from instances.choices import Outcome
from instances.engine import held
from instances.models import Part
from instances.runs.aftermath import WHY_PROBED
from instances.runs.ending import LEFT_OUT
from instances.runs.parts import commonest
from instances.runs.threshold import REASONS
from instances.runs.work import MAY_NO_LONGER

_SAYINGS = (
    *verdicts.SAYINGS,
    *REASONS,
    *kept_elsewhere.SAYINGS,
    *(revoke.OFF, held.PAUSED, LEFT_OUT, MAY_NO_LONGER, WHY_PROBED),
)
_BY_HAND = f" {revoke.BY_HAND.text.partition('%')[0]}"


def spoken(kept: str) -> str:
    """Return a kept sentence in the current language, in English where nobody knows it."""
    words, steps = _parted(kept)
    told = sayings.spoken(words, _SAYINGS)
    return f"{told} {revoke.BY_HAND.spoken(steps=steps)}" if steps else told


def drawn(kept: str) -> SafeString:
    """Draw a kept sentence; what of it is English in every language says that it is."""
    words, steps = _parted(kept)
    told = sayings.spoken(words, _SAYINGS)
    foreign = told == words and not _reads_english()
    first = _in_english(words) if words and foreign else format_html("{}", told)
    if not steps:
        return first
    before, _, after = revoke.BY_HAND.spoken(steps="\0").partition("\0")
    return format_html("{} {}{}{}", first, before, _in_english(steps), after)


def _parted(kept: str) -> tuple[str, str]:
    """Return what is said, and the record's steps for a person that stand behind it."""
    words, by_hand, steps = kept.partition(_BY_HAND)
    return (words, steps.removesuffix(".")) if by_hand else (kept, "")


def _reads_english() -> bool:
    return (translation.get_language() or "en").startswith("en")


def _in_english(text: str) -> SafeString:
    return format_html('<span lang="en">{}</span>', text)


def why_held(part: Part) -> str:
    """Return why a part is held, its outcomes counted in the current language."""
    cause = sentence(commonest(part))
    words = part.explanation.removesuffix(cause).strip()
    for saying in (held.FIRST, held.LAST):
        holes = saying.holes_of(words)
        if holes is not None:
            holes["outcomes"] = _outcomes(part, holes["outcomes"])
            return f"{saying.spoken(**holes)} {sayings.spoken(cause)}".strip()
    return spoken(part.explanation)


def _outcomes(part: Part, kept: str) -> str:
    """Return the outcomes of a part's evidence, in the order in which they are kept."""
    counts: Counter[str] = Counter(part.evidence.get("outcomes", {}))
    if not counts:
        return kept
    place = {one: kept.find(held.english_label(one)) for one in counts}
    ordered = sorted(counts.items(), key=lambda one: place[one[0]])
    return held.counted_outcomes((str(Outcome(one)), count) for one, count in ordered)
