"""The request that makes a run of "all N matching" costs the same however many match."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ceadmin.teams.models import User
from instances.choices import RunKind
from instances.models import Instance, Run
from tests.instances.crowds import make_instances, tag_all, vm_steps

FILTERS = ("", "?status=connected", "?tag=eu", "?q=Box", "?p=3", "?provider=box")


@pytest.fixture
def rita(client, team):
    client.force_login(team.rita)
    return client


def press(client, query: str, action: str = "revoke") -> None:
    some = str(Instance.objects.values_list("pk", flat=True).first())
    answer = client.post(
        reverse("admin:instances_instance_changelist") + query,
        {"action": action, "select_across": "1", "_selected_action": some},
    )
    assert answer.status_code == 302
    assert Run.objects.filter(kind=RunKind(action)).count() == 1
    Run.objects.all().delete()


@pytest.mark.parametrize("query", FILTERS)
def test_as_many_queries_for_3000_as_for_100(rita, team, query):
    counts = []
    for number in (100, 3_000):
        Instance.objects.all().delete()
        make_instances(team.acme, number)
        tag_all("eu")
        press(rita, query)  # what is looked up once for good
        with CaptureQueriesContext(connection) as asked:
            press(rita, query)
        counts.append(len(asked))

    assert counts[0] == counts[1]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own steps")
@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("as_superuser", [False, True])
def test_as_much_work_for_3000_as_for_100(rita, team, query, as_superuser):
    User.objects.filter(pk=team.rita.pk).update(is_superuser=as_superuser)
    steps = []
    for number in (100, 3_000):
        Instance.objects.all().delete()
        make_instances(team.acme, number)
        tag_all("eu")
        press(rita, query)
        with vm_steps() as counted:
            press(rita, query)
        steps.append(counted[0])

    # A look at each of 3,000 rows takes at least 3,000 × 5 instructions: 150 hundreds.
    assert steps[1] < steps[0] + 40, steps
