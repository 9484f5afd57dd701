"""The list of instances: pages, filters, search and order, the same however many there are."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from instances.admin.drafted import way_back
from instances.bounded import MOST
from instances.finding import REACH, Question, count, find
from instances.models import Instance, ListChoice, Run
from tests.instances.listing import (
    LIST,
    made,
    many,
    names,
    page,
    queries_of,
    tagged,
    walked,
)
from tests.people import PASSWORD, make_organization


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def test_every_instance_is_on_one_page_in_the_order_of_names(rita, acme):
    many(acme, 120)
    made(acme, "alpha", "Alpha", "ALPHA", "Ängström", "مرحبا بكم", "🚀 rocket")

    pages = walked(rita)

    every = [name for one in pages for name in one]
    assert [len(one) for one in pages] == [50, 50, 26]
    assert sorted(every) == sorted(Instance.objects.values_list("name", flat=True))
    assert [name.lower() for name in every[:3]] == ["alpha"] * 3


def test_many_of_the_same_name_are_told_apart_by_a_page(rita, acme):
    made(acme, *["Twin"] * 120)

    assert [len(one) for one in walked(rita)] == [50, 50, 20]


@pytest.mark.parametrize("sort", ["-name", "since", "-since"])
def test_pages_go_on_in_every_order(rita, acme, sort):
    many(acme, 75)

    pages = walked(rita, f"?sort={sort}")

    key = {"name": "name", "since": "status_since"}[sort.removeprefix("-")]
    descending = sort in ("-name", "since")
    wanted = Instance.objects.order_by(f"{'-' if descending else ''}{key}")
    assert [name for one in pages for name in one] == [one.name for one in wanted]


def test_a_page_turned_after_its_last_row_went_begins_again(rita, acme):
    rows = many(acme, 75)
    query = page(rita, "?view=all").context["cl"].next_query
    Instance.objects.filter(name=rows[49].name).delete()

    assert names(page(rita, query))[0] == rows[0].name
    assert names(page(rita, "?after=nonsense"))[0] == rows[0].name


def test_two_organizations_stand_in_one_order(client, team, acme):
    other = make_organization("Umbrella")
    team.rita.memberships.create(organization=other)
    assert client.login(username=team.rita.email, password=PASSWORD)
    many(acme, 60, "A")
    many(other, 60, "A")
    many(team.other, 60, "A")

    pages = walked(client)

    whole = [name for one in pages for name in one]
    assert whole == sorted(whole)
    assert len(whole) == 120


FILTERED = {
    "?status=disabled": ["Two"],
    "?provider=salesforce": ["Three", "Two"],
    "?status=connected&provider=salesforce": ["Three"],
    "?status=not_working": ["Two"],
    "?status=not_working&provider=salesforce": ["Two"],
    "?status=not_working&sort=-since": ["Two"],
    "?status=not_working&q=t": ["Two"],
    "?status=not_working&tag=eu": [],
    "?tag=eu": ["One", "Three"],
    "?tag=eu&provider=salesforce": ["Three"],
    "?tag=eu&q=th": ["Three"],
    "?status=disabled&sort=since": ["Two"],
    "?provider=salesforce&sort=since": ["Two", "Three"],
    "?q=t": ["Three", "Two"],
    "?q=t&status=disabled": ["Two"],
    "?q=eu": ["One", "Three"],
    "?q=eu&status=disabled": [],
    "?q=account-2": ["Two"],
    "?q=demo1:shared": ["Three", "Two"],
    "?q=acme-0": ["One"],
    "?q=wo": [],
}


@pytest.mark.parametrize("query", FILTERED)
def test_filters_and_searches_find_what_they_say(rita, team, acme, query):
    (one,) = made(acme, "One")
    shared = {"provider_key": "salesforce", "grant_fingerprint": "demo1:shared"}
    (two,) = made(acme, "Two", status="disabled", account="account-2", **shared)
    (three,) = made(acme, "Three", **shared)
    tagged([one, three], "eu")
    tagged(made(team.other, "Two", "Three", account="account-2", **shared), "eu")

    answer = page(rita, query)

    assert names(answer) == FILTERED[query]
    assert set(answer.context["cl"].get_queryset(answer.wsgi_request)) == {
        row for row in (one, two, three) if row.name in FILTERED[query]
    }


def test_what_no_index_answers_is_looked_through_and_said(rita, acme):
    rows = many(acme, 2 * REACH + 10, element_key="box")
    Instance.objects.filter(pk=rows[-1].pk).update(element_key="other")
    question = Question((acme.pk,), equal=(("element_key", "other"),))

    pages = [find(question, "", 50)]
    while pages[-1].after:
        pages.append(find(question, pages[-1].after, 50))

    assert [one.pks for one in pages] == [[], [], [rows[-1].pk]]
    assert [one.reached for one in pages] == [True, True, False]


def test_a_page_that_looked_through_a_thousand_says_how_to_go_on(rita, acme):
    rows = many(acme, REACH + 200, provider_key="salesforce")
    Instance.objects.filter(pk=rows[-1].pk).update(provider_key="box")  # the oldest

    first = page(rita, "?provider=box&sort=since")
    second = page(rita, first.context["cl"].next_query)

    assert "Look further" in first.content.decode()
    assert (names(first), names(second)) == ([], [rows[-1].name])


def test_counts_stop_and_say_that_there_are_more(rita, acme):
    many(acme, MOST + 5)
    many(acme, 3, "Off", status="disabled")

    shown = page(rita, "?view=all").content.decode()

    assert "1,000+ instances" in shown
    assert 'Connected <span class="chip-count">1,000+</span>' in shown
    assert 'Disabled <span class="chip-count">3</span>' in shown
    assert count(Question((acme.pk,))).more
    assert count(Question((acme.pk,), equal=(("status", "disabled"),))).number == 3


def test_a_chip_counts_what_is_left_beside_the_others(rita, acme):
    many(acme, 4)
    many(acme, 2, "Off", status="disabled")
    many(acme, 7, "Sales", provider_key="salesforce")

    shown = page(rita, "?provider=box").content.decode()
    searched = page(rita, "?q=off").content.decode()

    assert 'Connected <span class="chip-count">4</span>' in shown
    assert 'Salesforce <span class="chip-count">7</span>' in shown
    assert "chip-count" not in searched


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_list_and_a_single_row_say_so(rita, acme, rows):
    many(acme, rows)

    shown = page(rita, "?view=all").content.decode()

    assert ("No instances here" in shown, "1 instance<" in shown) == (
        rows == 0,
        rows == 1,
    )


QUERIES = (
    *("?view=all", "?status=connected", "?provider=box", "?tag=eu", "?sort=since"),
    *("?status=connected&provider=box", "?tag=eu&status=connected", "?q=name"),
    *("?q=eu", "?q=nothing"),
)


def test_a_page_makes_as_many_queries_for_two_rows_as_for_a_thousand(rita, acme):
    tagged(many(acme, 2, grant_fingerprint="demo1:a"), "eu")
    page(rita, "?view=all")
    few = {query: len(queries_of(rita, query)) for query in QUERIES}
    tagged(many(acme, 1_200, "Name more", grant_fingerprint="demo1:b"), "eu")

    made_for_many = {query: queries_of(rita, query) for query in QUERIES}

    # A page that is not the only one counts what fits, once.
    assert {query: len(sql) for query, sql in made_for_many.items()} == pytest.approx(
        few, abs=2
    )
    assert max(few.values()) <= 40
    counting = [sql for sqls in made_for_many.values() for sql in sqls]
    unbounded = [
        sql
        for sql in counting
        if "COUNT(" in sql and "instances_instance" in sql and "LIMIT" not in sql
    ]
    assert unbounded == []


def test_the_columns_are_those_that_a_person_chose(rita, team, acme):
    made(acme, "One", account="account-1")
    usual = page(rita, "?view=all").content.decode()

    answer = rita.post(
        reverse("admin:instances_instance_columns"),
        {
            "column": ["account", "remote_id", "nonsense"],
            "next": f"{reverse(LIST)}?q=o",
        },
    )

    shown = page(rita, "?view=all").content.decode()
    assert answer["Location"] == f"{reverse(LIST)}?q=o"
    assert ListChoice.objects.get(user=team.rita).columns == ["account", "remote_id"]
    assert "account-1" in shown
    assert "account-1" not in usual
    assert 'class="column-state"' in usual
    assert 'class="column-state"' not in shown


def test_a_button_leads_back_into_the_list_only(rita):
    form = {"column": [], "next": "https://evil.example/"}

    answer = rita.post(reverse("admin:instances_instance_columns"), form)

    assert answer["Location"] == reverse(LIST)


def test_dependents_are_those_that_share_a_grant_in_the_organization(rita, team, acme):
    made(acme, "Alone", "Apart")
    made(acme, "One", "Two", "Three", grant_fingerprint="demo1:same")
    made(team.other, "Foreign", grant_fingerprint="demo1:same")

    rows = {one.name: one for one in page(rita, "?view=all").context["cl"].result_list}

    assert vars(rows["One"])["siblings_found"] == 2
    assert vars(rows["Alone"])["siblings_found"] == 0


def test_a_status_says_why(rita, acme):
    made(acme, "Dead", status="needs_reauth", status_reason="grant_dead")

    shown = page(rita, "?view=all").content.decode()

    assert "The provider no longer accepts this instance" in shown


def test_ticks_of_other_pages_come_along(rita, acme):
    rows = many(acme, 60)
    form = {"action": "probe", "index": "1", "_selected_action": [rows[0].pk]}

    rita.post(reverse(LIST), {**form, "ticked": f"{rows[55].pk},{rows[56].pk}"})

    chosen = Run.objects.get().selection["instances"]
    assert chosen == sorted([rows[0].pk, rows[55].pk, rows[56].pk])


def test_foreign_and_impossible_ticks_start_nothing(rita, team, acme):
    (mine,) = made(acme, "Mine")
    (foreign,) = made(team.other, "Foreign")
    form = {"action": "probe", "index": "1", "_selected_action": [mine.pk]}

    answers = [
        rita.post(reverse(LIST), {**form, "ticked": ticked})
        for ticked in (f"{foreign.pk}", "1,abc", ",".join(["1"] * 5_001))
    ]

    assert [one.status_code for one in answers] == [302, 400, 400]
    assert not Run.objects.exists()


def test_all_that_match_needs_no_tick(rita, acme):
    many(acme, 60)
    form = {"action": "probe", "index": "1", "select_across": "1"}

    rita.post(f"{reverse(LIST)}?status=connected&sort=since&after=0n-1", form)

    assert Run.objects.get().selection == {
        "version": 1,
        "filter": {"status": ["connected"]},
    }


def test_a_search_in_vain_says_what_is_searched_and_offers_the_provider(rita, acme):
    made(acme, "One", provider_key="salesforce")

    html = page(rita, "?q=salesf&status=connected").content.decode()

    assert "A search finds the beginning of a name" in html
    (query,) = re.findall(r'<a href="\?([^"]*)">Show instances of', html)
    assert {*query.split("&amp;")} == {"status=connected", "provider=salesforce"}
    assert "Show instances of Salesforce" in html
    assert "Show instances of" not in page(rita, "?q=nothing").content.decode()


def test_a_button_pressed_with_nothing_ticked_says_so(rita, acme):
    made(acme, "One")

    answer = rita.post(reverse(LIST), {"action": "probe", "index": "1"}, follow=True)

    assert "Nothing was done: tick rows first." in answer.content.decode()
    assert not Run.objects.exists()


def test_all_that_do_not_work_are_meant_by_their_statuses(rita, acme):
    made(acme, "One", status="disabled")
    form = {"action": "probe", "index": "1", "select_across": "1"}

    rita.post(f"{reverse(LIST)}?status=not_working", form)

    meant = {"status": ["disabled", "needs_reauth", "revoked"]}
    run = Run.objects.get()
    assert run.selection == {"version": 1, "filter": meant}
    assert way_back(run) == f"{reverse(LIST)}?status=not_working"


def test_those_that_do_not_work_are_counted_on_their_chip(rita, acme):
    made(acme, "One", "Two", status="revoked")
    made(acme, "Three", status="needs_reauth")
    made(acme, "Four")

    (chip,) = [
        one for one in page(rita).context["cl"].filter_specs if one.title == "status"
    ]

    counted = dict(chip.lookup_choices)
    assert "Does not work" in counted["not_working"]
    assert ">3<" in counted["not_working"]


def test_the_file_has_every_row_and_no_formula(rita, team, acme):
    at = timezone.now().replace(microsecond=0) - timedelta(days=1)
    many(acme, 1_100)
    made(acme, '=HYPERLINK("evil")', probed_at=at, status_reason="grant_dead")
    made(team.other, "Foreign")

    answer = rita.get(reverse("admin:instances_instance_export") + "?provider=box")
    lines = b"".join(answer.streaming_content).decode().splitlines()

    assert len(lines) == 1_102
    assert '"remote_id","name","status_reason","provider","status"' in lines[0]
    (evil,) = [line for line in lines if "HYPERLINK" in line]
    assert '"\'=HYPERLINK(""evil"")"' in evil
    assert f"{at:%Y-%m-%dT%H:%M:%S}+00:00" in evil
    assert "Foreign" not in "".join(lines)


@pytest.mark.parametrize("query", ["acme p", "eu", "demo1:theirs", "acme-0"])
def test_the_search_above_finds_what_the_list_finds(rita, team, acme, query):
    tagged(made(acme, "Acme Paris", grant_fingerprint="demo1:theirs"), "eu")
    made(team.other, "Acme Prague", grant_fingerprint="demo1:theirs")

    found = rita.get(reverse("admin:search"), {"q": query}).content.decode()

    assert "Acme Paris" in found
    assert "Prague" not in found
