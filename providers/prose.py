"""What a record says, in plain English: the same sentences on pages, in tables and in the docs."""

import re
from collections.abc import Iterable, Sequence

from providers.choices import (
    Accepts,
    Confidence,
    Effect,
    Life,
    Placement,
    Reach,
    Rotation,
    Supported,
    TokenKind,
)
from providers.spec import Check, LifeAnswer, Provider

#: A sentence of a record that may go on after a semicolon: it begins with no name.
_GOES_ON = re.compile(
    r"\. (An?|Access|All|Both|Either|It|Only|Other|Refresh|That|The|Theirs?|They|This) "
)
_NOTHING = re.compile(r"Nothing[^:]*: ")
_UNKNOWN = re.compile(r"Not known: ")


# Two sentences


def sentences(provider: Provider) -> tuple[str, str]:
    """Return what a revocation does there, and how it is known that the grant is dead.

    Where nothing can be called the second sentence says what a person does.
    """
    if not provider.revocable:
        return _no_call(provider), f"A person has to do it: {provider.manual_steps[0]}."
    return _dies(provider), f"{_sent(provider)}; {_proof(provider)}."


def _dies(provider: Provider) -> str:
    return _UNKNOWN.sub("What dies is not known: ", _joined(provider.kills))


def _no_call(provider: Provider) -> str:
    return _NOTHING.sub("No call revokes here: ", _joined(provider.kills))


def _joined(text: str) -> str:
    """Return one sentence of what may be two or three."""
    return _GOES_ON.sub(lambda found: f"; {found[1].lower()} ", text)


def _sent(provider: Provider) -> str:
    revoke = provider.revoke
    place = revoke.call.token.place if revoke.call else Placement.NONE
    if revoke.accepts == Accepts.ACCOUNT or place == Placement.NONE:
        return "The call names the account, and no token is sent"
    first, *others = revoke.order
    if place == Placement.SIGNED:
        return f"The call is signed with the {first.label.lower()}"
    if not others:
        return f"The {first.label.lower()} is sent"
    if takes_along(provider, first):
        return f"The {first.label.lower()} is sent, or the {others[0].label.lower()} where there is no other"
    return f"The {first.label.lower()} is sent, and then the {others[0].label.lower()}"


def takes_along(provider: Provider, kind: TokenKind) -> bool:
    """Say whether a token that is revoked takes the other one along."""
    revoke = provider.revoke
    if kind == TokenKind.REFRESH:
        return revoke.refresh_kills_access
    return revoke.access_kills_refresh


def _proof(provider: Provider) -> str:
    seen = _seen_dead(provider)
    if not seen:
        return "the provider can't be asked whether it is dead, so only Cloud Elements shows it"
    if lingers(provider):
        return f"the outcome is “expiring” until {seen}"
    late = provider.propagation_seconds
    delay = f", which can take {duration(late)}" if late else ""
    return f"the grant counts as dead once {seen}{_left(provider)}{delay}"


def _left(provider: Provider) -> str:
    """Say what else has to be seen where a refresh token is left that may make a new access token."""
    revoke = provider.revoke
    sent = TokenKind.REFRESH in revoke.order or revoke.accepts == Accepts.ACCOUNT
    none_left = sent or revoke.access_kills_refresh
    if none_left or provider.refresh_rotation == Rotation.NONE:
        return ""
    return " and, where there is a refresh token, calls through Cloud Elements fail too"


def lingers(provider: Provider) -> bool:
    """Say whether access tokens work on after a revocation until they end by themselves."""
    revoke = provider.revoke
    if revoke.access_lives_seconds is not None:
        return True
    only_refresh = tuple(revoke.order) == (TokenKind.REFRESH,)
    return only_refresh and not revoke.refresh_kills_access


def checks(provider: Provider) -> tuple[Check, ...]:
    """Return the ways to ask about an access token, the one that is asked first."""
    both = (provider.verification, provider.introspection)
    found = [one for one in both if one and one.accepts != Accepts.REFRESH]
    return tuple(sorted(found, key=lambda one: not one.preferred))


def _seen_dead(provider: Provider) -> str:
    asked = checks(provider)
    if not asked:
        return ""
    introspects = asked[0] is provider.introspection
    who = "its introspection" if introspects else "the provider's API"
    dead = [rule for rule in asked[0].answers if rule.means == Life.DEAD]
    return f"{who} {_dead_words(dead)}"


def _dead_words(dead: Sequence[LifeAnswer]) -> str:
    refused = [rule for rule in dead if min(rule.status) >= 400]
    if not refused:
        return "answers that the access token is not valid"
    plain = [rule for rule in refused if not rule.compare]
    words = f"refuses the access token with {_statuses(plain or refused)}"
    if not plain:
        return f"{words} and took it before"
    wary = [rule for rule in refused if rule.compare]
    return (
        f"{words}, or with {_statuses(wary)} after taking it before" if wary else words
    )


def _statuses(rules: Iterable[LifeAnswer]) -> str:
    return listed(
        sorted({str(status) for rule in rules for status in rule.status}), "or"
    )


# Words and warnings


def how_verified(provider: Provider) -> str:
    """Return in a word or two how a dead token is seen at the provider."""
    asked = checks(provider)
    if not asked:
        return "not at the provider"
    kinds = [
        "introspection" if one is provider.introspection else "API call"
        for one in asked
    ]
    return " or ".join(kinds)


def state(provider: Provider) -> str:
    """Return `on`, `off` (until an owner switches it on), or `by hand`."""
    if not provider.revocable:
        return "by hand"
    return "on" if provider.enabled_by_default else "off"


def warnings(provider: Provider) -> tuple[str, ...]:
    """Return what to know before a revocation there, the worst first."""
    found = []
    effect = _LIKE.get(provider.revoke.reach, provider.revoke.effect)
    if provider.revocable and effect in _WIDE:
        found.append(_WIDE[effect])
    if provider.confidence == Confidence.LOW:
        found.append(_LITTLE_KNOWN if provider.revocable else _MAY_BE_WRONG)
    if provider.revocable and provider.revoke.documented is not True:
        denied = provider.revoke.documented is False
        found.append(_UNDOCUMENTED if denied else _NOT_READ)
    elif provider.revocable and provider.revoke.supported == Supported.PARTIAL:
        found.append(_PARTLY)
    return tuple(found)


#: Where a record says itself how far it reaches, the effect that others know it by.
_LIKE: dict[Reach | None, Effect] = {
    Reach.TOKEN: Effect.TOKEN,
    Reach.GRANT: Effect.GRANT,
    Reach.ACCOUNT: Effect.CONNECTION,
    Reach.USER: Effect.USER_SESSIONS,
}
_WIDE: dict[Effect, str] = {
    Effect.USER_SESSIONS: "This signs the person out everywhere: their other apps, and other "
    "instances of theirs, lose access too.",
    Effect.APP_INSTALL: "This uninstalls the app from the customer's account: every instance "
    "of that account dies, and only the customer can install it again.",
    Effect.CONNECTION: "This ends the whole connection between the customer's account and "
    "the app: every instance of that account with this app dies.",
    Effect.GRANT: "This ends everything that the person gave this app: other instances that "
    "they connected with the same app die too.",
    Effect.UNKNOWN: "How much dies with it is not known: other instances of the same person "
    "may die too.",
}
_LITTLE_KNOWN = (
    "Little is known of this call: its sources are thin or contradict each other. Try it on "
    "an account of your own first."
)
_MAY_BE_WRONG = (
    "Little is known of this provider: there may be a call that was not found."
)
_UNDOCUMENTED = "The provider does not document this call."
_NOT_READ = "Whether the provider documents this call was not seen."
_PARTLY = "The call does more or less than ending one grant: read what dies."


# Parts of sentences


def duration(seconds: float) -> str:
    """Write how long something can take: about a minute, about 30 minutes, about an hour."""
    if seconds < 60:
        return f"about {round(seconds)} seconds"
    if seconds < 3600:
        minutes = round(seconds / 60)
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    hours = round(seconds / 3600)
    return "about an hour" if hours == 1 else f"about {hours} hours"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Join words as a sentence lists them: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"
