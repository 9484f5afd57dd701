"""Saved views: questions kept under a name, one's own or the organization's."""

import pytest
from django.urls import reverse
from django.utils import timezone

from instances.models import ListChoice, SavedView
from tests.instances.listing import LIST, made, names, page
from tests.people import PASSWORD

SAVE = "admin:instances_instance_save_view"


@pytest.fixture
def sign_in(client, team):
    def sign(name):
        assert client.login(username=getattr(team, name).email, password=PASSWORD)
        return client

    return sign


def saved(
    client, acme, name="Dead at Box", query="status=needs_reauth&provider=box", **more
):
    form = {"name": name, "query": query, "organization": acme.pk, **more}
    return client.post(reverse(SAVE), form)


def view_of(owner, organization, **fields) -> SavedView:
    wanted = {"name": "A view", "query": "q=a", "created_at": timezone.now()}
    return SavedView.objects.create(
        owner=owner, organization=organization, **wanted | fields
    )


def test_a_view_keeps_the_question_and_shows_what_fits_later(sign_in, acme):
    rita = sign_in("rita")
    query = "after=0n-7&sort=since&q=&status=needs_reauth&provider=box&nonsense=1"

    answer = saved(rita, acme, query=query)
    made(acme, "Works")
    made(acme, "Dead", status="needs_reauth")

    view = SavedView.objects.get()
    assert view.query == "provider=box&sort=since&status=needs_reauth"
    assert answer["Location"] == f"{reverse(LIST)}?{view.query}"
    shown = page(rita, f"?{view.query}")
    assert names(shown) == ["Dead"]
    assert 'aria-current="page"><bdi>Dead at Box</bdi>' in shown.content.decode()


def test_a_name_that_will_not_do_is_told_and_nothing_typed_is_lost(sign_in, acme):
    rita = sign_in("rita")
    saved(rita, acme)

    answers = [saved(rita, acme, name=name) for name in ("", "Dead at Box", "x" * 90)]

    assert [one.status_code for one in answers] == [422, 422, 422]
    assert "You have a view of this name already" in answers[1].content.decode()
    assert "x" * 90 in answers[2].content.decode()
    assert "status=needs_reauth" in answers[2].content.decode()
    assert SavedView.objects.count() == 1


def test_a_view_is_saved_in_ones_own_organizations_only(sign_in, team):
    rita = sign_in("rita")

    assert saved(rita, team.other).status_code == 422
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("who", "shared", "sees"),
    [("vic", True, True), ("vic", False, False), ("eve", True, False)],
)
def test_a_view_is_seen_by_its_maker_and_shared_by_the_organization(
    sign_in, team, acme, who, shared, sees
):
    view = view_of(team.rita, acme, shared=shared, name="Zorblax")
    client = sign_in(who)

    listed = page(client, "?view=all").content.decode()
    alone = client.get(reverse("admin:instances_savedview_change", args=[view.pk]))

    assert ("Zorblax" in listed) == sees
    assert alone.status_code == (200 if sees else 404)


def changed(client, view):
    address = reverse("admin:instances_savedview_change", args=[view.pk])
    client.post(address, {"name": "Renamed", "shared": "on"})
    view.refresh_from_db()
    return view.name == "Renamed"


@pytest.mark.parametrize(
    ("who", "may"), [("rita", True), ("otto", True), ("vic", False), ("eve", False)]
)
def test_a_shared_view_is_changed_and_removed_by_its_maker_or_an_owner(
    sign_in, team, acme, who, may
):
    view = view_of(team.rita, acme, shared=True)
    client = sign_in(who)

    assert changed(client, view) == may
    client.post(
        reverse("admin:instances_savedview_delete", args=[view.pk]), {"post": "yes"}
    )

    assert SavedView.objects.exists() != may


def test_an_owner_sees_no_view_that_is_not_shared(sign_in, team, acme):
    view = view_of(team.rita, acme)

    assert not changed(sign_in("otto"), view)


def test_the_list_opens_with_the_view_that_was_made_the_first(sign_in, team, acme):
    view = view_of(team.rita, acme, shared=True)
    vic = sign_in("vic")
    made(acme, "Alpha", "Beta")

    vic.post(reverse("admin:instances_savedview_do", args=[view.pk, "first"]))

    assert page(vic)["Location"] == f"{reverse(LIST)}?q=a"
    assert names(page(vic, "?view=all")) == ["Alpha", "Beta"]
    vic.post(reverse("admin:instances_savedview_do", args=[view.pk, "not-first"]))
    assert names(page(vic)) == ["Alpha", "Beta"]


def test_a_first_view_that_one_may_not_see_any_more_opens_nothing(sign_in, team, acme):
    view = view_of(team.rita, acme, shared=True)
    vic = sign_in("vic")
    ListChoice.objects.create(user=team.vic, default_view=view)
    SavedView.objects.update(shared=False)

    assert page(vic).status_code == 200


def test_a_foreign_view_is_made_the_first_by_nobody(sign_in, team, acme):
    view = view_of(team.rita, acme, shared=True)
    eve = sign_in("eve")

    answer = eve.post(reverse("admin:instances_savedview_do", args=[view.pk, "first"]))

    assert answer.status_code == 404
    assert not ListChoice.objects.exists()
