"""Lists of ids and names that people bring along: taken in, told of, and acted on."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext, gettext_noop

from ceadmin.audit.lines import safe
from ceadmin.frame import organizations_in_view
from ceadmin.lib.rows import among
from ceadmin.teams.models import User
from instances.bringing import (
    LIST_KEPT_FOR,
    MOST_BYTES,
    TOO_LARGE,
    Problem,
    TooMuch,
    sort_out,
    text_of,
)
from instances.models import BroughtList, Instance

#: So many instances, and lines of each problem, are shown on the page.
SHOWN = 50
#: So many lists are kept for one person.
KEPT = 20

#: Problem → what it is called, as in files, and what to do; pages translate both.
WORDS = {
    Problem.NOT_FOUND: (
        gettext_noop("Not found"),
        gettext_noop(
            "No instance of your organizations has this id or exactly this name. Sync, or look for a slip of the pen."
        ),
    ),
    Problem.AMBIGUOUS: (
        gettext_noop("More than one"),
        gettext_noop(
            "Several instances have this name. Bring their remote ids instead."
        ),
    ),
    Problem.AGAIN: (
        gettext_noop("Named twice"),
        gettext_noop("The same instance stands further up already."),
    ),
    Problem.EMPTY: (
        gettext_noop("Empty"),
        gettext_noop("The line has nothing where the id or name should be."),
    ),
    Problem.TOO_LONG: (
        gettext_noop("Too long"),
        gettext_noop("No id and no name is that long."),
    ),
    Problem.CHARACTER: (
        gettext_noop("Not text"),
        gettext_noop(
            "The line has a character that no id or name has. Save the file as UTF-8."
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Group:
    """The lines with one problem."""

    title: str
    advice: str
    count: int
    lines: list[tuple[int, str]]  # the first ones


def make(request: HttpRequest, user: User, now: datetime) -> BroughtList:
    """Take in what was uploaded, else what was typed; raise TooMuch."""
    file = request.FILES.get("file")
    if file is not None and (file.size or 0) > MOST_BYTES:
        raise TooMuch(TOO_LARGE)
    data = file.read() if file is not None else b""
    text, note = text_of(data) if data else (request.POST.get("typed", ""), "")
    if not text.strip():
        raise TooMuch(
            gettext("There was nothing in it. Choose a file, or type ids or names.")
        )
    mine = organizations_in_view(request).values_list("pk", flat=True).distinct()
    told = sort_out(text, list(mine))
    with transaction.atomic():
        _forget(user, now)
        return BroughtList.objects.create(
            user=user,
            made_at=now,
            file_name=(file.name or "")[:120] if file is not None else "",
            note=note,
            lines=told.lines,
            found=told.found,
            problems=told.problems,
        )


def _forget(user: User, now: datetime) -> None:
    """Remove this person's old lists, and all but the newest; a sweep removes everybody's."""
    old = BroughtList.objects.filter(user=user, made_at__lt=now - LIST_KEPT_FOR)
    old.delete()
    mine = BroughtList.objects.filter(user=user).order_by("-pk")
    beyond = list(mine.values_list("pk", flat=True)[KEPT - 1 :])
    BroughtList.objects.filter(pk__in=beyond).delete()


def instances_of(one: BroughtList, mine: QuerySet[Instance]) -> QuerySet[Instance]:
    """Return the instances of a list that its person may still see."""
    return mine.filter(among(Instance, "id", one.found))


def problems(one: BroughtList) -> list[Group]:
    """Return the lines that cannot be acted on, by problem, the commonest first."""
    counts = Counter(word for _, _, word in one.problems)
    return [
        Group(gettext(title), gettext(advice), counts[word], list(_first(one, word)))
        for word, (title, advice) in (
            (word, WORDS[Problem(word)]) for word, _count in counts.most_common()
        )
    ]


def _first(one: BroughtList, word: str) -> Iterator[tuple[int, str]]:
    shown = 0
    for number, value, problem in one.problems:
        if problem == word and shown < SHOWN:
            shown += 1
            yield number, value


def report(one: BroughtList) -> StreamingHttpResponse:
    """Stream line, what stands there and what is wrong with it as CSV."""
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    return StreamingHttpResponse(
        _lines(writer, one),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="not-acted-on.csv"',
            "Cache-Control": "no-store",
        },
    )


def _lines(writer: Any, one: BroughtList) -> Iterator[bytes]:
    yield _bytes(writer.writerow(["line", "value", "problem"]))
    for number, value, word in one.problems:
        row = [number, safe(value), WORDS[Problem(word)][0]]
        yield _bytes(writer.writerow(row))


def _bytes(text: Any) -> bytes:
    return str(text).encode("utf-8", "backslashreplace")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        """Return `value`."""
        return value
