"""Rows under a key that is not loaded: told at the start, and no more than that row's problem."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.urls import reverse

from ceadmin.checks import refuse
from ceadmin.data_checks import check_data, data_problems
from ceadmin.lib.sealed_columns import sealed_columns
from instances import runs
from instances.choices import RunKind
from instances.models import Instance, Item, ReconnectLink
from tests.instances.crowds import make_instances
from tests.instances.fleet import Fleet
from tests.lib.sealed_rows import KEY_1, KEY_2
from tests.people import PASSWORD

OLD, NEW = f"k1:{KEY_1}", f"k2:{KEY_2}"


@pytest.fixture
def old(settings):
    settings.FIELD_KEYS = OLD
    return settings


def test_nothing_is_wrong_while_all_keys_are_loaded(old, acme):
    old.FIELD_KEYS = f"{NEW},{OLD}"

    assert list(data_problems()) == []


def test_a_missing_key_is_named_with_what_to_do(old, acme, capsys):
    old.FIELD_KEYS = NEW

    problems = list(data_problems())
    code = refuse(problems)

    said = capsys.readouterr().err
    assert (code, [one.id for one in problems]) == (3, ["ceadmin.E014"])
    assert "sealed with the key “k1”" in said
    assert "rotate_keys --forget k1" in said


def test_check_tells_where_the_database_is_asked(old, acme):
    old.FIELD_KEYS = NEW

    assert check_data(databases=None) == []
    with pytest.raises(SystemCheckError, match=r"E014"):
        call_command("check", databases=["default"], stderr=StringIO())


def test_readyz_tells_too(old, acme, client):
    assert client.get("/readyz").json()["parts"]["field_keys"] == "ok"

    old.FIELD_KEYS = NEW

    assert client.get("/readyz").json()["parts"]["field_keys"] == "a key is not loaded"


def test_a_command_stops_as_a_worker_does(old, team):
    old.FIELD_KEYS = NEW

    with pytest.raises(SystemCheckError, match=r"E014"):
        call_command("runs", "--as", team.vic.email, skip_checks=False)


def test_the_ids_of_large_tables_are_found_by_an_index(old, acme):
    make_instances(acme, 5)
    column = next(c for c in sealed_columns() if c.label == "instance.element_token")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # five rows are no table
    ids = column.rows.order_by("key_id").values_list("key_id", flat=True)

    plans = [ids[:1].explain(), ids.filter(key_id__gt="k1")[:1].explain()]

    assert all("instance_by_key" in plan for plan in plans), plans


def test_it_asks_twice_a_column_however_many_rows(
    old, acme, django_assert_max_num_queries
):
    make_instances(acme, 40)
    Instance.objects.update(element_token="")
    for instance in Instance.objects.all():
        instance.element_token = "t"
        instance.save()

    with django_assert_max_num_queries(2 * len(sealed_columns())):
        list(data_problems())


def test_a_row_of_an_unknown_key_is_that_row_s_problem_only(
    old, emulator, team, client
):
    fleet = Fleet(emulator, team.acme, team.rita)
    lost, well = fleet.synced("box", 2)
    old.FIELD_KEYS = f"{NEW},{OLD}"
    lost.element_token = "sealed under a key that goes"
    lost.save()
    old.FIELD_KEYS = OLD

    run = fleet.run(RunKind.PROBE)

    ended = dict(Item.objects.filter(run=run).values_list("instance_id", "cause"))
    assert ended == {lost.pk: "key_missing", well.pk: ""}
    assert "'k2' is not loaded" in Item.objects.get(instance=lost, run=run).explanation
    assert runs.progress(run).outcomes == {"connected": 1, "misconfigured": 1}
    assert client.login(username=team.vic.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_instance_change", args=[lost.pk]))
    assert page.status_code == 200


def test_a_link_of_an_unknown_key_still_has_a_page(old, emulator, team, client):
    fleet = Fleet(emulator, team.acme, team.rita)
    (instance,) = fleet.synced("box")
    run = fleet.run(RunKind.RECONNECT)
    link = ReconnectLink.objects.get(item__run=run)
    old.FIELD_KEYS = NEW
    assert client.login(username=team.olga.email, password=PASSWORD)

    pages = [
        client.get(reverse("admin:instances_reconnectlink_change", args=[link.pk])),
        client.get(reverse("admin:instances_reconnectlink_changelist")),
        client.get(reverse("admin:instances_instance_change", args=[instance.pk])),
        client.get(reverse("admin:instances_run_change", args=[run.pk])),
    ]

    assert [page.status_code for page in pages] == [200] * 4
    assert "cannot be shown: the key" in pages[0].content.decode()
