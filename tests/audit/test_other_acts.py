"""Acts beside the main job: organizations, apps, an instance's app, taking back, going on, expiring."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization, Policy, User
from instances import runs
from instances.choices import RunStatus
from instances.models import Run
from providers.models import ProviderApp
from tests.audit.telling import (
    OTTO,
    REVOKER,
    RITA,
    WHY,
    browser,
    drafted,
    fleet,
    otto,
    press,
    rita,
    told,
)
from tests.people import PASSWORD
from tests.teams.pages import fields_of

__all__ = ["fleet", "otto", "rita"]

pytestmark = pytest.mark.django_db

OWNER = ("Otto", "owner,viewer", OTTO)
OPERATOR = ("Olga", "operator,viewer", RITA)


def submit(client: Client, page: str, **typed: object) -> None:
    """Send the form of a page with some of it typed anew."""
    fields = fields_of(client.get(page).content.decode())
    answer = client.post(page, {**fields, **typed})
    assert answer.status_code == 302, answer.context["adminform"].errors


# Organizations and apps


def test_an_added_organization_begins_its_own_chain(team):
    User.objects.create_superuser("ada@example.com", PASSWORD, name="Ada")
    ada = browser(User.objects.get(name="Ada"), OTTO)

    submit(
        ada,
        reverse("admin:teams_organization_add"),
        name="Initech",
        base_url="https://api.cloud-elements.com",
        user_secret_typed="typed-Q7x",
        organization_secret_typed="typed-Z9y",
        save_anyway="on",
    )

    made = Organization.objects.get(name="Initech")
    one = told("organization_added")
    assert one.who == ("Ada", "superuser", OTTO)
    assert (one.event.chain, one.event.sequence) == (made.chain, 1)
    texts = "".join(Event.objects.values_list("text", flat=True))
    assert "typed-Q7x" not in texts and "typed-Z9y" not in texts


def test_a_provider_app_that_is_added_changed_and_removed_is_told(team, otto):
    form = {
        "organization": team.acme.pk,
        "name": "Elsewhere",
        "provider_key": "generic_rfc7009",
        "element_key": "anything",
        "client_id": "client-1",
        "callback_mode": "ours",
        "site": '{"revocation_endpoint": "https://login.example.com/revoke"}',
    }
    otto.post(reverse("admin:providers_providerapp_add"), form)
    app = ProviderApp.objects.get()
    page = reverse("admin:providers_providerapp_change", args=[app.pk])
    otto.post(page, form | {"name": "Nowhere"})
    otto.post(
        reverse("admin:providers_providerapp_delete", args=[app.pk]), {"post": "yes"}
    )

    for act, name in (
        ("provider_app_added", "Elsewhere"),
        ("provider_app_changed", "Nowhere"),
        ("provider_app_removed", "Nowhere"),
    ):
        one = told(act)
        assert one.who == OWNER, act
        assert one.event.chain == team.acme.chain
        assert name in one.event.subject_name, act
        assert one.event.provider_key == "generic_rfc7009"


def test_an_instance_s_other_app_is_told_with_the_one_before(fleet, team):
    (instance,) = fleet.synced("box")
    before = str(instance.provider_app)
    olga = browser(team.olga, RITA)
    page = reverse("admin:instances_instance_change", args=[instance.pk])

    submit(olga, page, provider_app="")

    one = told("instance_changed")
    assert one.who == OPERATOR
    assert one.event.instance_uid == str(instance.uid)
    assert (one.facts["provider_app"], one.facts["before"]) == ("", before)


# Runs


def test_what_is_asked_for_no_longer_is_told(fleet, rita):
    fleet.synced("box")
    Policy.objects.update(most_alone=0)
    run = drafted(rita)
    press(rita, run, "ask", **WHY)

    press(rita, run, "withdraw")

    one = told("approval_withdrawn", run_uid=run.uid)
    assert (one.who, one.why) == (REVOKER, WHY)
    assert one.facts["digest"] == run.approvals.get().digest


def test_a_run_that_goes_on_is_told_with_who_let_it(fleet, rita):
    fleet.synced("box")
    run = drafted(rita)
    press(rita, run, "start", **WHY)
    press(rita, run, "pause")

    press(rita, run, "resume")

    one = told("run_resumed", run_uid=run.uid)
    assert (one.who, one.why) == (REVOKER, WHY)


def test_a_draft_that_is_dropped_or_left_alone_is_told(fleet, rita, settings):
    fleet.synced("box")
    dropped = drafted(rita)
    press(rita, dropped, "discard")
    left = drafted(rita)  # the same press twice would be one draft
    dropped.refresh_from_db()
    long_ago = timezone.now() - settings.DRAFT_DAYS - timedelta(days=1)
    Run.objects.filter(pk=left.pk).update(created_at=long_ago)

    runs.sweep(now=timezone.now())

    left.refresh_from_db()
    assert left.status == dropped.status == RunStatus.EXPIRED
    assert told("run_discarded", run_uid=dropped.uid).who == REVOKER
    by_itself = told("run_expired", run_uid=left.uid)
    assert by_itself.who == REVOKER  # background acts are those of who asked
