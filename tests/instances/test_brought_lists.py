"""A list of ids or names that somebody brings: what each line is, and acting on what was found."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.bringing import (
    MOST_BYTES,
    MOST_LINES,
    Problem,
    TooMuch,
    lines_of,
    sort_out,
    text_of,
)
from instances.choices import RunKind, RunStatus
from instances.models import BroughtList, Item, Run
from tests.instances.listing import made, many
from tests.people import PASSWORD

BRING = "admin:instances_instance_bring"


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def bring(client, data: bytes | str, name: str = "list.csv"):
    """Upload a file; return where that led."""
    raw = data.encode() if isinstance(data, str) else data
    form = {"file": SimpleUploadedFile(name, raw)}
    return client.post(reverse(BRING), form, follow=True)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a\nb\r\nc\rd", ["a", "b", "c", "d"]),
        ("\ufeffid;name\n1;x\n;y\n", ["1", "y"]),
        ("name\tother\tremote_id\nx\t\t7\n", ["7"]),
        (
            '"quoted, name",2\n"not closed, 3\nnext\n',
            ["quoted, name", "not closed, 3\n"],
        ),
        ("'=SUM(1)\n'plain\n\n \n", ["=SUM(1)", "'plain"]),
    ],
)
def test_a_list_is_read_as_spreadsheets_write_it(text, values):
    read, _ = text_of(text.encode("utf-8"))

    found = [line.value for line in lines_of(read)]

    assert found[: len(values)] == [value.strip() for value in values]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("Müller".encode(), ""),
        ("Müller".encode("utf-16"), "UTF-16"),
        ("Müller".encode("cp1252"), "Windows-1252"),
    ],
)
def test_a_list_in_another_encoding_is_read_and_that_is_said(data, told):
    text, note = text_of(data)

    assert text.strip("\ufeff") == "Müller"
    assert told in note
    assert bool(told) == bool(note)


def test_every_line_is_found_or_told_with_its_number(acme, team):
    one, two, *_ = made(acme, "One", "two", "Same", "Same", "=evil", "مرحبا 🚀")
    (foreign,) = made(team.other, "Foreign")
    lines = ["One", "TWO", one.remote_id, "Same", "nobody", "=evil", "مرحبا 🚀"]
    lines += [foreign.remote_id, "Foreign", ",,", "x" * 300, "bad\x07bell"]

    told = sort_out("\n".join(lines), [acme.pk])

    assert told.lines == len(lines)
    assert told.found[:2] == [one.pk, two.pk]
    assert len(told.found) == 4
    assert [(number, word) for number, _, word in told.problems] == [
        (3, Problem.AGAIN),
        (4, Problem.AMBIGUOUS),
        *((number, Problem.NOT_FOUND) for number in (5, 8, 9)),
        (10, Problem.EMPTY),
        (11, Problem.TOO_LONG),
        (12, Problem.CHARACTER),
    ]


def test_a_file_full_of_nul_is_told_line_by_line(rita):
    page = bring(rita, "One\nTwo\n".encode("utf-16-le"))

    assert page.status_code == 200
    assert "Save the file as UTF-8." in page.content.decode()
    kept = BroughtList.objects.get().problems
    assert kept[0] == [1, "O\\x00n\\x00e\\x00", Problem.CHARACTER]


def test_an_exact_name_wins_over_one_with_other_capitals(acme):
    lower, upper = made(acme, "acme", "Acme")

    told = sort_out("Acme\nacme\nACME", [acme.pk])

    assert told.found == [upper.pk, lower.pk]
    assert told.problems == [(3, "ACME", Problem.AMBIGUOUS)]


def test_the_same_id_in_two_organizations_is_told(acme, team):
    mine = made(acme, "Mine")[0]
    made(team.other, "Theirs")
    type(mine).objects.update(remote_id="77")

    assert sort_out("77", [acme.pk]).found == [mine.pk]
    both = sort_out("77", [acme.pk, team.other.pk])
    assert both.problems == [(1, "77", Problem.AMBIGUOUS)]


def test_fifty_thousand_lines_with_errors_take_few_queries(
    acme, django_assert_max_num_queries
):
    rows = many(acme, 3_000)
    lines = [one.remote_id if n % 2 else one.name for n, one in enumerate(rows)]
    lines += [f"nobody {n}" for n in range(40_000)] + [" ,"] * 7_000

    with django_assert_max_num_queries(25):
        told = sort_out("\n".join(lines), [acme.pk])

    assert len(told.found) == 3_000
    assert Counter(word for _, _, word in told.problems) == {
        "not_found": 40_000,
        "empty": 7_000,
    }


def test_too_large_a_list_is_refused_with_a_sentence(rita, acme):
    page = bring(rita, b"x" * (MOST_BYTES + 1))
    with pytest.raises(TooMuch, match="100,000 lines"):
        sort_out("x\n" * (MOST_LINES + 1), [acme.pk])

    assert page.status_code == 422
    assert "larger than 10 MB" in page.content.decode()
    assert not BroughtList.objects.exists()


def test_nothing_at_all_is_said_and_what_was_typed_stays(rita):
    page = rita.post(reverse(BRING), {"typed": "  \n"})

    assert page.status_code == 422
    assert "There was nothing in it" in page.content.decode()


def test_the_page_tells_what_was_found_and_what_was_not(rita, acme):
    made(acme, "One", "Same", "Same")

    page = bring(rita, "name\nOne\nSame\n<b>nobody</b>\n").content.decode()

    assert "1 instance found" in page
    assert "2 of 3 lines cannot be acted on" in page
    assert "Line 3" in page
    assert "&lt;b&gt;nobody" in page
    assert "<b>nobody" not in page


def test_the_lines_left_are_a_file_without_formulas(rita):
    bring(rita, "=cmd()\n@x\n")
    one = BroughtList.objects.get()

    answer = rita.get(reverse("admin:instances_instance_report", args=[one.uid]))

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[1:] == ['"1","\'=cmd()","Not found"', '"2","\'@x","Not found"']


def test_what_was_found_becomes_a_draft_of_just_these(rita, acme):
    rows = many(acme, 5)
    bring(rita, "\n".join(one.remote_id for one in rows[:3]))
    one = BroughtList.objects.get()

    answer = rita.post(
        reverse("admin:instances_instance_brought_act", args=[one.uid, "revoke"])
    )

    run = Run.objects.get(kind=RunKind.REVOKE)
    runs.plan(run.pk, now=timezone.now())
    assert answer["Location"] == reverse("admin:instances_run_change", args=[run.pk])
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT
    assert set(Item.objects.values_list("instance", flat=True)) == {
        one.pk for one in rows[:3]
    }


def test_a_list_of_more_than_a_statement_has_parameters_is_acted_on(rita, team, acme):
    many(acme, 3)
    one = BroughtList.objects.create(
        user=team.rita,
        made_at=timezone.now(),
        lines=40_000,
        found=[*range(10**6, 10**6 + 40_000), acme.instances.earliest("pk").pk],
    )

    rita.post(reverse("admin:instances_instance_brought_act", args=[one.uid, "probe"]))

    assert len(Run.objects.get().selection["instances"]) == 1


def test_a_list_is_its_makers_alone(rita, client, team, acme):
    made(acme, "One")
    bring(rita, "One")
    one = BroughtList.objects.get()
    assert client.login(username=team.olga.email, password=PASSWORD)

    answers = [
        client.get(reverse("admin:instances_instance_brought", args=[one.uid])),
        client.get(reverse("admin:instances_instance_report", args=[one.uid])),
        client.post(
            reverse("admin:instances_instance_brought_act", args=[one.uid, "probe"])
        ),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert not Run.objects.exists()


def test_who_lost_an_organization_acts_on_nothing_of_it(rita, team, acme):
    made(acme, "One")
    bring(rita, "One")
    one = BroughtList.objects.get()
    team.rita.memberships.update(organization=team.other)

    page = rita.get(reverse("admin:instances_instance_brought", args=[one.uid]))
    rita.post(reverse("admin:instances_instance_brought_act", args=[one.uid, "probe"]))

    assert "not in your view any more" in page.content.decode()
    assert not Run.objects.exists()


def test_a_viewer_is_offered_no_act(client, team, acme):
    made(acme, "One")
    assert client.login(username=team.vic.email, password=PASSWORD)

    page = bring(client, "One").content.decode()

    assert "1 instance found" in page
    assert "/start/" not in page


def test_old_lists_are_forgotten(rita, team, acme):
    for _ in range(22):
        bring(rita, "x")
    BroughtList.objects.update(made_at=timezone.now() - timedelta(days=2))
    kept = BroughtList.objects.count()
    bring(rita, "x")

    assert (kept, BroughtList.objects.count()) == (20, 1)
