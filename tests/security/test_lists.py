"""What addresses and ticks of a list may ask for."""

from urllib.parse import quote

import pytest
from django.urls import reverse

from instances.models import Run
from tests.instances.fleet import Fleet
from tests.instances.reconnecting import waiting
from tests.people import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LISTS = (
    "audit_event",
    "instances_instance",
    "instances_item",
    "instances_reconnectlink",
    "instances_run",
    "instances_savedview",
    "providers_enabledprovider",
    "providers_limit",
    "providers_providerapp",
    "teams_membership",
    "teams_organization",
    "teams_user",
)
BIG = "9" * 20

#: Guesses at what no page shows, patterns that keep the server busy, and what a database
#: cannot compare.
QUESTIONS = (
    "token_hash__startswith=a",
    "state_hash__gt=5",
    "browser_hash=a",
    "password__startswith=a",
    "user_secret__contains=a",
    "element_token__isnull=0",
    "name__regex=(a%2B)%2B%24",
    "name__regex=(",
    "reason__contains=%00",
    "created_at__year=99999999",
    "at__year=99999999",
    f"id__in={BIG}",
    "id__range=1",
    f"organization__id__in={BIG}",
    "status=%00",
    "status__in=%00",
    "provider=%00",
    "tag=%00",
    "chain=%00",
    "outcome__exact=%00",
    "organization__memberships__user__password__startswith=a",
)


@pytest.fixture
def client(client, team):
    for member in team.otto.memberships.all():
        member.is_operator = member.is_revoker = member.is_auditor = True
        member.save()
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_list_answers_only_what_its_filters_ask(client, question):
    answers = {
        name: client.get(f"{reverse(f'admin:{name}_changelist')}?{question}")
        for name in LISTS
    }

    assert {one.status_code for one in answers.values()} == {400}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["\x00", "a\x00b", "a " * 3000, "\u202e%_\\'"])
def test_any_text_can_be_searched_for(client, name, query):
    page = client.get(f"{reverse(f'admin:{name}_changelist')}?q={quote(query)}")

    assert page.status_code == 200


@pytest.mark.parametrize("app", [BIG, "abc", "٣"])
def test_an_app_that_is_none_has_no_instances(client, emulator, team, app):
    Fleet(emulator, team.acme, team.rita).synced("box")

    page = client.get(f"{reverse('admin:instances_instance_changelist')}?app={app}")

    assert page.status_code in (200, 400)
    assert "box 0" not in page.content.decode()


@pytest.mark.parametrize("term", ["\x00", "a\x00", "a " * 3000])
def test_any_text_can_be_typed_into_a_choice(client, term):
    field = "app_label=instances&model_name=instance&field_name=provider_app"

    page = client.get(f"/admin/autocomplete/?{field}&term={quote(term)}")

    assert page.status_code == 200


ACTIONS = {
    "instances_instance": "probe",
    "teams_organization": "sync",
    "instances_reconnectlink": "cancel",
    "teams_membership": "delete_selected",
}


@pytest.mark.parametrize("tick", ["abc", BIG, "\x00", "", "-1", "1e3", "٣"])
@pytest.mark.parametrize("name", ACTIONS)
def test_ticks_that_are_no_rows_are_refused(client, emulator, team, name, tick):
    waiting(emulator, team.acme)
    before = Run.objects.count()

    answer = client.post(
        reverse(f"admin:{name}_changelist"),
        {"action": ACTIONS[name], "_selected_action": ["1", tick], "index": "0"},
    )

    assert answer.status_code == 400
    assert Run.objects.count() == before


def test_all_rows_of_a_search_that_no_database_knows_are_not_all_rows(
    client, emulator, team
):
    instance = Fleet(emulator, team.acme, team.rita).synced("box")[0]

    answer = client.post(
        f"{reverse('admin:instances_instance_changelist')}?q=%00zzz",
        {"action": "probe", "_selected_action": [instance.pk], "select_across": "1"},
    )

    assert answer.status_code == 302
    assert not Run.objects.filter(kind="probe").exists()  # none is called so


@pytest.mark.parametrize("pk", [BIG, "9" * 5000, "%00", "abc", "-1", "1e5"])
@pytest.mark.parametrize("view", ["change", "delete", "history"])
def test_a_page_of_a_row_that_cannot_be_is_not_found(client, pk, view):
    for name in LISTS:
        answer = client.get(f"/admin/{name.replace('_', '/')}/{pk}/{view}/")
        assert answer.status_code in (302, 403, 404), name


@pytest.mark.parametrize("pk", [BIG, "%00", "abc"])
@pytest.mark.parametrize(
    "button",
    [
        "instances/instance/{}/act/probe/",
        "instances/run/{}/do/start/",
        "instances/reconnectlink/{}/do/cancel/",
        "teams/organization/{}/test/",
        "teams/organization/{}/sync/",
        "providers/providerapp/{}/test/",
    ],
)
def test_a_button_of_a_row_that_cannot_be_is_not_found(client, button, pk):
    assert client.post(f"/admin/{button.format(pk)}").status_code == 404
