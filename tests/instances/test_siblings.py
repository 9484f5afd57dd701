"""Who dies with a list: by token, by account and client, by account; and who never does."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.models import Instance
from providers.models import EnabledProvider
from tests.commands.conftest import manage
from tests.instances.kindred import Kindred
from tests.people import PASSWORD, allow_alone

pytestmark = pytest.mark.django_db


@pytest.fixture
def kindred(team) -> Kindred:
    allow_alone(team.acme)
    return Kindred(team.acme, team.rita)


CHOSEN = ("google", "ann", "app", "t1")

#: (chosen, another one) as provider, account, client, token → does the other one die too?
CASES = {
    "same token": (("box", "", "app", "t1"), ("box", "", "other", "t1"), "dies"),
    "same account, own token": (
        ("box", "ann", "app", "t1"),
        ("box", "ann", "app", "t2"),
        "lives",
    ),
    "one grant of a user": (CHOSEN, ("google", "ann", "app", "t2"), "dies"),
    "another user": (CHOSEN, ("google", "bob", "app", "t2"), "lives"),
    "another client": (CHOSEN, ("google", "ann", "other", "t2"), "lives"),
    "a client nobody knows": (CHOSEN, ("google", "ann", "", "t2"), "dies"),
    "chosen without a client": (
        ("google", "ann", "", "t1"),
        ("google", "ann", "app", "t2"),
        "dies",
    ),
    "an account nobody knows": (CHOSEN, ("google", "", "app", "t2"), "doubtful"),
    "chosen without an account": (
        ("google", "", "app", "t1"),
        ("google", "bob", "app", "t2"),
        "doubtful",
    ),
    "no account, another client": (CHOSEN, ("google", "", "other", "t2"), "lives"),
    "one company": (
        ("quickbooks", "9130", "app", "t1"),
        ("quickbooks", "9130", "app", "t2"),
        "dies",
    ),
    "one shop, two merchants": (
        ("shopify", "acme-shop", "app", "t1"),
        ("shopify", "acme-shop", "app", "t2"),
        "dies",
    ),
    "a workspace that nobody names": (
        ("intercom", "admin 1", "app", "t1"),
        ("intercom", "admin 2", "app", "t2"),
        "doubtful",
    ),
    "another provider's account": (CHOSEN, ("xero", "ann", "app", "t2"), "lives"),
    "nothing can be called": (
        ("spotify", "ann", "app", "t1"),
        ("spotify", "ann", "app", "t1"),
        "lives",
    ),
    "nobody knows the provider": (("", "", "", "t1"), ("", "", "", "t1"), "lives"),
}


@pytest.mark.parametrize("case", CASES)
def test_who_dies_is_told_by_how_far_the_provider_s_revocation_reaches(kindred, case):
    chosen, other, fate = CASES[case]
    first, second = (
        kindred.hold(provider, account, client, grant_fingerprint=token)
        for provider, account, client, token in (chosen, other)
    )
    own = Instance.objects.filter(pk=first.pk)

    assert list(own.siblings(kindred.organization)) == (
        [second] if fate == "dies" else []
    )
    assert list(own.doubtful(kindred.organization)) == (
        [second] if fate == "doubtful" else []
    )


def test_where_every_session_of_a_user_ends_no_app_is_spared(kindred):
    chosen = kindred.hold("onedrive", "user-1", "drive app")
    others = [
        kindred.hold("sharepoint", "user-1", "another app"),
        kindred.hold("onedrive", "user-1", ""),
    ]
    kindred.hold("onedrive", "user-2", "drive app")

    found = (
        Instance.objects.filter(pk=chosen.pk)
        .siblings(kindred.organization)
        .order_by("pk")
    )

    assert list(found) == others


def test_a_record_that_is_off_kills_nobody(kindred):
    chosen = kindred.hold("onedrive", "user-1")
    kindred.hold("sharepoint", "user-1")
    run = kindred.draft(chosen)

    before = len(runs.kin_of(run))
    EnabledProvider.objects.create(
        organization=kindred.organization,
        provider_key="onedrive",
        enabled_at=timezone.now(),
    )

    assert (before, len(runs.kin_of(run))) == (0, 1)


def test_another_organization_s_instances_are_never_counted(kindred, team):
    stranger = Kindred(team.other, team.eve)
    stranger.hold("google", "ann", grant_fingerprint="t1")
    chosen = kindred.hold("google", "ann", grant_fingerprint="t1")
    stranger.hold("google", "", grant_fingerprint="t1")
    run = kindred.draft(chosen)

    seen = runs.preview(run)

    assert (seen.siblings, seen.reached) == (0, ())


def family(kindred, count: int):
    """Return a draft over half of `count` instances; the other half dies with it."""
    chosen = []
    for number in range(count // 2):
        chosen.append(kindred.hold("google", f"user {number}"))
        kindred.hold("google", f"user {number}")
    return kindred.draft(*chosen)


def test_a_preview_asks_as_often_for_many_as_for_few(kindred):
    asked = []
    for count in (10, 400):
        run = family(kindred, count)
        with CaptureQueriesContext(connection) as queries:
            seen = runs.preview(run)
        asked.append(len(queries))
        assert seen.siblings == count // 2
        Instance.objects.all().update(account="")  # the next family is another one

    assert asked[0] == asked[1] <= 10


def test_the_draft_names_them_and_links_to_exactly_these(kindred, team, client):
    chosen = kindred.hold("google", "ann")
    kindred.hold("google", "ann", name="Ann's sheets")
    kindred.hold("google", "", name="Who knows")
    kindred.hold("google", "bob", name="Bob's drive")
    run = kindred.draft(chosen)
    client.force_login(team.rita)

    page = client.get(reverse("admin:instances_run_change", args=[run.pk])).text
    rows = reverse("admin:instances_instance_changelist")
    sure, maybe = (
        client.get(f"{rows}?{name}={run.pk}&provider=google").text
        for name in ("dies_with", "may_die_with")
    )

    assert "One instance that you did not select shares a grant" in page
    assert "Google keeps one grant for each user and app." in page
    assert "Ann&#x27;s sheets" in page
    assert "Of one more of Google" in page
    assert f"{rows}?dies_with={run.pk}&amp;provider=google" in page
    names = ("Ann&#x27;s sheets", "Who knows", "Bob&#x27;s drive")
    assert [name in sure for name in names] == [True, False, False]
    assert [name in maybe for name in names] == [False, True, False]


@pytest.mark.parametrize("name", ["dies_with", "may_die_with"])
@pytest.mark.parametrize("value", ["run", "999999", "x", "9" * 18])
def test_a_run_of_others_filters_as_one_that_does_not_exist(
    kindred, team, client, name, value
):
    chosen = kindred.hold("google", "ann")
    kindred.hold("google", "ann")
    run = kindred.draft(chosen)
    Kindred(team.other, team.eve).hold("google", "ann", name="Eve's own")
    assert client.login(username=team.eve.email, password=PASSWORD)
    asked = str(run.pk) if value == "run" else value

    rows = reverse("admin:instances_instance_changelist")
    page = client.get(f"{rows}?{name}={asked}")

    assert page.status_code == 200
    assert "Eve&#x27;s own" not in page.text


def test_they_can_be_taken_along_in_a_draft_of_its_own(kindred, team, client):
    chosen = kindred.hold("google", "ann")
    kindred.hold("google", "ann")
    old = kindred.draft(chosen, reason="A leak", options={"only": "refresh"})
    client.force_login(team.rita)

    press = reverse("admin:instances_run_do", args=[old.pk, "take-along"])
    gone = client.post(press)
    new = type(old).objects.latest("pk")
    runs.plan(new.pk, now=timezone.now())
    old.refresh_from_db()
    new.refresh_from_db()

    assert gone.url == reverse("admin:instances_run_change", args=[new.pk])
    assert (new.status, new.total, new.reason) == ("draft", 2, "A leak")
    assert new.options == {"only": "refresh"}
    assert (old.status, old.problem) == ("expired", "discarded")
    assert "No other instance dies" not in client.get(gone.url).text
    again = client.post(reverse("admin:instances_run_do", args=[new.pk, "take-along"]))
    assert "No other instance dies with these any more" in client.get(again.url).text


def test_a_command_s_dry_run_says_it(kindred):
    chosen = kindred.hold("google", "ann")
    kindred.hold("google", "ann", name="Ann's sheets")
    kindred.hold("google", "")
    asked = ("run", "revoke", "--instance", chosen.remote_id, "--dry-run")
    asked += ("--organization", "acme", "--as", "rita@example.com")

    told, data = manage(*asked), manage(*asked, "--json")

    assert "1 more share a grant and would die with them" in told.text
    assert "Google: 1. Google keeps one grant for each user and app." in told.text
    assert "Of 1 more nobody can tell whose account they hold" in told.text
    (reached,) = data.json["reached"]
    assert (reached["count"], reached["doubtful"]) == (1, 1)
    assert reached["names"] == ["Ann's sheets"]


@pytest.mark.parametrize("branch", ["grant_fingerprint", "account"])
def test_an_index_finds_the_siblings_of_one_among_many(kindred, branch):
    chosen = kindred.hold("google", "ann", grant_fingerprint="t1")
    plan = (
        Instance.objects.filter(pk=chosen.pk).siblings(kindred.organization).explain()
    )

    if connection.vendor == "sqlite":  # of a small table PostgreSQL reads all
        index = {"grant_fingerprint": "grant", "account": "account"}[branch]
        assert f"instance_by_{index} (organization_id=? AND {branch}=?)" in plan
