"""Which run used whose secrets: told on the page and in the audit, written once."""

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib import sealed
from instances import runs
from instances.actions.uses import last_use
from instances.choices import Outcome, RunKind
from instances.models import GrantClaim, Instance, Item, SecretUse
from tests.instances.killing import fleet, quick
from tests.lib.sealed_rows import KEY_1, KEY_2
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def used() -> list[tuple[str, str]]:
    events = Event.objects.filter(action="secret_used").order_by("pk")
    return list(events.values_list("subject_type", "run_uid"))


def test_a_probe_uses_the_organization_s_secrets_once_however_many_instances(fleet):
    fleet.synced("box", 30)

    run = fleet.run(RunKind.PROBE)
    fleet.work(run)

    mine = [one for one in used() if one[1] == str(run.uid)]
    assert mine == [("organization", str(run.uid))]
    assert last_use(fleet.organization).run == run


def test_a_revocation_uses_the_app_s_secret_too_also_over_several_shares(fleet):
    fleet.synced("box", 3)
    app = fleet.app("box")

    run = fleet.run(RunKind.REVOKE)

    mine = sorted(one for one in used() if one[1] == str(run.uid))
    assert [kind for kind, _ in mine] == ["organization", "provider_app"]
    assert last_use(app).run == run
    assert SecretUse.objects.filter(run=run).count() == 2


def test_the_pages_say_when_and_by_which_run(fleet, team, client):
    fleet.synced("box")
    app = fleet.app("box")
    run = fleet.run(RunKind.REVOKE)
    app.client_secret = "another-secret"
    app.save()
    assert client.login(username=team.otto.email, password=PASSWORD)

    for row, kind in ((team.acme, "organization"), (app, "providerapp")):
        name = f"admin:{row._meta.app_label}_{kind}_change"
        page = client.get(reverse(name, args=[row.pk])).content.decode()
        link = reverse("admin:instances_run_change", args=[run.pk])
        assert f'by <a href="{link}">run Revoke {str(run.uid)[:8]}</a>' in page


def test_a_grant_is_revoked_once_per_run_while_its_key_is_replaced(fleet, settings):
    settings.FINGERPRINT_KEYS = f"f1:{KEY_1}"
    (made,) = fleet.seed("box")
    fleet.seed("box", share_grant_with=made["id"])
    fleet.sync()
    old = Instance.objects.first().grant_fingerprint
    run = fleet.draft(RunKind.REVOKE)
    # A worker that knows the old key only has claimed the grant for the second item.
    second = Item.objects.get(run=run, number=2)
    GrantClaim.objects.create(run=run, fingerprint=old, item_id=second.pk)
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2},f1:{KEY_1}"

    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    fleet.work(run)

    dead = Item.objects.filter(run=run, outcome=Outcome.VERIFIED_DEAD)
    assert sorted(dead.values_list("cause", flat=True)) == ["", "same_grant"]
    first = dead.get(cause="")
    claims = GrantClaim.objects.order_by("fingerprint")
    assert {claim.item_id for claim in claims} == {first.pk}
    assert [claim.fingerprint[:3] for claim in claims] == ["f1:", "f2:"]


def test_a_sync_moves_fingerprints_to_the_newest_key(fleet, settings):
    settings.FINGERPRINT_KEYS = f"f1:{KEY_1}"
    (instance,) = fleet.synced("box")
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2},f1:{KEY_1}"

    run = fleet.sync()

    instance.refresh_from_db()
    remote = fleet.emulator.application.world.instances[int(instance.remote_id)]
    token = remote.configuration["oauth.user.refresh_token"]
    assert instance.grant_fingerprint == sealed.fingerprint(token)
    assert instance.grant_fingerprint.startswith("f2:")
    assert (run.total, run.unchanged) == (0, 1)
