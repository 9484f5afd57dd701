"""A secret opens for its own row and column, and leaves by no other door."""

import copy
import json
import pickle
import uuid

import pytest
from django.core import checks, serializers
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from ceadmin.lib.sealed import (
    SealedField,
    SealError,
    UnknownKey,
    fingerprint,
    keyring,
    matches,
    seal,
    unseal,
)
from ceadmin.teams.models import Organization

LABEL = "organization.user_secret"
KEY_1 = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
KEY_2 = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="
PLAIN = "user-secret-Zk3v"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings):
    """One key for fields, one for fingerprints."""
    settings.FIELD_KEYS = f"k1:{KEY_1}"
    settings.FINGERPRINT_KEYS = f"f1:{KEY_1}"


def make(name="Acme", **fields) -> Organization:
    """Return a saved organization."""
    facts = {"slug": name.lower(), "base_url": "https://api.example.com"}
    return Organization.objects.create(name=name, **facts | fields)


def again(organization: Organization) -> Organization:
    """Return the same row as the database has it."""
    return Organization.objects.get(pk=organization.pk)


def stored(organization: Organization, column: str = "user_secret") -> str:
    """Return what a column really holds."""
    query = f"SELECT {column} FROM teams_organization WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [organization.pk])
        return cursor.fetchone()[0]


def overwrite(organization: Organization, text: str) -> None:
    """Write a column past the field, as somebody with the database could."""
    query = "UPDATE teams_organization SET user_secret = %s WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [text, organization.pk])


@pytest.mark.parametrize(
    "plain",
    [PLAIN, "𝕊€crét 🔑", "nul\0inside", "\ud800 alone", " blank ", "x" * 200_000],
    ids=["plain", "non-BMP", "NUL", "surrogate", "blanks", "long"],
)
def test_what_is_sealed_comes_back_unchanged(plain):
    organization = make(user_secret=plain)

    assert again(organization).user_secret.reveal() == plain
    assert stored(organization).startswith("v1.k1.")
    assert stored(organization).isascii()


def test_equal_secrets_are_stored_unequal():
    assert stored(make("A", user_secret=PLAIN)) != stored(make("B", user_secret=PLAIN))


def test_no_secret_is_stored_as_nothing():
    organization = make(user_secret="")

    assert stored(organization) == ""
    assert not again(organization).user_secret
    assert again(organization).user_secret.reveal() == ""
    assert repr(organization.user_secret) == "<Secret empty>"


def test_none_takes_the_secret_away():
    organization = make(user_secret=PLAIN)

    organization.user_secret = None
    organization.save(update_fields=["user_secret"])

    assert stored(organization) == ""


def test_plain_text_that_looks_sealed_is_sealed():
    real = str(seal(LABEL, uuid.uuid4(), "somebody else's"))

    organization = make(user_secret=real)

    assert again(organization).user_secret.reveal() == real
    assert stored(organization) != real


def test_a_value_copied_to_another_row_does_not_open():
    rich, poor = make("Rich", user_secret=PLAIN), make("Poor", user_secret="other")

    overwrite(poor, stored(rich))

    with pytest.raises(SealError, match="another row or column"):
        again(poor).user_secret.reveal()


def test_a_value_copied_to_another_column_does_not_open():
    organization = make(user_secret=PLAIN, organization_secret="other")

    overwrite(organization, stored(organization, "organization_secret"))

    with pytest.raises(SealError, match=LABEL):
        again(organization).user_secret.reveal()


@pytest.mark.parametrize("place", [8, 30, -1])
def test_an_altered_value_does_not_open(place):
    organization = make(user_secret=PLAIN)
    letters = list(stored(organization))
    letters[place] = "B" if letters[place] == "A" else "A"

    overwrite(organization, "".join(letters))

    with pytest.raises(SealError):
        again(organization).user_secret.reveal()


def test_plain_text_in_the_column_is_not_believed():
    organization = make()

    overwrite(organization, "not sealed at all")

    with pytest.raises(SealError, match="is not sealed"):
        again(organization).user_secret.reveal()


def test_an_unknown_key_is_named(settings):
    organization = make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2}"

    with pytest.raises(UnknownKey, match="'k1' is not loaded"):
        again(organization).user_secret.reveal()

    assert again(organization).user_secret.key_id == "k1"


def test_a_key_id_pointing_at_another_key_opens_nothing(settings):
    organization = make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k1:{KEY_2}"

    with pytest.raises(SealError, match="does not open"):
        again(organization).user_secret.reveal()


def test_the_newest_key_seals_and_all_open(settings):
    old = make("Old", user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"

    new = make("New", user_secret=PLAIN)

    assert stored(new).startswith("v1.k2.")
    assert again(old).user_secret.reveal() == again(new).user_secret.reveal() == PLAIN


@pytest.mark.parametrize(
    "spec",
    ["", "k1", "k1:", "k1:c2hvcnQ=", f"k1:{KEY_1},k1:{KEY_2}", f"k 1:{KEY_1}", "k1:é"],
)
def test_bad_keys_are_refused_without_being_shown(settings, spec):
    settings.FIELD_KEYS = spec

    with pytest.raises(ImproperlyConfigured) as refusal:
        keyring()

    assert KEY_1 not in str(refusal.value)


def test_save_with_update_fields_writes_the_new_secret():
    organization = make(user_secret="old")

    organization.user_secret = PLAIN
    organization.save(update_fields=["user_secret"])

    assert again(organization).user_secret.reveal() == PLAIN


def test_saving_something_else_leaves_the_sealed_text_alone():
    organization = make(user_secret=PLAIN)
    before = stored(organization)

    loaded = again(organization)
    loaded.name = "Renamed"
    loaded.save()

    assert stored(organization) == before


def test_an_upsert_seals_for_the_row_that_is_there():
    uid = uuid.uuid4()
    first = make(uid=uid, user_secret="old")

    same = Organization(
        uid=uid, name="Acme", slug="acme", base_url="https://x", user_secret=PLAIN
    )
    Organization.objects.bulk_create(
        [same],
        update_conflicts=True,
        unique_fields=["uid"],
        update_fields=["user_secret"],
    )

    assert again(first).user_secret.reveal() == PLAIN


def test_update_takes_what_seal_makes():
    organization = make(user_secret="old")
    sealed = seal(LABEL, organization.uid, PLAIN)

    Organization.objects.filter(pk=organization.pk).update(user_secret=sealed)

    assert again(organization).user_secret.reveal() == PLAIN


def test_bulk_update_keeps_each_row_to_itself():
    rows = [make("A", user_secret="a"), make("B", user_secret="b")]

    for row in rows:
        row.user_secret = f"new {row.name}"
    Organization.objects.bulk_update(rows, ["user_secret"])

    assert [again(row).user_secret.reveal() for row in rows] == ["new A", "new B"]


def test_a_plain_string_never_reaches_sql():
    organization = make(user_secret=PLAIN)

    rows = Organization.objects.filter(pk=organization.pk)
    with pytest.raises(SealError) as refusal, transaction.atomic():
        rows.update(user_secret="plaintext")

    assert "plaintext" not in str(refusal.value)
    assert again(organization).user_secret.reveal() == PLAIN


def test_a_secret_given_to_another_row_is_sealed_for_it():
    rich, poor = make("Rich", user_secret=PLAIN), make("Poor")

    poor.user_secret = again(rich).user_secret
    poor.save()

    assert again(poor).user_secret.reveal() == PLAIN
    assert stored(poor) != stored(rich)


def test_a_secret_given_to_another_column_is_sealed_for_it():
    organization = make(user_secret=PLAIN)

    organization.organization_secret = organization.user_secret
    organization.save()

    assert again(organization).organization_secret.reveal() == PLAIN


@pytest.mark.parametrize("value", [1, b"bytes", ["list"], object()])
def test_only_strings_are_sealed(value):
    with pytest.raises(SealError, match="takes a string"):
        Organization(user_secret=value)


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


def test_sealing_needs_a_label_and_a_row():
    with pytest.raises(SealError, match="label"):
        seal("no label", uuid.uuid4(), PLAIN)
    with pytest.raises(SealError, match="uid"):
        seal(LABEL, "None", PLAIN)


def test_a_uid_may_be_written_in_any_form():
    uid = uuid.uuid4()

    assert unseal(LABEL, uid, seal(LABEL, uid.hex.upper(), PLAIN)) == PLAIN


def test_a_fingerprint_recognises_a_token_and_tells_nothing():
    trace = fingerprint("token-1")

    assert trace == fingerprint("token-1") != fingerprint("token-2")
    assert trace.startswith("f1:")
    assert len(trace) == len("f1:") + 32
    assert fingerprint("") == ""
    assert fingerprint("\ud800 odd")


def test_an_old_fingerprint_still_matches_under_new_keys(settings):
    trace = fingerprint("token-1")
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2},f1:{KEY_1}"

    assert fingerprint("token-1") != trace
    assert matches("token-1", trace)
    assert not matches("token-2", trace)


def test_a_fingerprint_under_a_lost_key_matches_nothing(settings):
    trace = fingerprint("token-1")
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2}"

    assert not matches("token-1", trace)
    assert not matches("", "")
