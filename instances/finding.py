"""Find instances for a list: a page at a time, however many there are.

Nothing is counted to its end and no page is skipped over: the next one begins where the
one before ended. Every question is answered along *lanes*, the entries of one index that
fit it, in the order in which they are shown. A search has several: names that begin with
what was typed, and rows whose id, account or fingerprint it is, shown in one order; then,
as a second *stretch*, the rows that carry it as a tag, in the order of their keys, which is
the order of every tag. What no index answers is looked for among some of a lane's rows
only (`REACH`): a page that ends there says so, and the next one looks further.

    page = find(Question(organizations=(7,), status="disabled"), after="", size=50)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Exists, Expression, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.lookups import is_row_number
from instances.bounded import MOST, Count, Past, SortKey
from instances.models import Instance, InstanceTag
from instances.querysets import begins_with

#: So many rows of a lane are looked through for a page that no index answers.
REACH = 1_000
#: So many lanes in one statement: SQLite takes 500.
_TERMS = 400

SORTS = {
    "name": _("Name, A to Z"),
    "-name": _("Name, Z to A"),
    "since": _("Newest change first"),
    "-since": _("Oldest change first"),
}
#: What an index has in front of the name, alone or together.
_INDEXED = (
    *(frozenset[str](), frozenset({"status"}), frozenset({"provider_key"})),
    *(frozenset({"status", "provider_key"}), frozenset({"provider_app_id"})),
    *(frozenset({"account"}), frozenset({"grant_fingerprint"})),
)
_INDEXED_BY_TIME = (frozenset[str](), frozenset({"status"}))
#: Where any of several statuses is asked for.
SEVERAL = "status__in"
#: The names of a selection's parts → columns.
COLUMNS = {
    "status": "status",
    "provider": "provider_key",
    "element": "element_key",
    "app": "provider_app_id",
    "account": "account",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for, in organizations that the asker may see."""

    organizations: tuple[int, ...]
    equal: tuple[tuple[str, Any], ...] = ()  # (column, value); `status__in` has several
    tag: str = ""
    search: str = ""
    sort: str = "name"
    aside: bool = False  # more is asked than stands here, so none of it is counted

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are asked for."""
        return frozenset(name for name, _ in self.equal)

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out of the organizations."""
        return bool(self.equal or self.tag or self.search)


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows of one organization in the order of an index, and what is asked beside it."""

    rows: QuerySet[Any]
    pk: str
    key: tuple[Expression | F, ...]
    descending: bool = False
    beside: Q | None = None  # what the index does not answer

    def behind(self, place: tuple[Any, ...] | None) -> list[Lane]:
        """Return what comes after a place of the order."""
        if place is None:
            return [self]
        sign = "<" if self.descending else ">"
        if connection.vendor != "sqlite" or len(place) == 1:
            return [replace(self, rows=self.rows.filter(self._past(place, sign)))]
        # SQLite compares two rows without the help of an index on an expression.
        first, pk = self.key
        alike = Past(pk, values=place[1:], sign=sign)
        later = Past(first, values=place[:1], sign=sign)
        same = Past(first, values=place[:1], sign="=")
        split = (self.rows.filter(same, alike), self.rows.filter(later))
        return [replace(self, rows=rows) for rows in split]

    def up_to(self, place: tuple[Any, ...]) -> Lane:
        """Return what comes not after a place."""
        sign = ">=" if self.descending else "<="
        near = Past(self.key[0], values=place[:1], sign=sign)
        return replace(self, rows=self.rows.filter(near, self._past(place, sign)))

    def _past(self, place: tuple[Any, ...], sign: str) -> Past:
        return Past(*self.key, values=place, sign=sign)

    def ordered(self, *, everything: bool = False) -> QuerySet[Any]:
        """Return (the place, …) of each row in order; `everything` means whether asked for or not."""
        rows = self.rows
        if self.beside is not None and not everything:
            rows = rows.filter(self.beside)
        names = {f"place{n}": one for n, one in enumerate(self.key)}
        order = [f"-{name}" if self.descending else name for name in names]
        found: QuerySet[Any] = rows.annotate(**names).order_by(*order)
        return found.values_list(*names)


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and where the next one begins."""

    pks: list[int]
    after: str = ""  # where the next one begins, "" where there is none
    reached: bool = False  # it ended before all of its lanes was looked through
    more: bool = False  # of the same stretch


def find(question: Question, after: str, size: int) -> Page:
    """Return the `size` rows behind `after`, which an earlier page told; "" begins at the first."""
    stretches = _stretches(question)
    first, place = _place_of(question, stretches, after)
    pks: list[int] = []
    for number in range(first, len(stretches)):
        lanes = [part for lane in stretches[number] for part in lane.behind(place)]
        found = _walk(lanes, size - len(pks)) if lanes else Page([])
        pks += found.pks
        if found.after or found.more:
            mark = _mark(number, stretches[number])
            return Page(pks, f"{mark}-{found.after}", found.reached)
        place = None
    return Page(pks)


def _walk(lanes: Sequence[Lane], room: int) -> Page:
    """Return the first rows of lanes of one order, and the key behind which to go on."""
    fence = None
    if any(lane.beside is not None for lane in lanes):
        fence = _fence(lanes)
        lanes = [lane.up_to(fence) for lane in lanes] if fence else lanes
    found = _together([lane.ordered()[: room + 1] for lane in lanes])
    places = sorted(set(found), reverse=lanes[0].descending)
    pks = [int(place[-1]) for place in places[:room]]
    if len(places) > room:
        return Page(pks, str(pks[-1]) if pks else "", more=True)
    if fence:
        return Page(pks, str(fence[-1]), reached=True)
    return Page(pks)


def _fence(lanes: Sequence[Lane]) -> tuple[Any, ...] | None:
    """Return how far each lane is looked through: none for more than `REACH` rows."""
    wanted = [lane.ordered(everything=True)[REACH - 1 : REACH] for lane in lanes]
    ends = sorted(_together(wanted), reverse=lanes[0].descending)
    return ends[0] if ends else None


def _together(querysets: Sequence[QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """Return the rows of several sliced querysets of one shape by one statement."""
    # SQLite takes an order and a limit within a term only behind another SELECT.
    return _united("SELECT * FROM ({}) term{}", querysets)


def _united(form: str, querysets: Sequence[QuerySet[Any]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for begin in range(0, len(querysets), _TERMS):
        parts = [
            one.query.sql_with_params() for one in querysets[begin : begin + _TERMS]
        ]
        terms = [form.format(text, n) for n, (text, _) in enumerate(parts)]
        with connection.cursor() as cursor:
            values = [one for _, values in parts for one in values]
            cursor.execute(" UNION ALL ".join(terms), values)
            found += cursor.fetchall()
    return found


def _stretches(question: Question) -> list[list[Lane]]:
    """Return the lanes of a question, those that are shown in one order together."""
    if question.tag and not _by_name_first(question):
        return [
            [_of_tag(question, one, question.tag) for one in question.organizations]
        ]
    asked = [(one, org) for one in _ways(question) for org in question.organizations]
    if question.tag:
        return [[_tagged(one, org) for one, org in asked]]
    if not question.search:
        return [[_plain(one, org) for one, org in asked]]
    return [
        [lane for one, org in asked for lane in _searched(one, org)],
        [_of_searched_tag(question, one) for one in question.organizations],
    ]


def _ways(question: Question) -> list[Question]:
    """Return a question of several statuses as one of each, which indexes answer."""
    equal = dict(question.equal)
    several = equal.pop(SEVERAL, None)
    if several is None:
        return [question]
    rest = tuple(equal.items())
    return [replace(question, equal=(("status", one), *rest)) for one in several]


def _by_name_first(question: Question) -> bool:
    """Tell whether few rows fit a tag's question without the tag: then all of them are looked at."""
    plain = replace(question, tag="", sort="name")
    found = count(plain) if question.equal and not question.search else None
    return found is not None and not found.more


def _tagged(question: Question, organization: int) -> Lane:
    """Return the lane of a tag's question without the tag, which is looked up for each row."""
    lane = _plain(replace(question, tag="", sort="name"), organization)
    carried = InstanceTag.objects.filter(instance=OuterRef("pk"), name=question.tag)
    return replace(lane, beside=Q(Exists(carried)))


def _plain(question: Question, organization: int) -> Lane:
    equal = dict(question.equal)
    by_time = question.sort.endswith("since")
    indexed = _INDEXED_BY_TIME if by_time else _INDEXED
    best = max((one for one in indexed if one <= question.columns), key=len)
    lane = _lane(question, {name: equal.pop(name) for name in best}, organization)
    return replace(lane, beside=Q(**equal) if equal else None)


def _lane(question: Question, equal: dict[str, Any], organization: int) -> Lane:
    own = Instance.objects.filter(organization_id=organization, **equal)
    if question.sort.endswith("since"):
        newest = question.sort == "since"
        return Lane(own, "pk", (F("status_since"), F("pk")), newest)
    return Lane(own, "pk", (SortKey("name"), F("pk")), question.sort == "-name")


def _searched(question: Question, organization: int) -> Iterator[Lane]:
    """Yield the lanes of a search: by name, remote id, account and fingerprint."""
    by_name = replace(question, sort=_by_name(question.sort))
    named = _plain(by_name, organization)
    yield replace(named, rows=named.rows.filter(begins_with(question.search)))
    beside = Q(**dict(question.equal)) if question.equal else None
    for column in ("remote_id", "account", "grant_fingerprint"):
        lane = _lane(by_name, {column: question.search}, organization)
        yield replace(lane, beside=beside)


def _by_name(sort: str) -> str:
    return sort if sort.endswith("name") else "name"


def _of_tag(question: Question, organization: int, tag: str) -> Lane:
    rows = InstanceTag.objects.filter(organization_id=organization, name=tag)
    asked = Q(**{f"instance__{name}": value for name, value in question.equal})
    if question.search:
        asked &= Q(_among(Instance.objects.searched(question.search)))
    beside = asked if question.equal or question.search else None
    return Lane(rows, "instance_id", (F("instance_id"),), beside=beside)


def _among(instances: QuerySet[Instance]) -> Exists:
    """Return whether a tag's instance is one of these, which is looked up for each."""
    return Exists(instances.filter(pk=OuterRef("instance_id")))


def _of_searched_tag(question: Question, organization: int) -> Lane:
    """Return the rows that carry what is searched as a tag and were not found otherwise."""
    lane = _of_tag(replace(question, search=""), organization, question.search)
    text = question.search
    same = Q(remote_id=text) | Q(account=text) | Q(grant_fingerprint=text)
    fresh = ~Q(_among(Instance.objects.filter(same | begins_with(text))))
    return replace(lane, beside=fresh if lane.beside is None else lane.beside & fresh)


def _place_of(
    question: Question, stretches: Sequence[Sequence[Lane]], after: str
) -> tuple[int, tuple[Any, ...] | None]:
    """Return the stretch and the place that `after` names; the beginning for one that is gone."""
    mark, _, pk = after.partition("-")
    known = {_mark(n, lanes): n for n, lanes in enumerate(stretches) if lanes}
    if mark not in known or not is_row_number(pk or "0"):
        return 0, None
    number = known[mark]
    key = stretches[number][0].key
    if not pk or len(key) == 1:
        return number, (int(pk),) if pk else None
    row = Instance.objects.filter(organization__in=question.organizations, pk=int(pk))
    names = {f"place{n}": one for n, one in enumerate(key)}
    place = row.annotate(**names).values_list(*names).order_by("pk").first()
    return (number, place) if place else (0, None)


def _mark(number: int, lanes: Sequence[Lane]) -> str:
    """Return what names a stretch in an address: of which order it is, too."""
    return f"{number}{'k' if len(lanes[0].key) == 1 else 'n'}"


def count(question: Question) -> Count | None:
    """Return how many rows fit, as far as an index tells; None where none does."""
    lanes = [lane for stretch in _stretches(question) for lane in stretch]
    if question.search or any(lane.beside is not None for lane in lanes):
        return None
    some = [lane.rows.order_by().values_list(lane.pk)[: MOST + 1] for lane in lanes]
    counts = _united("SELECT COUNT(*) FROM ({}) term{}", some)
    return Count.of(sum(number for (number,) in counts))
