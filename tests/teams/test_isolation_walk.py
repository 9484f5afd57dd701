"""Every address there is, asked for a foreign row and for none: both are answered alike.

The addresses come from the URL resolver. One with a parameter that nobody here knows how
to fill fails the first test: say in `FILLERS` what stands in its place, or in `BY_SECRET`
that it is opened by a secret and by no membership.
"""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization, User
from ceadmin.teams.scoping import Scoped
from instances.models import Instance, ReconnectLink, Run
from providers.models import ProviderApp
from tests.teams.builders import BUILDERS
from tests.teams.worlds import (
    MARK,
    REGISTERED,
    World,
    absent_pk,
    address,
    each_model,
    said,
    shows_nothing,
    text_of,
    world,
)

__all__ = ["world"]

pytestmark = pytest.mark.any_database

#: What people do by a word in an address.
WORDS = (
    *("probe", "revoke", "reconnect", "drill"),
    *("start", "ask", "pause", "resume", "stop", "discard", "retry", "connections"),
    *("approve", "refuse", "withdraw", "break-glass", "review", "go-on", "leave-out"),
    *(
        "cancel",
        "accept",
        "send",
        "live",
        "renew",
        "change",
        "csv",
        "jsonl",
        "first",
        "not-first",
        "nonsense",
    ),
)
#: Parameters that name a row, and those that name an act.
KEYS = {"object_id", "id", "uid"}
ACTS = {"kind", "act"}
#: Parameters that name a row of a certain kind by its uid.
NAMED: dict[str, type[models.Model]] = {"instance": Instance, "run": Run}
#: Opened by a secret in the address or the session, or open to everybody.
BY_SECRET = {
    *("link", "callback", "invitation", "kept_invitation"),
    *("brand-css", "brand-logo"),
    *("done", "failed", "joined", "login", "logout", "healthz", "readyz"),
}
#: Django's own: where to look for rows of any kind, and everything that matches nothing.
GENERIC = {"view_on_site", "app_list"}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every address, as a pattern."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        else:
            yield path, entry


ROUTES = list(routes(get_resolver()))
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def model_of(path: str) -> type[models.Model] | None:
    """Return the model whose pages an address belongs to."""
    found = [m for m in REGISTERED if path.startswith(address(m).lstrip("/"))]
    if path.startswith("reconnect-links/"):
        found = [ReconnectLink]
    return found[0] if found else None


def is_keyed(path: str) -> bool:
    return bool((KEYS | NAMED.keys()) & set(PARAMETER.findall(path)))


KEYED = sorted(
    {p for p, one in ROUTES if is_keyed(p) and one.name not in GENERIC | BY_SECRET}
)
#: About no single row, in several ways.
WORDED = sorted(
    path
    for path, one in ROUTES
    if {*PARAMETER.findall(path)} & ACTS
    and not is_keyed(path)
    and one.name not in BY_SECRET
)
#: About no row at all: the catalogue's records are data that everybody has.
RECORDS = sorted(path for path, one in ROUTES if one.name == "provider")
#: Without a parameter: lists, forms and the site's own pages; and a page of a record.
PLAIN = sorted(
    {
        f"/{path}"
        for path, one in ROUTES
        if "<" not in path and "?P" not in path and one.name not in BY_SECRET
    }
    | {f"/{PARAMETER.sub('box', path)}" for path in RECORDS}
)


def test_every_address_is_walked():
    walked = {*KEYED, *WORDED, *RECORDS, *(path.lstrip("/") for path in PLAIN)}
    left = {
        path
        for path, one in ROUTES
        if path not in walked and one.name not in BY_SECRET | GENERIC
    }

    assert left == {"admin/(?P<url>.*)$"}, "say how these are walked"
    known = KEYS | ACTS | NAMED.keys()
    assert {name for path in KEYED for name in PARAMETER.findall(path)} <= known
    assert all(model_of(path) for path in KEYED)


NO_UID = "00000000-0000-4000-8000-000000000000"
NO_PK = 987654321


def filled(path: str, keys: dict[str, object], word: str) -> str:
    """Return an address with keys and an act in place of its parameters."""
    return "/" + PARAMETER.sub(lambda found: str(keys.get(found[1], word)), path)


def keys_of(row: models.Model, world: World) -> tuple[dict, dict]:
    """Return what stands in an address for foreign rows, and for rows that nobody has."""
    named = {name: world.theirs[model].uid for name, model in NAMED.items()}
    own = {"object_id": row.pk, "id": row.pk, "uid": getattr(row, "uid", NO_UID)}
    absent = {"object_id": NO_PK, "id": NO_PK, "uid": NO_UID}
    return own | named, absent | dict.fromkeys(named, NO_UID)


@pytest.mark.parametrize("path", KEYED)
def test_a_foreign_row_is_answered_like_one_that_does_not_exist(path, world: World):
    model = model_of(path)
    before, (own, absent) = world.snapshot(), keys_of(world.theirs[model], world)
    words = WORDS if ACTS & set(PARAMETER.findall(path)) else ("",)
    posted = {"post": "yes", "reason": "x", "why": "x", "digest": "x" * 64}

    for word, data in product(words, (None, posted)):
        ask = world.outsider.post if data else world.outsider.get
        there, nowhere = (
            ask(filled(path, keys, word), data, follow=True) for keys in (own, absent)
        )
        shows_nothing(there)
        assert said(there, *own.values()) == said(nowhere, *absent.values()), word

    assert world.snapshot() == before


def test_ways_to_ask_for_many_rows_show_nothing_foreign(world: World):
    for path, word in product(WORDED, WORDS):
        for ask in (world.outsider.get, world.outsider.post):
            shows_nothing(ask(filled(path, {}, word), follow=True))


def look(world: World, page: str, data: dict | None = None):
    """Look at a page; at the audit twice, since reading it is told on it."""
    if page.startswith("/admin/audit/"):
        world.outsider.get(page, data, follow=True)
    return world.outsider.get(page, data, follow=True)


@each_model
def test_a_name_for_any_row_leads_nowhere_foreign(model, world: World):
    kind = ContentType.objects.get_for_model(model).pk
    row = world.theirs[model]

    answers = [
        world.outsider.get(f"/admin/r/{kind}/{key}/", follow=True)
        for key in (row.pk, absent_pk(model))
    ]

    assert said(answers[0], row.pk) == said(answers[1], absent_pk(model))


def grow(world: World) -> None:
    """Give the foreign organization more of everything."""
    for number in range(3):
        for model in REGISTERED:
            BUILDERS[model._meta.label].build(world.foreign, f"{MARK}-more{number}")


def asked_of(path: str) -> list[str]:
    """Return the ways to ask a page without a key."""
    listed = [f"{path}?q=e", f"{path}?all=", f"{path}?_facets=True", f"{path}?o=1"]
    return [path, *(listed if path.startswith("/admin/") else ())]


def is_asked(path: str) -> bool:
    return path not in ("/admin/switch/", "/admin/jsi18n/")


@pytest.mark.parametrize("path", [path for path in PLAIN if is_asked(path)])
def test_nothing_foreign_can_be_counted(path, world: World):
    before = [said(look(world, one)) for one in asked_of(path)]

    grow(world)

    after = [said(look(world, one)) for one in asked_of(path)]
    assert after == before


@each_model
def test_the_pages_of_own_rows_do_not_change_with_foreign_rows(model, world: World):
    pages = [
        address(model, world.mine[model].pk, page)
        for page in ("change", "delete", "history")
    ]
    before = [said(look(world, page)) for page in pages]

    grow(world)

    assert [said(look(world, page)) for page in pages] == before


def questions(model: type[models.Model]) -> set[str]:
    """Return every column that the list's filters and links may ask."""
    model_admin = admin.site._registry[model]
    entries = [e[0] if isinstance(e, tuple) else e for e in model_admin.list_filter]
    names = [getattr(one, "parameter_name", one) for one in entries]
    keys = [f.name for f in model._meta.concrete_fields if f.remote_field]
    return {str(name) for name in [*names, *keys, *getattr(model_admin, "lookups", ())]}


@each_model
def test_a_filter_by_a_foreign_row_answers_like_one_by_nothing(model, world: World):
    for name, lookup in product(sorted(questions(model)), ("", "__id__exact", "__in")):
        asked = worth_asking(model, name, world)
        nothing = {name + lookup: 98765432}
        told = said(look(world, address(model), nothing), 98765432) if asked else ""
        for key in asked:
            answer = look(world, address(model), {name + lookup: key})
            assert said(answer, key) == told, (name, lookup, key)


def worth_asking(model: type[models.Model], name: str, world: World) -> set[object]:
    """Return foreign keys to compare a column with: its own kind, apps and organizations."""
    fields = {field.name: field.related_model for field in relations(model)}
    kinds = {Organization, ProviderApp, fields.get(name.partition("__")[0])}
    return {world.theirs[kind].pk for kind in kinds if kind in world.theirs}


@each_model
def test_actions_with_foreign_ids_answer_like_ids_of_nothing(model, world: World):
    names = actions_of(model, world)
    mine, row, before = world.mine[model], world.theirs[model], world.snapshot()

    for name, across in product(names, ("0", "1")):
        answers = []
        for key in (row.pk, absent_pk(model)):
            data = {"action": name, "_selected_action": [mine.pk, key]}
            more = {"select_across": across, "post": "yes", "index": "0"}
            answers.append(
                world.outsider.post(address(model), data | more, follow=True)
            )
        assert said(answers[0], row.pk) == said(answers[1], absent_pk(model))
        assert "Nothing was done: some of the rows" in text_of(answers[0])
        assert model._base_manager.filter(pk=mine.pk).exists()

    assert world.snapshot() == before
    denied = Event.objects.filter(action="access_denied", outcome="not_on_the_list")
    assert denied.count() == 4 * len(names)
    assert {event.chain for event in denied} <= {""}


def actions_of(model: type[models.Model], world: World) -> list[str]:
    """Return the actions that the list offers to somebody with every role."""
    page = text_of(world.outsider.get(address(model)))
    return re.findall(r'name="action" value="(\w+)"', page) or re.findall(
        r'<option value="(\w+)"',
        page.partition('name="action"')[2].partition("</sel")[0],
    )


def test_some_lists_offer_actions(world: World):
    assert sum(bool(actions_of(model, world)) for model in REGISTERED) >= 4


@each_model
def test_inlines_are_scoped_and_no_field_takes_any_row(model):
    model_admin = admin.site._registry[model]

    assert all(issubclass(inline, Scoped) for inline in model_admin.inlines)
    assert not getattr(model_admin, "list_editable", ())
    assert not model_admin.raw_id_fields


def relations(model: type[models.Model]) -> list[models.Field]:
    fields = [*model._meta.concrete_fields, *model._meta.many_to_many]
    return [field for field in fields if field.remote_field]


@each_model
def test_autocompletes_answer_alike_with_and_without_foreign_rows(model, world: World):
    asked = [
        {
            "app_label": model._meta.app_label,
            "model_name": model._meta.model_name,
            "field_name": field.name,
            "term": term,
        }
        for field in relations(model)
        for term in ("", "e")
    ]
    where = "/admin/autocomplete/"
    before = [said(world.outsider.get(where, one)) for one in asked]

    grow(world)

    assert [said(world.outsider.get(where, one)) for one in asked] == before


@each_model
def test_selects_offer_the_same_with_and_without_foreign_rows(model, world: World):
    def offered() -> list[str]:
        pages = [address(model, "add"), address(model, world.mine[model].pk, "change")]
        texts = [text_of(world.outsider.get(page)) for page in pages]
        return [one for text in texts for one in re.findall(r"<option[^>]*>", text)]

    before = offered()
    grow(world)

    assert offered() == before


def test_switching_to_a_foreign_organization_is_switching_to_none(world: World):
    for key in (world.foreign.uid, "00000000-0000-4000-8000-000000000000", "nonsense"):
        world.outsider.post("/admin/switch/", {"organization": str(key)})

        assert "organization" not in world.outsider.session


def test_a_choice_that_was_not_offered_is_refused_and_recorded(world: World):
    page = "/admin/teams/invitation/add/"
    data = {"organization": world.foreign.pk, "email": "planted@example.com"}

    answer = world.outsider.post(page, data)

    assert "is not one of the available choices" in text_of(answer)
    event = Event.objects.get(action="access_denied", outcome="not_offered")
    assert event.chain == ""
    assert '"fields":["organization"]' in event.text.replace(" ", "")
    assert event.actor_uid == User.objects.get(email="outsider@example.com").uid


def test_a_receipt_of_others_is_answered_like_none(world: World):
    from_them = [str(world.theirs[one].uid) for one in (Instance, Run)]
    mine = [str(world.mine[one].uid) for one in (Instance, Run)]

    for instance, run in (from_them, (mine[0], from_them[1]), (from_them[0], mine[1])):
        page = reverse("admin:audit_event_receipt", args=[instance, run])
        none = reverse("admin:audit_event_receipt", args=[NO_UID, NO_UID])
        there, nowhere = world.outsider.get(page), world.outsider.get(none)
        shows_nothing(there)
        assert said(there, instance, run) == said(nowhere, NO_UID)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_of_what_is_shown_holds_nothing_foreign(kind, world: World):
    page = reverse("admin:audit_event_export", args=[kind])
    events = Event.objects.filter(chain=world.foreign.chain)
    assert events.exists()

    for asked in ("", f"?chain={world.foreign.chain}", "?q=e"):
        answer = world.outsider.get(page + asked)
        assert answer.status_code == 200
        body = b"".join(answer.streaming_content).decode()
        assert MARK.lower() not in body.lower()
        for event in events:
            assert event.hash not in body
