"""Everything that is told of one record, in the order in which people ask; pages and docs draw it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers import prose
from providers.choices import Life, Proof, Rotation, Verdict
from providers.samples import Samples, samples
from providers.spec import (
    Evidence,
    LifeAnswer,
    Limits,
    Match,
    Placeholder,
    Provider,
    RevokeAnswer,
)


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
    means = _PROOFS[answer.proof] if gone else _VERDICTS[answer.means]
    return AnswerRow(_statuses(answer), _when(answer.match), means, answer.documented)


def _checks(provider: Provider) -> Iterator[tuple[str, tuple[AnswerRow, ...]]]:
    for name, title in (
        ("verification", "API call"),
        ("introspection", "Introspection"),
    ):
        check = getattr(provider, name)
        if check:
            yield title, tuple(_life_row(answer) for answer in check.answers)


def _life_row(answer: LifeAnswer) -> AnswerRow:
    when = _when(answer.match)
    if answer.challenge:
        asked = f"WWW-Authenticate asks for {answer.challenge}"
        when = f"{when}, and {asked}" if when else asked
    means = _LIVES[answer.means]
    if answer.compare:
        means = f"{means}, if the same call worked before"
    return AnswerRow(_statuses(answer), when, means)


def _statuses(answer: RevokeAnswer | LifeAnswer) -> str:
    return prose.listed([str(status) for status in answer.status], "or")


_VERDICTS: dict[Verdict, str] = {
    Verdict.REVOKED: "Accepted: the token should be dead",
    Verdict.REFUSED: "Refused: the token is alive",
    Verdict.THROTTLED: "Too many calls: the token is alive",
    Verdict.UNAVAILABLE: "Out of order: the token is alive",
    Verdict.UNCLEAR: "Says nothing of the token",
}
_PROOFS: dict[Proof, str] = {
    Proof.VERIFY: "Perhaps dead already: the check decides",
    Proof.TOKEN: "This token is dead already",
    Proof.GRANT: "The grant is dead already",
}
_LIVES: dict[Life, str] = {
    Life.DEAD: "The token is dead",
    Life.ALIVE: "The token is alive",
    Life.UNKNOWN: "Says nothing of the token",
}


def _when(conditions: tuple[Match, ...]) -> str:
    return " and ".join(_condition(one) for one in conditions)


def _condition(match: Match) -> str:
    words = []
    if match.empty is not None:
        words.append("the body is empty" if match.empty else "the body is not empty")
    if match.text:
        words.append(f"the body has “{match.text}”")
    place = match.path or "the body"
    if match.equals:
        words.append(
            f"{place} is {prose.listed([_said(one) for one in match.equals], 'or')}"
        )
    if match.starts_with:
        words.append(f"{place} begins with {match.starts_with}")
    return " and ".join(words)


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
    yield "What dies", str(revoke.effect.label) if provider.revocable else ""
    yield "Who dies too", str(provider.reach.label) if provider.revocable else ""
    yield "Takes", str(revoke.accepts.label) if provider.revocable else ""
    yield "Access token afterwards", _lives(revoke.access_lives_seconds)
    late = revoke.propagation_seconds
    yield (
        "Seen everywhere",
        f"{prose.duration(late)} later".capitalize() if late else "",
    )
    yield "Refresh token when used", _rotation(provider)
    yield "Limits", _limits(provider.limits)
    yield "Account", _account(provider)
    yield "Grants are given by", str(provider.flow.label)
    yield "One of these scopes is needed", ", ".join(consent.scopes)
    extras = (f"{name}={value}" for name, value in consent.extras.items())
    yield "Added when a person consents", ", ".join(extras)
    yield "Comes back beside the code", ", ".join(consent.callback)
    yield "Elements", ", ".join(provider.element_keys)
    yield "Related elements", ", ".join(provider.related_element_keys)
    note = f". {provider.confidence_note}" if provider.confidence_note else ""
    yield "Confidence", f"{provider.confidence.label}{note}"


def _lives(seconds: float | None) -> str:
    return f"Works on for {prose.duration(seconds)} at most" if seconds else ""


def _rotation(provider: Provider) -> str:
    known = provider.refresh_rotation != Rotation.UNKNOWN
    label = str(provider.refresh_rotation.label) if known else ""
    return ". ".join(one for one in (label, provider.refresh_rotation_note) if one)


def _limits(limits: Limits) -> str:
    rate = f"{limits.rate:g} calls a second" if limits.rate else ""
    at_once = f"{limits.concurrency} at once" if limits.concurrency else ""
    said = ", ".join(one for one in (rate, at_once) if one)
    return ". ".join(one for one in (said, limits.note) if one)


def _account(provider: Provider) -> str:
    if provider.identity:
        return (
            f"{'/'.join(provider.identity.account)} in the answer of {_asked(provider)}"
        )
    if provider.account_placeholder:
        return f"{{{provider.account_placeholder}}} of the instance's configuration"
    return ""


def _asked(provider: Provider) -> str:
    url = provider.identity.call.url if provider.identity else ""
    return url.partition("?")[0].removeprefix("https://")


# Sources

_KINDS = {
    "vendor_doc": "Vendor's documentation",
    "vendor_sdk": "Vendor's SDK",
    "vendor_code": "Vendor's code",
    "third_party_doc": "Documentation of others",
    "third_party_code": "Code of others",
    "library_source": "Library",
    "ce_docs": "Documentation of Cloud Elements",
    "user_seed": "Starting point",
    "general_knowledge": "General knowledge",
}
#: How a reference begins, and the page that it means. An address further on in the text may
#: be the call itself, which nobody should open by a click.
_PAGES = (
    (re.compile(r"(https://[^\s()]+[^\s().,;])"), "{}"),
    (re.compile(r"PyPI ([\w.-]+)"), "https://pypi.org/project/{}/"),
    (re.compile(r"npm (@?[\w./-]+)"), "https://www.npmjs.com/package/{}"),
)


def _source(evidence: Evidence) -> Source:
    kind = _KINDS.get(evidence.kind) or evidence.kind.replace("_", " ").capitalize()
    return Source(kind, evidence.ref, _page(evidence.ref), evidence.read)


def _page(reference: str) -> str:
    for pattern, page in _PAGES:
        found = pattern.match(reference)
        if found:
            return page.format(found[1])
    return ""
