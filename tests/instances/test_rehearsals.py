"""What a draft says before anything is sent: to each kind its own effects, and a dry run starts nothing."""

import pytest
from django.urls import reverse

from instances import runs, selection
from instances.choices import RunKind
from instances.models import Instance
from tests.commands.conftest import manage
from tests.instances.killing import fleet

__all__ = ["fleet"]

ACME = ("--organization", "acme", "--as", "rita@example.com", "--dry-run")


@pytest.fixture
def shared(fleet):
    """Three Box instances, one without an app; one that is not chosen shares a grant."""
    box = fleet.synced("box", 4)
    Instance.objects.filter(pk=box[0].pk).update(provider_app=None)
    pair = [box[2].pk, box[3].pk]
    Instance.objects.filter(pk__in=pair).update(grant_fingerprint="one grant")
    return selection.of_instances([one.pk for one in box[:3]])


@pytest.fixture
def page_of(client, fleet):
    client.force_login(fleet.user)

    def read(run) -> str:
        page = client.get(reverse("admin:instances_run_change", args=[run.pk]))
        assert page.status_code == 200
        return page.content.decode()

    return read


def test_a_draft_counts_what_can_be_revoked_and_names_who_dies_too(
    fleet, shared, page_of
):
    run = fleet.draft(RunKind.REVOKE, shared)

    seen, page = runs.preview(run), page_of(run)

    assert (seen.total, seen.possible, seen.siblings) == (3, 2, 1)
    assert seen.sibling_names == ("box 3",)
    assert "Kills 2 grants at 1 provider." in page
    assert "One cannot be revoked here; the table says why." in page
    assert "One has no provider app" in page
    assert "One instance that you did not select shares a grant" in page
    assert 'name="reason"' in page


def test_what_looks_dead_is_no_certain_kill_and_what_is_disabled_no_certain_death(
    fleet, page_of
):
    rows = fleet.synced("box", 3) + fleet.synced("salesforce", 3)
    for row, status in zip(rows, ["needs_reauth", "disabled", "revoked"], strict=False):
        Instance.objects.filter(pk=row.pk).update(status=status)
    run = fleet.draft(RunKind.REVOKE)

    seen, page = runs.preview(run), page_of(run)

    assert (seen.dead_already, seen.look_dead, seen.disabled) == (3, 3, 1)
    told = "Kills up to 6 grants at 2 providers; 3 look dead already."
    assert told in page and "Kills 6" not in page
    assert "The platform disabled one of these" in page


def test_what_cannot_be_revoked_is_not_among_what_looks_dead(fleet, page_of):
    one, other = fleet.synced("salesforce", 1)[0], fleet.synced("box", 2)[0]
    Instance.objects.filter(pk__in=[one.pk, other.pk]).update(status="disabled")
    Instance.objects.filter(pk=other.pk).update(provider_app=None)
    run = fleet.draft(RunKind.REVOKE)

    seen, page = runs.preview(run), page_of(run)

    assert (seen.possible, seen.dead_already, seen.look_dead) == (2, 2, 1)
    assert "Kills up to 2 grants at 2 providers; one looks dead already." in page


@pytest.mark.parametrize(
    "kind", [RunKind.REVOKE, RunKind.PROBE, RunKind.RECONNECT, RunKind.DRILL]
)
def test_a_dry_run_shows_the_same_and_offers_no_start(fleet, shared, page_of, kind):
    sent = fleet.emulator.log()
    run = fleet.draft(kind, shared, dry_run=True)

    page = page_of(run)

    assert "This is a dry run" in page
    assert reverse("admin:instances_run_do", args=[run.pk, "start"]) not in page
    assert reverse("admin:instances_run_do", args=[run.pk, "discard"]) in page
    assert fleet.emulator.log() == sent


@pytest.mark.parametrize("kind", [RunKind.RECONNECT, RunKind.DRILL])
def test_before_links_are_made_those_that_do_not_come_back_are_counted(
    fleet, page_of, kind
):
    fleet.app("salesforce", mode="theirs")
    fleet.synced("salesforce", 2)
    fleet.synced("box", 1)

    page = page_of(fleet.draft(kind, dry_run=True))

    told = "2 of 3 do not come back here by themselves: consent goes to app.customer"
    assert told in page
    assert "by themselves" not in page_of(fleet.draft(RunKind.PROBE, dry_run=True))


@pytest.mark.parametrize(
    ("kind", "possible", "sentence"),
    [
        (RunKind.PROBE, 3, "Asks 3 instances"),
        (RunKind.RECONNECT, 2, "Makes 2 reconnect links"),
    ],
)
def test_what_kills_nothing_threatens_nobody(
    fleet, shared, page_of, kind, possible, sentence
):
    run = fleet.draft(kind, shared, dry_run=True)

    seen, page = runs.preview(run), page_of(run)

    assert (seen.total, seen.possible, seen.siblings) == (3, possible, 0)
    assert sentence in page
    for word in ("Kills", "cannot be undone", "dies", "revoked here"):
        assert word not in page


@pytest.mark.parametrize("kind", ["probe", "reconnect"])
def test_a_command_s_dry_run_threatens_nobody_either(fleet, shared, kind):
    ids = [
        str(one)
        for one in Instance.objects.order_by("pk")[:3].values_list(
            "remote_id", flat=True
        )
    ]

    told = manage("run", kind, "--instance", *ids, *ACME)
    as_json = manage("run", kind, "--instance", *ids, *ACME, "--json")

    assert told.code == 0
    assert "die" not in told.text
    assert (as_json.json["siblings"], as_json.json["effects"][0]["kills"]) == (0, "")
