"""Walk every admin page as a member of another organization: nothing shows, nothing moves.

Every registered ModelAdmin is walked, whichever app registers it; `builders.py` says how
to make a row of each.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import models
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import URLPattern, URLResolver

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, Organization, User
from ceadmin.teams.scoping import Scoped
from tests.teams.builders import BUILDERS
from tests.teams.pages import fields_of
from tests.teams.worlds import (
    MARK,
    PART_OF_MARK,
    REGISTERED,
    World,
    absent_pk,
    address,
    client_of,
    each_model,
    shows_nothing,
    text_of,
    world,
)

__all__ = ["world"]

pytestmark = pytest.mark.any_database


def same_answer(
    client: Client, model: type[models.Model], pk: object, page: str
) -> None:
    """Assert that a foreign row is answered exactly like one that does not exist."""
    missing = absent_pk(model)

    answers = [client.get(address(model, key, page)) for key in (pk, missing)]

    shows_nothing(answers[0])
    assert answers[0].status_code == answers[1].status_code
    there, nowhere = (
        answer.headers.get("Location", "").replace(str(key), "KEY")
        for answer, key in zip(answers, (pk, missing), strict=True)
    )
    assert there == nowhere


def relations(model: type[models.Model]) -> Iterator[models.Field]:
    """Yield the foreign keys and many-to-many fields of a model."""
    for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
        if field.remote_field:
            yield field


@each_model
def test_every_registered_model_has_a_builder(model):
    label = model._meta.label

    assert label in BUILDERS, f"write a builder for {label} in tests/teams/builders.py"


@each_model
def test_every_admin_is_scoped(model):
    model_admin = admin.site._registry[model]

    assert isinstance(model_admin, Scoped)
    # Django asks no permission on the single row for this.
    assert not getattr(model_admin, "list_editable", ())
    # Its label shows any row, whoever asks.
    assert not model_admin.raw_id_fields


@each_model
def test_an_insider_sees_the_rows(model, world):
    response = world.insider.get(address(model))

    assert response.status_code == 200
    assert MARK.lower() in text_of(response).lower()


@each_model
def test_the_list_shows_nothing_foreign(model, world):
    response = world.outsider.get(address(model))

    assert response.status_code == 200
    shows_nothing(response)


@each_model
def test_searching_finds_nothing_foreign(model, world):
    shows_nothing(world.outsider.get(address(model), {"q": PART_OF_MARK}))


@each_model
def test_filters_offer_and_find_nothing_foreign(model, world):
    for field in relations(model):
        row = world.theirs.get(field.related_model, world.foreign)
        for parameter in (f"{field.name}__id__exact", f"{field.name}__exact"):
            shows_nothing(world.outsider.get(address(model), {parameter: row.pk}))
    for parameter, value in (
        ("organization__name__startswith", MARK[:3]),
        ("organization__slug", world.foreign.slug),
        ("chain", world.foreign.chain),
        ("all", ""),
        ("_facets", "True"),
    ):
        response = world.outsider.get(address(model), {parameter: value}, follow=True)
        assert MARK not in text_of(response)


@each_model
def test_the_add_page_offers_nothing_foreign(model, world):
    shows_nothing(world.outsider.get(address(model, "add")))
    shows_nothing(
        world.outsider.get(address(model, "add"), {"organization": world.foreign.pk})
    )


@each_model
@pytest.mark.parametrize("tab", ["change", "delete", "history"])
def test_a_foreign_row_is_answered_like_none(model, tab, world):
    same_answer(world.outsider, model, world.theirs[model].pk, tab)


@each_model
def test_the_pages_of_an_own_row_show_nothing_foreign(model, world):
    for page in ("change", "delete", "history"):
        shows_nothing(world.outsider.get(address(model, world.mine[model].pk, page)))


@each_model
def test_autocompletes_suggest_nothing_foreign(model, world):
    for field in relations(model):
        where = {
            "app_label": model._meta.app_label,
            "model_name": model._meta.model_name,
            "field_name": field.name,
            "term": PART_OF_MARK,
        }
        shows_nothing(world.outsider.get("/admin/autocomplete/", where))


def pointing_abroad(model: type[models.Model], world: World) -> dict[str, object]:
    """Return form values in which every relation points to a foreign row."""
    return {
        field.name: world.theirs[field.related_model].pk
        for field in relations(model)
        if field.related_model in world.theirs
    }


@each_model
def test_an_own_row_does_not_move(model, world):
    mine, page = world.mine[model], address(model, world.mine[model].pk, "change")
    before = [(f.name, getattr(mine, f.attname, None)) for f in relations(model)]
    data = fields_of(text_of(world.outsider.get(page)))

    response = world.outsider.post(page, data | pointing_abroad(model, world))

    shows_nothing(response)
    after = type(mine)._base_manager.get(pk=mine.pk)
    assert before == [
        (f.name, getattr(after, f.attname, None)) for f in relations(model)
    ]


@each_model
def test_a_foreign_row_does_not_change(model, world):
    before = world.snapshot()
    data = fields_of(text_of(world.outsider.get(address(model, "add"))))
    data |= model_to_dict(world.mine[model])
    posted = {name: value for name, value in data.items() if value is not None}

    for page in ("change", "delete"):
        target = address(model, world.theirs[model].pk, page)
        shows_nothing(world.outsider.post(target, posted | {"post": "yes"}))

    assert world.snapshot() == before


def planted(client: Client, model: type[models.Model], world: World) -> int:
    """Post a foreign row to the add page; return how many rows that made."""
    give = BUILDERS[model._meta.label].form
    data = fields_of(text_of(client.get(address(model, "add"))))
    data |= pointing_abroad(model, world) | (give(world.foreign) if give else {})
    before = rows_of(model)

    response = client.post(address(model, "add"), data)

    assert response.status_code < 500
    if client is world.outsider:
        shows_nothing(response)
    return rows_of(model) - before


def rows_of(model: type[models.Model]) -> int:
    """Count rows; that something was refused is an event of its own."""
    rows = model._base_manager.all()
    return (rows.exclude(action="access_denied") if model is Event else rows).count()


@each_model
def test_nothing_is_added_abroad(model, world):
    assert planted(world.outsider, model, world) == 0


@each_model
def test_an_insider_can_add_what_an_outsider_could_not(model, world):
    """Otherwise the test above might post what nobody could."""
    if world.insider.get(address(model, "add")).status_code != 200:
        pytest.skip("nobody adds these by hand")
    if model is Organization:
        pytest.skip("its add page points to no other row")

    assert planted(world.insider, model, world) == 1


@each_model
def test_actions_reach_no_foreign_row(model, world):
    offered = admin.site._registry[model].actions or ()
    names = [one if isinstance(one, str) else one.__name__ for one in offered]
    before = world.snapshot()

    for name in [*names, "delete_selected"]:
        for across in ("0", "1"):
            data = {
                "action": name,
                "_selected_action": [world.theirs[model].pk],
                "select_across": across,
                "post": "yes",
                "index": "0",
            }
            shows_nothing(world.outsider.post(address(model), data, follow=True))

    assert world.snapshot() == before


def filled(pattern: URLPattern, row: models.Model) -> str:
    """Return the path of an admin page with a row's keys in place of its parameters."""
    route = str(pattern.pattern)
    for name, converter in pattern.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        key = getattr(row, "uid", row.pk) if kind == "uuid" else row.pk
        if kind == "slug":
            key = getattr(row, "slug", row.pk)
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, str(key))
    return route


@each_model
def test_no_page_of_a_model_says_or_does_anything_abroad(model, world):
    before = world.snapshot()

    for pattern in admin.site._registry[model].get_urls():
        page = address(model) + filled(pattern, world.theirs[model])
        shows_nothing(world.outsider.get(page))
        shows_nothing(world.outsider.post(page, {"post": "yes", "confirm": "yes"}))

    assert world.snapshot() == before


def site_pages() -> Iterator[str]:
    """Yield the site's own pages that need no key."""
    for pattern in admin.site.get_urls():
        if isinstance(pattern, URLPattern) and not pattern.pattern.regex.groups:
            if pattern.name not in ("logout", "login"):
                yield str(pattern.pattern)
        elif isinstance(pattern, URLResolver):
            yield str(pattern.pattern).rpartition("/")[0].partition("/")[0] + "/"


@pytest.mark.parametrize("place", sorted(set(site_pages())))
def test_the_sites_own_pages_show_nothing_foreign(place, world):
    query = {"q": PART_OF_MARK, "term": PART_OF_MARK}

    shows_nothing(world.outsider.get(f"/admin/{place}"))
    shows_nothing(world.outsider.get(f"/admin/{place}", query))


@each_model
def test_somebody_without_any_organization_sees_nothing(model, world):
    nobody = client_of(User.objects.create_user("nobody@example.com"))

    response = nobody.get(address(model))

    assert response.status_code in (200, 403)
    shows_nothing(response)
    assert "homely" not in text_of(response).lower()


@each_model
def test_leaving_an_organization_ends_everything_at_once(model, world):
    page = address(model, world.theirs[model].pk, "change")
    assert world.insider.get(page).status_code == 200

    Membership.objects.filter(organization=world.foreign).exclude(
        pk=world.theirs[Membership].pk
    ).delete()

    assert world.insider.get(page).status_code in (302, 403, 404)


def test_what_the_outsider_did_is_in_no_foreign_chain(world):
    before = Event.objects.filter(chain=world.foreign.chain).count()

    for model in REGISTERED:
        world.outsider.get(address(model, world.theirs[model].pk, "change"))

    assert Event.objects.filter(chain=world.foreign.chain).count() == before
