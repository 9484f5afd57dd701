"""What a draft kills, counted by the reach of it: a token, a grant, an installed app, all of a user's sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext, gettext_noop

from instances import runs
from instances.choices import DESTRUCTIVE
from instances.models import Run
from providers.book import book_of
from providers.choices import Effect, TokenKind
from providers.spec import Provider

#: In words for a count, those that reach furthest first.
_WORDS: dict[Effect, str] = {
    Effect.USER_SESSIONS: gettext_noop("all sessions of the user"),
    Effect.APP_INSTALL: gettext_noop("the whole installation of the app"),
    Effect.CONNECTION: gettext_noop("the company's whole connection"),
    Effect.GRANT: gettext_noop("everything that the user gave the app"),
    Effect.TOKEN_PAIR: gettext_noop("access and refresh token"),
    Effect.TOKEN: gettext_noop("the token that is sent"),
    Effect.UNKNOWN: gettext_noop("nobody knows how much"),
}


def kinds(run: Run, effects: Iterable[runs.Effect]) -> list[tuple[str, int]]:
    """Return what dies in words and of how many instances, what reaches furthest first."""
    if run.kind not in DESTRUCTIVE:
        return []
    counts: Counter[Effect] = Counter()
    book = book_of(run.organization)
    for effect in effects:
        record = book.find(effect.provider_key)
        if record and effect.possible:
            counts[_kind(record, run)] += effect.possible
    return [
        (gettext(words), counts[kind]) for kind, words in _WORDS.items() if counts[kind]
    ]


def _kind(record: Provider, run: Run) -> Effect:
    """Return what a record's revocation kills; where that depends on the token, of the one that goes first."""
    revoke = record.revoke
    if revoke.effect != Effect.DEPENDS:
        return revoke.effect if revoke.effect in _WORDS else Effect.UNKNOWN
    wanted = run.options.get("only") or next(iter(revoke.order), TokenKind.REFRESH)
    takes_both = {
        TokenKind.REFRESH: revoke.refresh_kills_access,
        TokenKind.ACCESS: revoke.access_kills_refresh,
    }
    return Effect.TOKEN_PAIR if takes_both[TokenKind(wanted)] else Effect.TOKEN
