"""An old run, thinned out: its pages, its file and the commands still work, and say so."""

import pytest
from django.urls import reverse

from instances import runs
from instances.choices import RunKind
from instances.models import Attempt
from tests.commands.conftest import manage
from tests.instances.aged import CALLS, old, thin
from tests.people import PASSWORD

__all__ = ["old"]


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def page_of(client, row) -> str:
    name = f"admin:instances_{row._meta.model_name}_change"
    answer = client.get(reverse(name, args=[row.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def thinned(old):
    """A probe whose items were removed."""
    run = old()
    thin()
    run.refresh_from_db()
    return run


def test_its_page_keeps_the_counts_and_says_what_was_removed(rita, thinned):
    page = page_of(rita, thinned)

    assert "The items of this run were removed on" in page
    assert "1 of 3 needs attention" in page
    assert "All 3 items" not in page
    assert "outcome__exact" not in page


def test_its_poll_brings_the_same(rita, thinned):
    told = rita.get(reverse("admin:instances_run_live", args=[thinned.pk])).json()

    assert told["summary"].startswith("3 of 3 done")
    assert told["can_retry"] is False


def test_it_is_not_retried(rita, thinned, team):
    with pytest.raises(runs.RunError, match="removed"):
        runs.retry(thinned, user=team.rita, now=thinned.finished_at)


def test_its_file_says_that_it_is_what_is_left(rita, thinned):
    answer = rita.get(reverse("admin:instances_run_items", args=[thinned.pk]))

    assert "-what-is-left.csv" in answer["Content-Disposition"]
    assert len(b"".join(answer.streaming_content).splitlines()) == 1


def test_the_list_of_runs_keeps_its_counts(thinned):
    ended = manage("runs", "--as", "vic@example.com", "--json")

    run = ended.json[0]
    assert (run["total"], run["done"], run["outcomes"]) == (
        3,
        3,
        {"connected": 2, "dead": 1},
    )
    assert run["items_removed_at"]
    assert "3 of 3" in manage("runs", "--as", "vic@example.com").text


def test_an_item_whose_calls_were_removed_does_not_claim_that_none_were_sent(rita, old):
    run = old(ago=CALLS)
    item = run.items.first()
    assert "elements/api-v2/ping" in page_of(rita, item)
    thin()

    page = page_of(rita, item)

    assert "Nothing was sent" not in page
    assert "The single calls of this run were removed on" in page


def test_an_old_drill_shows_no_steps_rather_than_steps_not_reached(rita, old):
    run = old(1, ago=CALLS, kind=RunKind.DRILL)
    run.items.update(outcome="reconnected", cause="")
    Attempt.objects.update(step=1)
    assert "step-mark" in page_of(rita, run)
    thin()

    assert "step-mark" not in page_of(rita, run)
    assert "step-mark" not in page_of(rita, run.items.get())
