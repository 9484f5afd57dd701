"""The list of items: nothing of what a link asked narrows it unseen."""

from django.urls import reverse
from django.utils import timezone

from instances.choices import RunKind
from tests.instances.charted import a_run, an_instance, an_item
from tests.teams.inviting import browser

ITEMS = reverse("admin:instances_item_changelist")


def test_what_a_link_asks_is_on_chips_and_goes_with_the_others(team):
    asked, other = (a_run(team.acme, timezone.now(), RunKind.PROBE) for _ in range(2))
    for one in (asked, other):
        box = an_instance(team.acme, one.pk)
        an_item(one, box, "dead", cause="grant_dead")
    client = browser(team.rita)

    page = client.get(
        f"{ITEMS}?run__id__exact={asked.pk}&cause__exact=grant_dead&outcome__exact=dead"
    )

    changelist, html = page.context["cl"], page.content.decode()
    assert changelist.result_count == 1
    assert f"Run: {asked}" in html
    assert "Cause: grant_dead" in html
    cleared = client.get(ITEMS + changelist.clear_all_filters_qs)
    assert cleared.context["cl"].result_count == 2
    assert "Clear all filters" not in cleared.content.decode()


def test_one_chip_goes_alone(team):
    run = a_run(team.acme, timezone.now(), RunKind.PROBE)
    an_item(run, an_instance(team.acme, 1), "dead", cause="grant_dead")
    asked = f"{ITEMS}?run__id__exact={run.pk}&cause__exact=other"
    changelist = browser(team.rita).get(asked).context["cl"]

    (cause,) = [one for one in changelist.filter_specs if one.title == "cause"]

    without, same = (one["query_string"] for one in cause.choices(changelist))
    assert without == f"?run__id__exact={run.pk}"
    assert "cause__exact=other" in same
    assert f"run__id__exact={run.pk}" in same


def test_every_question_of_other_pages_has_words(team):
    box = an_instance(team.acme, 1)
    query = (
        f"?instance__exact={box.pk}&provider_key__exact=box&cleared_at__isnull=True"
        "&outcome__in=dead,disabled"
    )
    html = browser(team.rita).get(ITEMS + query).content.decode()

    for words in (
        "Instance: Box 1",
        "Provider: Box",
        "Concern: open",
        "Outcome: Dead, Disabled",
    ):
        assert words in html


def test_a_reason_is_told_in_a_sentence_beside_its_word(team):
    run = a_run(team.acme, timezone.now(), RunKind.PROBE)
    an_item(run, an_instance(team.acme, 1), "dead", cause="grant_dead")

    html = browser(team.rita).get(ITEMS).content.decode()

    assert '<br><code class="small muted">grant_dead</code>' in html


def test_a_chip_names_no_row_of_somebody_else(team):
    foreign = a_run(team.other, timezone.now(), RunKind.PROBE)

    page = browser(team.rita).get(f"{ITEMS}?run__id__exact={foreign.pk}")

    assert str(foreign) not in page.content.decode()
    assert f"Run: {foreign.pk}" in page.content.decode()


def test_ones_own_drafts_are_named_on_the_list_of_runs(team):
    runs = reverse("admin:instances_run_changelist")
    client = browser(team.rita)

    html = client.get(f"{runs}?requested_by__id__exact={team.rita.pk}").content

    assert "By: me" in html.decode()


def test_the_runs_at_work_are_named_by_their_statuses(team):
    runs = reverse("admin:instances_run_changelist")

    html = browser(team.rita).get(f"{runs}?status__in=planning,running").content

    assert "Status: Planning, Running" in html.decode()
