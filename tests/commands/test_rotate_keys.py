"""`manage.py rotate_keys` seals everything anew, beside others who write, killed or not."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib.sealed_columns import sealed_columns
from ceadmin.teams.models import Organization
from instances.models import Instance, ReconnectLink
from providers.models import ProviderApp
from tests.commands.conftest import manage
from tests.instances.crowds import make_instances
from tests.lib.sealed_rows import KEY_1, KEY_2
from tests.people import USER_SECRET
from tests.services import database_url

OLD, BOTH = f"k1:{KEY_1}", f"k2:{KEY_2},k1:{KEY_1}"
MANY = 3000


@pytest.fixture
def old_keys(settings):
    """Begin with one key."""
    settings.FIELD_KEYS = OLD
    return settings


def fill(organization, count: int = 3) -> None:
    """Make a secret of every kind."""
    make_instances(organization, count)
    for instance in Instance.objects.iterator():
        instance.element_token = f"token-{instance.remote_id}"
        instance.save(update_fields=["element_token"])
    app = ProviderApp(organization=organization, name="Box", provider_key="box")
    app.client_secret = "app-secret"
    app.save()
    link = ReconnectLink(
        instance=instance, made_at=timezone.now(), expires_at=timezone.now()
    )
    link.token, link.request_token_secret = "link-token", "request-secret"
    link.save()


def in_use() -> set[str]:
    return {key for column in sealed_columns() for key in column.key_ids()}


def events() -> list[Event]:
    return list(Event.objects.filter(chain="", action__startswith="key").order_by("pk"))


def test_every_column_of_every_model_is_sealed_anew(old_keys, acme):
    fill(acme)
    old_keys.FIELD_KEYS = BOTH

    ended = manage("rotate_keys", "--json")

    assert (ended.code, in_use()) == (0, {"k2"})
    columns = ended.json["columns"]
    assert {name: one["resealed"] for name, one in columns.items() if one["keys"]} == {
        "organization.user_secret": 2,
        "organization.organization_secret": 2,
        "provider_app.client_secret": 1,
        "instance.element_token": 3,
        "reconnect_link.token": 1,
        "reconnect_link.request_token_secret": 1,
    }
    assert columns["instance.element_token"]["keys"] == {"k2": 3}
    old_keys.FIELD_KEYS = f"k2:{KEY_2}"
    assert Organization.objects.get(pk=acme.pk).user_secret.reveal() == USER_SECRET
    assert ReconnectLink.objects.get().token.reveal() == "link-token"


def test_check_changes_nothing_and_fails_while_a_row_has_an_old_key(old_keys, acme):
    fill(acme)
    old_keys.FIELD_KEYS = BOTH

    before = manage("rotate_keys", "--check")
    manage("rotate_keys")
    after = manage("rotate_keys", "--check")

    assert (before.code, after.code) == (1, 0)
    assert "instance.element_token: k1 3" in before.text
    assert "Every secret is sealed with k2." in after.text


def test_it_is_audited_with_ids_and_counts_and_nothing_else(old_keys, acme):
    fill(acme)
    old_keys.FIELD_KEYS = BOTH

    manage("rotate_keys")
    manage("rotate_keys")

    begun, ended = events()
    assert (begun.action, ended.action) == ("keys_rotating", "keys_rotated")
    assert '"k1":3' in begun.text
    assert '"instance.element_token":3' in ended.text
    assert "v1." not in begun.text + ended.text


def test_what_does_not_open_is_told_and_the_rest_is_sealed(old_keys, acme, team):
    fill(acme)
    first = Instance.objects.order_by("pk")[0]
    second = Instance.objects.order_by("pk")[1]
    # Copied from another row: it is bound to that one.
    stolen = second.element_token.sealed
    Instance.objects.filter(pk=first.pk).update(element_token=stolen)
    old_keys.FIELD_KEYS = BOTH

    ended = manage("rotate_keys", "--json")

    column = ended.json["columns"]["instance.element_token"]
    assert (ended.code, ended.json["left"], column["unreadable"]) == (1, 1, 1)
    assert column["keys"] == {"k1": 1, "k2": 2}


def test_a_lost_key_is_forgotten_with_what_it_sealed(old_keys, acme):
    fill(acme)
    old_keys.FIELD_KEYS = f"k2:{KEY_2}"

    stuck = manage("rotate_keys")
    ended = manage("rotate_keys", "--forget", "k1", "--json")

    assert stuck.code == 1
    assert (ended.code, in_use()) == (0, set())
    assert ended.json["forgotten"]["instance.element_token"] == 3
    assert not Organization.objects.get(pk=acme.pk).user_secret
    assert events()[-1].action == "key_forgotten"


def test_a_key_that_is_loaded_is_not_forgotten(old_keys, acme):
    fill(acme)

    ended = manage("rotate_keys", "--forget", "k1")

    assert ended.code == 2
    assert in_use() == {"k1"}


class Writer(threading.Thread):
    """Somebody who sets secrets all the time, as a web process or a worker does."""

    def __init__(self, pks: list[int]) -> None:
        super().__init__()
        self.pks, self.stop, self.written = pks, threading.Event(), {}
        self.errors: list[Exception] = []

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                for pk in self.pks:
                    instance = Instance.objects.get(pk=pk)
                    token = uuid.uuid4().hex
                    instance.element_token = token
                    instance.save(update_fields=["element_token"])
                    self.written[pk] = token
        except Exception as error:  # noqa: BLE001 (told by the test)
            self.errors.append(error)
        finally:
            connection.close()


@pytest.fixture
def crowd(old_keys, transactional_db, team):
    """Many rows under the old key."""
    make_instances(team.acme, MANY, element_token="")
    rows = list(Instance.objects.order_by("pk"))
    for row in rows:
        row.element_token = f"token-{row.remote_id}"
    Instance.objects.bulk_update(rows, ["element_token"], batch_size=500)
    old_keys.FIELD_KEYS = BOTH
    return [row.pk for row in rows]


def assert_whole(pks: list[int], written: dict[int, str]) -> None:
    """Every row opens, and holds what was written last."""
    rows = Instance.objects.filter(pk__in=pks)
    found = {row.pk: row.element_token.reveal() for row in rows}
    first = rows.in_bulk()
    assert found == {pk: f"token-{first[pk].remote_id}" for pk in pks} | written


def test_secrets_change_while_it_rotates_and_none_is_lost(crowd):
    writers = [Writer(crowd[start::100]) for start in (0, 50)]
    for writer in writers:
        writer.start()

    ended = manage("rotate_keys", "--json")
    for writer in writers:
        writer.stop.set()
        writer.join()

    assert [writer.errors for writer in writers] == [[], []]
    assert (ended.code, in_use()) == (0, {"k2"})
    assert all(writer.written for writer in writers)
    assert_whole(crowd, writers[0].written | writers[1].written)


def test_killed_in_the_middle_it_is_run_again_beside_a_writer(crowd):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "rotate_keys"],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "FIELD_KEYS": BOTH, "DATABASE_URL": database_url()},
        stdout=subprocess.PIPE,
        text=True,
    )
    told = next(line for line in process.stdout if line.startswith("instance."))
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    counts = next(c for c in sealed_columns() if c.label == "instance.element_token")
    halfway = counts.counts()

    writer = Writer(crowd[::100])
    writer.start()
    ended = manage("rotate_keys", "--json")
    writer.stop.set()
    writer.join()

    assert "sealed anew" in told
    assert set(halfway) == {"k1", "k2"}
    assert writer.errors == []
    assert (ended.code, in_use()) == (0, {"k2"})
    assert_whole(crowd, writer.written)


def test_rows_that_somebody_holds_are_waited_for_by_nobody(crowd):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time and no locks of rows")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT id FROM instances_instance WHERE id = %s FOR UPDATE",
                [crowd[7]],
            )
            held.set()
            done.wait(20)
            cursor.execute("COMMIT")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    release = threading.Timer(1.0, done.set)
    release.start()
    began = time.monotonic()

    ended = manage("rotate_keys", "--json")
    holder.join()

    assert (ended.code, in_use()) == (0, {"k2"})
    assert time.monotonic() - began < 15
