"""What a record says, in plain words: the same sentences on pages, in tables and in the docs.

They are in the language that is active, but for what they quote of the record.
"""

import re
from collections.abc import Iterable, Sequence

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

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
from providers.told import Told, joined, quoted, told

#: A sentence of a record that may go on after a semicolon: it begins with no name.
_GOES_ON = re.compile(
    r"\. (An?|Access|All|Both|Either|It|Only|Other|Refresh|That|The|Theirs?|They|This) "
)
_NOTHING = re.compile(r"Nothing[^:]*: ")
_UNKNOWN = re.compile(r"Not known: ")
_TOKENS: dict[TokenKind, str | Promise] = {
    TokenKind.ACCESS: _("access token"),
    TokenKind.REFRESH: _("refresh token"),
}


# Two sentences


def sentences(provider: Provider) -> tuple[str, str]:
    """Return what a revocation does there, and how it is known that the grant is dead.

    Where nothing can be called the second sentence says what a person does.
    """
    if not provider.revocable:
        step = quoted(provider.manual_steps[0], provider.language)
        words = gettext("A person has to do it: %(step)s.")
        return _no_call(provider), told(words, step=step)
    words = gettext("%(sent)s; %(proof)s.")
    return _dies(provider), words % {"sent": _sent(provider), "proof": _proof(provider)}


def _dies(provider: Provider) -> Told:
    """Quote what dies, and say in the reader's words that it is not known."""
    words = gettext("What dies is not known: %(why)s")
    return _quoting(provider, _UNKNOWN, words)


def _no_call(provider: Provider) -> Told:
    words = gettext("No call revokes here: %(why)s")
    return _quoting(provider, _NOTHING, words)


def _quoting(provider: Provider, start: re.Pattern[str], words: str) -> Told:
    """Quote what dies, behind `words` in the place of how it starts."""
    kills = _joined(provider.kills)
    found = start.match(kills)
    why = quoted(kills[found.end() :] if found else kills, provider.language)
    return told(words, why=why) if found else why


def _joined(text: str) -> str:
    """Return one sentence of what may be two or three."""
    return _GOES_ON.sub(lambda found: f"; {found[1].lower()} ", text)


def _sent(provider: Provider) -> str:
    revoke = provider.revoke
    place = revoke.call.token.place if revoke.call else Placement.NONE
    if revoke.accepts == Accepts.ACCOUNT or place == Placement.NONE:
        return gettext("The call names the account, and no token is sent")
    first, *others = revoke.order
    names = {"first": token(first), "other": token(others[0]) if others else ""}
    if place == Placement.SIGNED:
        words = gettext("The call is signed with the %(first)s")
    elif not others:
        words = gettext("The %(first)s is sent")
    elif takes_along(provider, first):
        words = gettext(
            "The %(first)s is sent, or the %(other)s where there is no other"
        )
    else:
        words = gettext("The %(first)s is sent, and then the %(other)s")
    return words % names


def token(kind: TokenKind) -> str:
    """Return what a token is called within a sentence."""
    return str(_TOKENS[kind])


def takes_along(provider: Provider, kind: TokenKind) -> bool:
    """Say whether a token that is revoked takes the other one along."""
    revoke = provider.revoke
    if kind == TokenKind.REFRESH:
        return revoke.refresh_kills_access
    return revoke.access_kills_refresh


def _proof(provider: Provider) -> str:
    seen = _seen_dead(provider)
    if not seen:
        return gettext(
            "the provider can't be asked whether it is dead, so only Cloud Elements shows it"
        )
    if lingers(provider):
        return gettext("the outcome is “expiring” until %(seen)s") % {"seen": seen}
    if _leaves_refresh(provider):
        words = gettext(
            "the grant counts as dead once %(seen)s and, where there is a refresh token, "
            "calls through Cloud Elements fail too"
        )
    else:
        words = gettext("the grant counts as dead once %(seen)s")
    proof = words % {"seen": seen}
    late = provider.propagation_seconds
    if not late:
        return proof
    delayed = gettext("%(proof)s, which can take %(time)s")
    return delayed % {"proof": proof, "time": duration(late)}


def _leaves_refresh(provider: Provider) -> bool:
    """Say whether a refresh token is left that may make a new access token."""
    revoke = provider.revoke
    sent = TokenKind.REFRESH in revoke.order or revoke.accepts == Accepts.ACCOUNT
    none_left = sent or revoke.access_kills_refresh
    return not none_left and provider.refresh_rotation != Rotation.NONE


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
    who = gettext("its introspection") if introspects else gettext("the provider's API")
    dead = [rule for rule in asked[0].answers if rule.means == Life.DEAD]
    refused = [rule for rule in dead if min(rule.status) >= 400]
    plain = [rule for rule in refused if not rule.compare]
    wary = [rule for rule in refused if rule.compare]
    return _dead_words(plain, wary) % {
        "who": who,
        "plain": _statuses(plain),
        "wary": _statuses(wary),
    }


def _dead_words(plain: Sequence[LifeAnswer], wary: Sequence[LifeAnswer]) -> str:
    """Return the clause of a token that is refused, always or where it was taken before."""
    if plain and wary:
        return gettext(
            "%(who)s refuses the access token with %(plain)s, or with %(wary)s after "
            "taking it before"
        )
    if plain:
        return gettext("%(who)s refuses the access token with %(plain)s")
    if wary:
        return gettext(
            "%(who)s refuses the access token with %(wary)s and took it before"
        )
    return gettext("%(who)s answers that the access token is not valid")


def _statuses(rules: Iterable[LifeAnswer]) -> str:
    return listed(
        sorted({str(status) for rule in rules for status in rule.status}), "or"
    )


# Words and warnings


def how_verified(provider: Provider) -> str:
    """Return in a word or two how a dead token is seen at the provider."""
    asked = checks(provider)
    if not asked:
        return gettext("not at the provider")
    kinds = [
        gettext("introspection")
        if one is provider.introspection
        else gettext("API call")
        for one in asked
    ]
    return listed(kinds, "or")


def state(provider: Provider) -> str:
    """Return `on`, `off` (until an owner switches it on), or `by hand`: words for code."""
    if not provider.revocable:
        return "by hand"
    return "on" if provider.enabled_by_default else "off"


def warnings(provider: Provider) -> tuple[str, ...]:
    """Return what to know before a revocation there, the worst first."""
    found: list[str | Promise] = []
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
    return tuple(str(words) for words in found)


#: Where a record says itself how far it reaches, the effect that others know it by.
_LIKE: dict[Reach | None, Effect] = {
    Reach.TOKEN: Effect.TOKEN,
    Reach.GRANT: Effect.GRANT,
    Reach.ACCOUNT: Effect.CONNECTION,
    Reach.USER: Effect.USER_SESSIONS,
}
_WIDE: dict[Effect, str | Promise] = {
    Effect.USER_SESSIONS: _(
        "This signs the person out everywhere: their other apps, and other instances of "
        "theirs, lose access too."
    ),
    Effect.APP_INSTALL: _(
        "This uninstalls the app from the customer's account: every instance of that "
        "account dies, and only the customer can install it again."
    ),
    Effect.CONNECTION: _(
        "This ends the whole connection between the customer's account and the app: every "
        "instance of that account with this app dies."
    ),
    Effect.GRANT: _(
        "This ends everything that the person gave this app: other instances that they "
        "connected with the same app die too."
    ),
    Effect.UNKNOWN: _(
        "How much dies with it is not known: other instances of the same person may die "
        "too."
    ),
}
_LITTLE_KNOWN = _(
    "Little is known of this call: its sources are thin or contradict each other. Try it on "
    "an account of your own first."
)
_MAY_BE_WRONG = _(
    "Little is known of this provider: there may be a call that was not found."
)
_UNDOCUMENTED = _("The provider does not document this call.")
_NOT_READ = _("Whether the provider documents this call was not seen.")
_PARTLY = _("The call does more or less than ending one grant: read what dies.")


# Parts of sentences

_KILLED: dict[Effect, str | Promise] = {
    Effect.TOKEN: _("the token sent"),
    Effect.TOKEN_PAIR: _("access and refresh token"),
    Effect.GRANT: _("everything the user gave this app"),
    Effect.CONNECTION: _("the company's connection"),
    Effect.APP_INSTALL: _("the installed app"),
    Effect.USER_SESSIONS: _("all the user's sessions"),
    Effect.DEPENDS: _("depends on the token sent"),
    Effect.UNKNOWN: _("unknown"),
    Effect.NONE: _("nothing"),
}


def killed(effect: Effect) -> str:
    """Return what a revocation kills, as it stands within a sentence."""
    return str(_KILLED[effect])


def duration(seconds: float) -> str:
    """Write how long something can take: about a minute, about 30 minutes, about an hour."""
    if seconds < 60:
        count = round(seconds)
        words = ngettext("about a second", "about %(count)s seconds", count)
    elif seconds < 3600:
        count = round(seconds / 60)
        words = ngettext("about a minute", "about %(count)s minutes", count)
    else:
        count = round(seconds / 3600)
        words = ngettext("about an hour", "about %(count)s hours", count)
    return words % {"count": count}


def limited(rate: float | None, at_once: int | None) -> str:
    """Write how many calls something takes, "" where nothing is said: 20 calls a second, 5 at once."""
    said = []
    if rate:
        count = 1 if rate == 1 else 2  # of 0.5, too, there are several
        words = ngettext("%(rate)s call a second", "%(rate)s calls a second", count)
        said.append(words % {"rate": number_format(f"{rate:g}")})
    if at_once:
        said.append(gettext("%(count)s at once") % {"count": at_once})
    return ", ".join(said)


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Join words as a sentence lists them: a, b and c; or, with the joint "or", a, b or c."""
    if len(words) < 2:
        return words[0] if words else ""
    whole = gettext("%(words)s or %(last)s")
    if joint == "and":
        whole = gettext("%(words)s and %(last)s")
    return told(whole, words=joined(words[:-1]), last=words[-1])
