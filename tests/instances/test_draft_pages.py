"""The draft of a run: what dies, the way back with its selection, and that nothing starts twice or unasked."""

import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from ceadmin import ui
from ceadmin.audit.models import Event
from instances import runs, selection
from instances.admin import timeline
from instances.choices import Outcome, RunKind, RunStatus
from instances.models import Instance, Item, Run
from tests.instances.crowds import make_instances, make_run
from tests.instances.fleet import Fleet, only_item

LIST = "admin:instances_instance_changelist"


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def rita(client, team):
    client.force_login(team.rita)
    return client


def address(run: Run) -> str:
    return reverse("admin:instances_run_change", args=[run.pk])


def press(client, run: Run, act: str, **typed: str):
    return client.post(reverse("admin:instances_run_do", args=[run.pk, act]), typed)


def drafted(team, kind=RunKind.REVOKE, chosen=None) -> Run:
    """Return a draft of instances that no platform knows."""
    now = timezone.now()
    run = runs.create(
        kind,
        team.acme,
        chosen or selection.everything(),
        user=team.rita,
        now=now,
    )
    runs.plan(run.pk, now=now)
    run.refresh_from_db()
    return run


def said(answer) -> list[str]:
    return [str(one) for one in get_messages(answer.wsgi_request)]


# What dies


def test_what_dies_is_counted_by_its_reach_and_the_widest_first(rita, team):
    keys = ("dropbox", "salesforce", "facebook", "hubspot", "shopify", "evernote")
    make_instances(team.acme, len(keys))
    for key, one in zip(keys, Instance.objects.order_by("pk"), strict=True):
        Instance.objects.filter(pk=one.pk).update(provider_key=key)
    run = drafted(team)

    page = rita.get(address(run))

    assert page.context["kinds"] == [
        ("the whole installation of the app", 1),
        ("everything that the user gave the app", 1),
        ("access and refresh token", 2),
        ("the token that is sent", 1),
    ]
    assert page.context["preview"].impossible == 1  # Evernote's has steps for a person
    assert "everything that the user gave the app" in page.content.decode()


def test_only_the_access_token_is_another_reach(rita, team):
    make_instances(team.acme, 1, provider_key="salesforce")
    run = drafted(team)
    Run.objects.filter(pk=run.pk).update(options={"only": "access"})

    assert rita.get(address(run)).context["kinds"] == [("the token that is sent", 1)]


def test_a_run_that_kills_nothing_has_no_such_line(rita, team):
    make_run(team.acme, 3)
    run = make_run(team.acme, 3, status=RunStatus.DRAFT, options={"dry_run": True})

    assert rita.get(address(run)).context["kinds"] == []


# The list


def test_the_whole_list_can_be_searched(rita, team):
    make_instances(team.acme, 15)
    run = drafted(team)
    page = rita.get(address(run)).content.decode()
    form = re.search(r'<form[^>]*role="search"[^>]*action="([^"]+item/)">', page)

    found = rita.get(form[1], {"run__id__exact": run.pk, "q": "Box 14"})

    assert f'name="run__id__exact" value="{run.pk}"' in page
    assert [one.instance_name for one in found.context["cl"].result_list] == ["Box 14"]


def test_an_instance_that_was_removed_since_is_named_as_such(rita, team):
    make_instances(team.acme, 2)
    run = drafted(team)
    Instance.objects.filter(remote_id="1").delete()

    page = rita.get(address(run)).content.decode()

    assert page.count("removed here since") == 1
    assert "Box 1" in page


# The way back


def test_the_way_back_to_single_rows_has_them_selected(rita, team):
    make_instances(team.acme, 5)
    chosen = sorted(Instance.objects.values_list("pk", flat=True))[1:3]
    run = drafted(team, chosen=selection.of_instances(chosen))
    back = rita.get(address(run)).context["way_back"]

    page = rita.get(back)

    assert [one.pk for one in page.context["cl"].result_list] == chosen
    ticked = re.findall(
        r"<input[^>]*_selected_action[^>]*checked", page.content.decode()
    )
    assert len(ticked) == 2
    assert "checked" not in "".join(
        BOX.findall(rita.get(reverse(LIST)).content.decode())
    )


BOX = re.compile(r"<input[^>]*_selected_action[^>]*>")


def test_the_way_back_to_a_filter_is_the_filter(rita, team):
    make_instances(team.acme, 3)
    parts = {"status": ["connected"], "provider": ["box"], "search": "Box & 1"}
    run = drafted(team, chosen=selection.of_filter(parts))

    back = rita.get(address(run)).context["way_back"]

    listing, _, query = back.partition("?")
    wanted = {"provider=box", "q=Box+%26+1", "status=connected"}
    assert (listing, set(query.split("&"))) == (reverse(LIST), wanted)


def test_what_the_list_cannot_filter_comes_back_row_by_row(rita, team):
    make_instances(team.acme, 3)
    both = selection.of_filter({"status": ["connected", "revoked"]})
    run = drafted(team, chosen=both)

    back = rita.get(address(run)).context["way_back"]

    assert rita.get(back).context["cl"].result_count == 3


def test_another_organization_s_draft_leads_nowhere(client, team):
    make_instances(team.acme, 3)
    make_instances(team.other, 2)
    run = drafted(team)
    client.force_login(team.eve)

    page = client.get(reverse(LIST), {"drafted": run.pk})

    assert page.context["cl"].result_count == 0
    assert client.get(address(run)).status_code == 404


@pytest.mark.parametrize("value", ["x", "-1", "9" * 18, "0"])
def test_a_number_that_is_no_run_s_shows_nothing(rita, team, value):
    make_instances(team.acme, 1)

    page = rita.get(reverse(LIST), {"drafted": value})

    assert page.context["cl"].result_count == 0


# Nothing starts unasked


def test_a_large_drill_is_confirmed_by_typing_too(rita, team):
    run = make_run(
        team.acme, 12, kind=RunKind.DRILL, status=RunStatus.DRAFT, started_at=None
    )

    refused = press(rita, run, "start", reason="release 5.2", ticket="T-1")

    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Type <code>DRILL 12</code> to start" in page
    assert 'value="release 5.2"' in page
    assert 'value="T-1"' in page
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


def test_a_press_after_signing_in_again_is_not_done_by_itself(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)

    answer = rita.get(reverse("admin:instances_run_do", args=[run.pk, "start"]))

    assert answer.status_code == 405
    assert "Nothing was done" in answer.content.decode()
    assert f'href="{address(run)}"' in answer.content.decode()
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


def test_a_page_that_outlived_its_reader_s_role_says_who_can_help(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)
    team.rita.memberships.update(is_revoker=False)

    refused = press(rita, run, "start", reason="the app leaked")

    assert refused.status_code == 403
    page = refused.content.decode()
    assert "Somebody with the role owner can change that under Team" in page
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


# Nothing starts twice


def test_a_draft_is_started_once_and_the_second_page_says_by_whom(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)

    answers = [press(rita, run, "start", reason="the app leaked") for _ in range(2)]

    assert [one["Location"] for one in answers] == [address(run)] * 2
    assert said(answers[1]) == [
        f"This run was started already, by {team.rita}. It was not started twice."
    ]
    started = Event.objects.filter(action="run_started", run_uid=str(run.uid))
    assert started.count() == 1


def test_a_draft_that_was_discarded_in_another_tab_says_so(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)
    press(rita, run, "discard")

    answer = press(rita, run, "start", reason="the app leaked")
    page = rita.get(answer["Location"]).content.decode()

    assert "discarded or has expired meanwhile, so nothing was started" in page
    assert "Never started: nothing was sent" in page
    assert "Back to the selection" in page


def test_a_discarded_draft_is_called_so_wherever_it_is_told(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)
    press(rita, run, "discard")
    item = run.items.get()
    items = reverse("admin:instances_item_changelist")

    pages = {
        "run": rita.get(address(run)).content.decode(),
        "list": rita.get(reverse("admin:instances_run_changelist")).content.decode(),
        "item": rita.get(f"{items}{item.pk}/change/").content.decode(),
        "items": rita.get(f"{items}?run__id__exact={run.pk}").content.decode(),
    }

    for name, page in pages.items():
        assert ui.pill("discarded") in page, name
        assert ui.pill("queued") not in page, name
        assert ui.pill("expired") not in page, name
    assert "<progress" not in pages["run"]
    assert rita.get(items).context["cl"].result_count == 0
    assert timeline.lines_of(Instance.objects.get(), audits=False) == ()
    assert Event.objects.get(action="run_discarded").run_uid == str(run.uid)
    assert not Event.objects.filter(action="run_stopped").exists()


def test_a_draft_that_nobody_started_in_time_has_expired(rita, team):
    make_instances(team.acme, 1)
    run = drafted(team)
    Run.objects.filter(pk=run.pk).update(
        status=RunStatus.EXPIRED, problem="never_started", finished_at=timezone.now()
    )

    assert ui.pill("expired") in rita.get(address(run)).content.decode()


def ended_badly(team, kind=RunKind.PROBE) -> Run:
    make_instances(team.acme, 1)
    fields = {"finished_at": timezone.now(), "requested_by": team.rita}
    run = make_run(
        team.acme, 1, kind=kind, status=RunStatus.FINISHED, reason="a test", **fields
    )
    Item.objects.filter(run=run).update(
        status="done",
        outcome=Outcome.UNCLEAR,
        finished_at=timezone.now(),
        instance=Instance.objects.get(),
    )
    return run


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.REVOKE])
def test_two_presses_of_retry_make_one_run(rita, team, kind):
    run = ended_badly(team, kind)

    first, second = (press(rita, run, "retry")["Location"] for _ in range(2))

    assert first == second != address(run)
    again = Run.objects.exclude(pk=run.pk).get()
    Run.objects.filter(pk=again.pk).update(
        status=RunStatus.EXPIRED, finished_at=timezone.now()
    )
    assert press(rita, run, "retry")["Location"] not in (first, address(run))


def probe(client, *pks: int):
    chosen = {"action": "probe", "_selected_action": pks}
    return client.post(reverse(LIST), chosen)["Location"]


def test_two_presses_of_a_bulk_action_make_one_run(rita, team):
    make_instances(team.acme, 2)
    one, two = Instance.objects.values_list("pk", flat=True)

    first, second, other = probe(rita, one), probe(rita, one), probe(rita, two)

    assert first == second != other
    Run.objects.update(created_at=timezone.now() - timedelta(seconds=6))
    assert probe(rita, one) not in (first, other)  # much later it is meant


# What it was about is gone


def test_the_pages_of_a_drill_outlive_its_instance(rita, fleet):
    fleet.synced("box")
    run = fleet.run(RunKind.DRILL)
    Instance.objects.all().delete()
    item = only_item(run)

    pages = [
        rita.get(address(run)),
        rita.get(reverse("admin:instances_item_change", args=[item.pk])),
    ]

    assert [page.status_code for page in pages] == [200, 200]
    assert all("Read the token" in page.content.decode() for page in pages)
