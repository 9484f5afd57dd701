"""`manage.py sync` mirrors an organization with a person's rights."""

from django.utils import timezone

from instances import runs
from instances.models import Instance, Run
from tests.commands.conftest import manage


def test_a_sync_is_queued_and_then_mirrors(fleet):
    fleet.seed("box", 3)

    ended = manage("sync", "acme", "--as", "olga@example.com")
    run = Run.objects.get()
    runs.plan(run.pk, now=timezone.now())
    fleet.work(run)

    assert ended.code == 0
    assert str(run.uid) in ended.text
    assert Instance.objects.count() == 3


def test_a_viewer_may_not_sync(fleet):
    ended = manage("sync", "acme", "--as", "vic@example.com")

    assert ended.code == 3
    assert not Run.objects.exists()


def test_an_unknown_organization_is_said_with_the_known_ones(fleet):
    ended = manage("sync", "acne", "--as", "olga@example.com")

    assert ended.code == 2
    assert "There is acme." in ended.error


def test_somebody_without_organization_is_told_so(fleet, django_user_model):
    django_user_model.objects.create_user("new@example.com", "a password, long")

    ended = manage("sync", "acme", "--as", "new@example.com")

    assert ended.code == 2
    assert "belong to none" in ended.error
