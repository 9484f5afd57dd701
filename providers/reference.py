"""docs/providers.md: the catalogue as one page for people outside the product.

It is made of the records alone, in a fixed order, in English and without today's date, so that
the same records always make the same bytes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from django.utils import translation

from providers.entry import AnswerRow, Entry, Source, Value, entry
from providers.samples import Variable
from providers.spec import Provider

_HEAD = """\
<!-- Made of providers/data by `manage.py check_providers --write docs/providers.md`.
     Change a record and write the page anew; a test compares the two. -->

# How grants are revoked, provider by provider

What it takes to end the access that somebody gave to an OAuth app, at {total} providers: the call, what
dies with it, how to see that it is dead, and what a person does where nothing can be called. {callable} can
be called, {off} of these with so much doubt or so wide an effect that ceadmin calls them only once an
owner has switched them on; at {by_hand} a person has to do it.

It is all data, one file for each provider in [`providers/data`](../providers/data); [adding
one](how-to-add-a-provider.md) is writing such a file. A fact that is wrong here is wrong there.

## How to read it

* **A yes is no proof.** RFC 7009 answers 200 to any token, a dead or a wrong one too. So each provider has
  a call that shows whether the token is dead. Where the same answer can also mean a missing scope, it
  counts only if the call worked before.
* **Everywhere alike:** 429 and 5xx mean that the token is alive and the call is to be repeated later; a
  redirect or a page of HTML means nothing; `invalid_client` and `unauthorized_client` speak of the app's
  credentials and never of the token.
* **Confidence:** high where the vendor's text or code was read, medium where several sources agree, low
  where neither is so. Each source says whether it was read. Facts are checked anew when they are older
  than a year; `manage.py check_providers` tells which.
* **The requests** are what ceadmin sends, written by the same code, with shell variables instead of values:
  set those, and the command can be run. In an address a value has to be percent-encoded where it holds
  more than letters, digits, `-`, `.`, `_` and `~`. `--user` sends id and secret as they are, while RFC 6749
  §2.3.1 wants both form-encoded first; that matters where they hold such characters.
* **Hosts:** a part that differs from account to account has to match its pattern whole before a token is
  sent there.

`ACCESS_TOKEN`, `REFRESH_TOKEN`, `CLIENT_ID` and `CLIENT_SECRET` are those of the grant and of the app that it was
given to; what else a request needs is said with it.

## All of them
"""


def page(providers: Iterable[Provider]) -> str:
    """Return the page of these records, in their order, as Markdown."""
    with translation.override("en"):
        return _page(providers)


def _page(providers: Iterable[Provider]) -> str:
    entries = [entry(provider) for provider in providers]
    states = [one.state for one in entries]
    head = _HEAD.format(
        total=len(entries),
        callable=len(entries) - states.count("by hand"),
        off=states.count("off"),
        by_hand=states.count("by hand"),
    )
    parts = [head, _table(_COLUMNS, map(_row, entries)), *map(_section, entries)]
    return "\n".join(parts) + "\n"


def anchor(heading: str) -> str:
    """Return what a heading is linked by, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


_COLUMNS = (
    *("Provider", "Revocation", "What dies", "Seen dead by"),
    *("Confidence", "Checked", "Key"),
)
_CALLED = {"on": "call", "off": "call, off at first", "by hand": "by hand"}


def _row(one: Entry) -> tuple[str, ...]:
    record = one.provider
    return (
        f"[{record.name}](#{anchor(record.name)})",
        _CALLED[one.state],
        str(record.revoke.effect.label) if record.revocable else "–",
        one.verified,
        str(record.confidence.label),
        record.checked,
        f"`{record.key}`",
    )


# One provider


def _section(one: Entry) -> str:
    steps, notes = one.provider.manual_steps, one.provider.notes
    parts = [
        f"\n## {one.provider.name}\n",
        f"{_text(one.does)} {_text(one.seen)}\n",
        f"*{' · '.join(_in_short(one))}*\n",
        *_warnings(one),
        *_calls(one),
        *_answers(one),
        *_values(one.values),
        *_listed("By hand", [_text(_capital(step)) for step in steps]),
        *_listed("Facts", [f"{name}: {_text(text)}" for name, text in _facts(one)]),
        *_listed("Notes", [_text(note) for note in notes]),
        *_listed("Sources", [_source(source) for source in one.sources]),
    ]
    return "\n".join(parts).rstrip("\n")


def _in_short(one: Entry) -> Iterator[str]:
    record = one.provider
    yield _CALLED[one.state].capitalize()
    if record.revocable:
        yield f"kills: {str(record.revoke.effect.label).lower()}"
    yield f"{str(record.confidence.label).lower()} confidence"
    yield f"checked {record.checked}"
    yield f"`{record.key}`"


#: Facts that are in the line above.
_SHORT = frozenset({"What dies", "Confidence"})


def _facts(one: Entry) -> Iterator[tuple[str, str]]:
    yield from (fact for fact in one.facts if fact[0] not in _SHORT)
    if one.provider.confidence_note:
        yield "Confidence", one.provider.confidence_note


def _warnings(one: Entry) -> Iterator[str]:
    said = list(one.warnings)
    if one.state == "off":
        said.append("ceadmin makes this call only where an owner switched it on.")
    if said:
        yield f"> **Careful.** {' '.join(map(_text, said))}\n"


#: Variables that mean the same everywhere.
_USUAL = frozenset({"ACCESS_TOKEN", "REFRESH_TOKEN", "CLIENT_ID", "CLIENT_SECRET"})


def _calls(one: Entry) -> Iterator[str]:
    for sample in one.samples.calls:
        note = f" {_text(sample.note)}" if sample.note else ""
        yield f"**{sample.title}.**{note}\n\n```sh\n{sample.curl}\n```\n"
    own = (each for each in one.samples.variables if each.name not in _USUAL)
    yield from _listed("To be set", [_variable(each) for each in own])


def _variable(one: Variable) -> str:
    default = f" (`{one.default}` unless told)" if one.default else ""
    return f"`{one.name}`: {_text(one.meaning)}{default}"


def _answers(one: Entry) -> Iterator[str]:
    asked = [("Revoke", one.answers), *one.checks]
    rows = [(name, *_answer(row)) for name, rows in asked for row in rows]
    if rows:
        yield f"**Answers**\n\n{_table(('To', 'Status', 'Where', 'Means'), rows)}"


def _answer(row: AnswerRow) -> tuple[str, ...]:
    seen = "" if row.documented else " (seen, not documented)"
    return row.status, _text(row.when), f"{row.means}{seen}"


def _values(values: Sequence[Value]) -> Iterator[str]:
    rows = [
        (
            f"`{one.name}`",
            f"`{one.pattern}`",
            ", ".join(f"`{key}`" for key in one.told_by),
        )
        for one in values
    ]
    if rows:
        names = ("Value", "Has to match", "Told by the instance's entry")
        yield f"**Values that differ**\n\n{_table(names, rows)}"


def _source(source: Source) -> str:
    read = "read" if source.read else "not read"
    return f"{source.kind}, {read}: {_text(source.text)}"


# Markdown


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        lines = "".join(f"* {item}\n" for item in items)
        yield f"**{title}**\n\n{lines}"


#: What Markdown would take for a mark of its own.
_MARKS = re.compile(r"([\\`*_<\[\]])")
_ADDRESSES = re.compile(r"(https://\S+)")


def _text(text: str) -> str:
    """Write plain text so that Markdown shows it letter by letter; addresses stay links."""
    pieces = _ADDRESSES.split(text)
    return "".join(
        piece if at % 2 else _MARKS.sub(r"\\\1", piece)
        for at, piece in enumerate(pieces)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
