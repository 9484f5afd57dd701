"""The field in Django's hands: queries, forms, dumps, migrations, copies."""

import copy
import json
import pickle
import uuid

import pytest
from django.core import checks, serializers
from django.core.exceptions import FieldError
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from ceadmin.lib.sealed import (
    SealedField,
    unseal,
)
from ceadmin.teams.models import Organization
from tests.lib.sealed_rows import (
    KEY_2,
    LABEL,
    PLAIN,
    again,
    make,
    stored,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("field_keys")]


def test_a_renamed_table_keeps_its_secrets():
    organization = make(user_secret=PLAIN)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_organization RENAME TO renamed_meanwhile")
        cursor.execute("SELECT user_secret FROM renamed_meanwhile")
        text = cursor.fetchone()[0]
        cursor.execute("ALTER TABLE renamed_meanwhile RENAME TO teams_organization")

    assert unseal(LABEL, organization.uid, text) == PLAIN


@isolate_apps("ceadmin.teams")
def test_a_renamed_model_and_column_keep_their_secrets():
    class Renamed(models.Model):  # noqa: DJ008 (never shown)
        uid = models.UUIDField(default=uuid.uuid4)
        secret_of_user = SealedField(LABEL, db_column="user_secret")

        class Meta:
            app_label = "teams"
            db_table = "teams_organization"

    organization = make(user_secret=PLAIN)

    renamed = Renamed.objects.get(pk=organization.pk)

    assert renamed.secret_of_user.reveal() == PLAIN


@pytest.mark.parametrize("lookup", ["contains", "in", "startswith", "gt", "regex"])
def test_lookups_that_could_guess_are_refused(lookup):
    with pytest.raises(FieldError):
        Organization.objects.filter(**{f"user_secret__{lookup}": "x"}).exists()


@pytest.mark.parametrize("value", [PLAIN, models.F("name"), 1])
def test_comparing_with_anything_but_nothing_is_refused(value):
    with pytest.raises(FieldError):
        Organization.objects.filter(user_secret=value).exists()


def test_rows_without_a_secret_can_be_found():
    empty, _ = make("Empty"), make("Full", user_secret=PLAIN)

    assert Organization.objects.get(user_secret="") == empty
    assert not Organization.objects.filter(user_secret__isnull=True).exists()


def test_a_secret_is_never_text():
    secret = make(user_secret=PLAIN).user_secret

    for turn in (str, "{}".format, json.dumps, pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            turn(secret)
    assert repr(secret) == "<Secret k1>"
    assert secret


def test_a_copied_or_pickled_row_holds_sealed_text_only():
    organization = make(user_secret=PLAIN)

    assert PLAIN.encode() not in pickle.dumps(organization)
    for twin in (copy.deepcopy(organization), pickle.loads(pickle.dumps(organization))):
        assert twin.user_secret.reveal() == PLAIN


def test_plain_text_is_not_kept_in_memory():
    organization = make(user_secret=PLAIN)

    assert PLAIN not in repr(vars(organization))


def test_refreshing_brings_the_new_secret():
    organization = make(user_secret="old")
    other = again(organization)
    other.user_secret = PLAIN
    other.save()

    organization.refresh_from_db()

    assert organization.user_secret.reveal() == PLAIN


def test_a_deferred_secret_is_fetched_when_asked_for(django_assert_num_queries):
    pk = make(user_secret=PLAIN).pk
    organization = Organization.objects.defer("user_secret").get(pk=pk)

    with django_assert_num_queries(1):
        assert organization.user_secret.reveal() == PLAIN


def test_only_the_secret_can_be_fetched():
    pk = make(user_secret=PLAIN).pk

    organization = Organization.objects.only("user_secret").get(pk=pk)

    assert organization.user_secret.reveal() == PLAIN


def test_lists_open_nothing(settings):
    make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2}"

    assert [row.name for row in Organization.objects.all()] == ["Acme"]
    assert Organization.objects.values_list("user_secret", flat=True)[0].key_id == "k1"


def test_a_dump_holds_sealed_text_and_loads_again():
    organization = make(user_secret=PLAIN)

    dump = serializers.serialize("json", [organization])
    Organization.objects.all().delete()
    for row in serializers.deserialize("json", dump):
        row.save()

    assert PLAIN not in dump
    assert Organization.objects.get().user_secret.reveal() == PLAIN


def test_checking_a_whole_row_opens_nothing(settings):
    organization = make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2}"

    loaded = again(organization)
    loaded.full_clean()
    loaded.save()

    assert stored(loaded).startswith("v1.k1.")


def test_forms_do_not_know_the_field():
    field = Organization._meta.get_field("user_secret")

    assert not field.editable


def test_a_migration_builds_the_same_field():
    field = SealedField("thing.secret", row="key", verbose_name="secret")

    _, path, args, options = field.deconstruct()
    text, imports = MigrationWriter.serialize(field)

    twin = SealedField(*args, **options)
    assert path == "ceadmin.lib.sealed.SealedField"
    assert (twin.label, twin.row, twin.default, twin.blank, twin.editable) == (
        "thing.secret",
        "key",
        "",
        True,
        False,
    )
    assert "label='thing.secret'" in text
    assert "import ceadmin.lib.sealed" in imports


@isolate_apps("ceadmin.teams")
def test_a_field_declared_before_its_uid_is_reported():
    class Wrong(models.Model):  # noqa: DJ008 (never shown)
        secret = SealedField("Wrong Label")
        uid = models.UUIDField(default=uuid.uuid4)

        class Meta:
            app_label = "teams"

    problems = {
        problem.id
        for problem in Wrong.check(databases=["default"])
        if isinstance(problem, checks.Error)
    }

    assert problems == {"ceadmin.E020", "ceadmin.E021"}
