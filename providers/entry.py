"""Everything that is told of one record, in the order in which people ask; pages and docs draw it."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers import prose
from providers.choices import Life, Proof, Rotation, Verdict
from providers.samples import Samples, samples
from providers.spec import (
    Evidence,
    LifeAnswer,
    Match,
    Placeholder,
    Provider,
    RevokeAnswer,
)
from providers.told import coded, joined, quoted, told


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer of the provider and what it means."""

    status: str
    when: str  # what else has to hold, "" for nothing
    means: str
    documented: bool = True


@dataclass(frozen=True, slots=True)
class Value:
    """A part of an address that differs from account to account."""

    name: str
    meaning: str
    pattern: str
    default: str
    told_by: tuple[str, ...]  # entries of an instance's configuration


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact comes from."""

    kind: str
    text: str
    url: str  # "" where there is none
    read: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it is told."""

    provider: Provider
    does: str  # the first of the two sentences
    seen: str  # the second
    state: str
    verified: str
    warnings: tuple[str, ...]
    samples: Samples
    answers: tuple[AnswerRow, ...]  # to a revocation
    checks: tuple[tuple[str, tuple[AnswerRow, ...]], ...]
    hosts: tuple[str, ...]
    values: tuple[Value, ...]
    facts: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]


def entry(provider: Provider) -> Entry:
    """Return what is told of a record."""
    does, seen = prose.sentences(provider)
    return Entry(
        provider=provider,
        does=does,
        seen=seen,
        state=prose.state(provider),
        verified=prose.how_verified(provider),
        warnings=prose.warnings(provider),
        samples=samples(provider),
        answers=tuple(_revoke_row(one) for one in provider.revoke.answers),
        checks=tuple(_checks(provider)),
        hosts=tuple(_hosts(provider)),
        values=tuple(_value(*one) for one in provider.placeholders.items()),
        facts=tuple(fact for fact in _facts(provider) if fact[1]),
        sources=tuple(_source(one) for one in provider.sources),
    )


# Answers


def _revoke_row(answer: RevokeAnswer) -> AnswerRow:
    gone = answer.means == Verdict.ALREADY
    means = str(_PROOFS[answer.proof] if gone else _VERDICTS[answer.means])
    return AnswerRow(_statuses(answer), _when(answer.match), means, answer.documented)


def _checks(provider: Provider) -> Iterator[tuple[str, tuple[AnswerRow, ...]]]:
    for name, title in (
        ("verification", gettext("API call")),
        ("introspection", gettext("Introspection")),
    ):
        check = getattr(provider, name)
        if check:
            yield title, tuple(_life_row(answer) for answer in check.answers)


def _life_row(answer: LifeAnswer) -> AnswerRow:
    when = _when(answer.match)
    if answer.challenge:
        words = gettext("%(header)s asks for %(scheme)s")
        header, scheme = coded("WWW-Authenticate"), coded(answer.challenge)
        asked = told(words, header=header, scheme=scheme)
        both = gettext("%(when)s, and %(asked)s")
        when = told(both, when=when, asked=asked) if when else asked
    means = str(_LIVES[answer.means])
    if answer.compare:
        words = gettext("%(means)s, if the same call worked before")
        means = words % {"means": means}
    return AnswerRow(_statuses(answer), when, means)


def _statuses(answer: RevokeAnswer | LifeAnswer) -> str:
    return prose.listed([str(status) for status in answer.status], "or")


_VERDICTS: dict[Verdict, str | Promise] = {
    Verdict.REVOKED: _("Accepted: the token should be dead"),
    Verdict.REFUSED: _("Refused: the token is alive"),
    Verdict.THROTTLED: _("Too many calls: the token is alive"),
    Verdict.UNAVAILABLE: _("Out of order: the token is alive"),
    Verdict.UNCLEAR: _("Says nothing of the token"),
}
_PROOFS: dict[Proof, str | Promise] = {
    Proof.VERIFY: _("Perhaps dead already: the check decides"),
    Proof.TOKEN: _("This token is dead already"),
    Proof.GRANT: _("The grant is dead already"),
}
_LIVES: dict[Life, str | Promise] = {
    Life.DEAD: _("The token is dead"),
    Life.ALIVE: _("The token is alive"),
    Life.UNKNOWN: _("Says nothing of the token"),
}


def _when(conditions: tuple[Match, ...]) -> str:
    return _all(part for one in conditions for part in _condition(one))


def _all(parts: Iterable[str]) -> str:
    """Join what has to hold at once."""
    both = gettext("%(one)s and %(other)s")
    whole = ""
    for part in parts:
        whole = told(both, one=whole, other=part) if whole else part
    return whole


def _condition(match: Match) -> Iterator[str]:
    if match.empty is not None:
        empty = match.empty
        yield (
            gettext("the body is empty") if empty else gettext("the body is not empty")
        )
    if match.text:
        yield told(gettext("the body has “%(text)s”"), text=coded(match.text))
    place = coded(match.path) if match.path else gettext("the body")
    if match.equals:
        values = prose.listed([coded(_said(one)) for one in match.equals], "or")
        yield told(gettext("%(place)s is %(values)s"), place=place, values=values)
    if match.starts_with:
        start = coded(match.starts_with)
        yield told(gettext("%(place)s begins with %(start)s"), place=place, start=start)


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# Where calls go


def _hosts(provider: Provider) -> Iterator[str]:
    urls = [call.url for call in provider.calls().values()]
    yield from dict.fromkeys(urlsplit(url).netloc for url in urls if "://" in url)


def _value(name: str, place: Placeholder) -> Value:
    told = tuple(dict.fromkeys(source.key for source in place.sources))
    return Value(name, place.meaning, place.pattern.pattern, place.default, told)


# Facts


def _facts(provider: Provider) -> Iterator[tuple[str, str]]:
    revoke, consent = provider.revoke, provider.consent
    if provider.revocable:
        yield gettext("What dies"), str(revoke.effect.label)
        yield gettext("Who dies too"), str(provider.reach.label)
        yield gettext("Takes"), str(revoke.accepts.label)
    yield gettext("Access token afterwards"), _lives(revoke.access_lives_seconds)
    yield gettext("Seen everywhere"), _late(revoke.propagation_seconds)
    yield gettext("Refresh token when used"), _rotation(provider)
    yield gettext("Limits"), _limits(provider)
    yield gettext("Account"), _account(provider)
    yield gettext("Grants are given by"), str(provider.flow.label)
    yield gettext("One of these scopes is needed"), _names(consent.scopes)
    extras = (f"{name}={value}" for name, value in consent.extras.items())
    yield gettext("Added when a person consents"), _names(extras)
    yield gettext("Comes back beside the code"), _names(consent.callback)
    yield gettext("Elements"), _names(provider.element_keys)
    yield gettext("Related elements"), _names(provider.related_element_keys)
    label = str(provider.confidence.label)
    yield gettext("Confidence"), _noted(provider, label, provider.confidence_note)


def _names(names: Iterable[str]) -> str:
    return joined(coded(name) for name in names)


def _noted(provider: Provider, words: str, note: str) -> str:
    """Return words with what the record notes behind them."""
    return joined((words, quoted(note, provider.language)), ". ")


def _lives(seconds: float | None) -> str:
    if not seconds:
        return ""
    words = gettext("Works on for %(time)s at most")
    return words % {"time": prose.duration(seconds)}


def _late(seconds: float) -> str:
    if not seconds:
        return ""
    return capfirst(gettext("%(time)s later") % {"time": prose.duration(seconds)})


def _rotation(provider: Provider) -> str:
    known = provider.refresh_rotation != Rotation.UNKNOWN
    label = str(provider.refresh_rotation.label) if known else ""
    return _noted(provider, label, provider.refresh_rotation_note)


def _limits(provider: Provider) -> str:
    limits = provider.limits
    said = prose.limited(limits.rate, limits.concurrency)
    return _noted(provider, said, limits.note)


def _account(provider: Provider) -> str:
    if provider.identity:
        return told(
            gettext("%(member)s in the answer of %(address)s"),
            member=coded("/".join(provider.identity.account)),
            address=coded(_asked(provider)),
        )
    if provider.account_placeholder:
        words = gettext("%(entry)s of the instance's configuration")
        return told(words, entry=coded(f"{{{provider.account_placeholder}}}"))
    return ""


def _asked(provider: Provider) -> str:
    url = provider.identity.call.url if provider.identity else ""
    return url.partition("?")[0].removeprefix("https://")


# Sources

_KINDS: dict[str, str | Promise] = {
    "vendor_doc": _("Vendor's documentation"),
    "vendor_sdk": _("Vendor's SDK"),
    "vendor_code": _("Vendor's code"),
    "third_party_doc": _("Documentation of others"),
    "third_party_code": _("Code of others"),
    "library_source": _("Library"),
    "ce_docs": _("Documentation of Cloud Elements"),
    "user_seed": _("Starting point"),
    "aggregator": _("Aggregator"),
    "issue": _("Issue"),
    "library": _("Library"),
    "search": _("Search"),
    "standard": _("Standard"),
    "vendor": _("Vendor"),
    "vendor_forum": _("Vendor forum"),
    "general_knowledge": _("General knowledge"),
}
#: How a reference begins, and the page that it means. An address further on in the text may
#: be the call itself, which nobody should open by a click.
_PAGES = (
    (re.compile(r"(https://[^\s()]+[^\s().,;])"), "{}"),
    (re.compile(r"PyPI ([\w.-]+)"), "https://pypi.org/project/{}/"),
    (re.compile(r"npm (@?[\w./-]+)"), "https://www.npmjs.com/package/{}"),
)


def _source(evidence: Evidence) -> Source:
    plain = evidence.kind.replace("_", " ").capitalize()
    return Source(
        str(_KINDS.get(evidence.kind, plain)),
        evidence.ref,
        _page(evidence.ref),
        evidence.read,
    )


def _page(reference: str) -> str:
    for pattern, page in _PAGES:
        found = pattern.match(reference)
        if found:
            return page.format(found[1])
    return ""
