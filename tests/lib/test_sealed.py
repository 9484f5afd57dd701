"""A secret opens for its own row and column only."""

import string
import uuid

import pytest
from django.db import transaction

from ceadmin.lib.sealed import (
    SealError,
    seal,
    unseal,
)
from ceadmin.teams.models import Organization
from tests.lib.sealed_rows import KEY_2, LABEL, PLAIN, again, make, overwrite, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("field_keys")]

LETTERS = string.ascii_letters + string.digits + "-_"


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
    own = letters[place]

    for other in sorted(set(LETTERS) - {own}):
        letters[place] = other
        overwrite(organization, "".join(letters))

        with pytest.raises(SealError):
            again(organization).user_secret.reveal()


@pytest.mark.parametrize("length", range(1, 7))
def test_every_length_opens_under_its_one_spelling_only(length):
    organization = make(user_secret="x" * length)
    sealed = stored(organization)

    for other in sorted(set(LETTERS) - {sealed[-1]}):
        overwrite(organization, sealed[:-1] + other)
        with pytest.raises(SealError):
            again(organization).user_secret.reveal()

    overwrite(organization, sealed)
    assert again(organization).user_secret.reveal() == "x" * length


def test_plain_text_in_the_column_is_not_believed():
    organization = make()

    overwrite(organization, "not sealed at all")

    with pytest.raises(SealError, match="is not sealed"):
        again(organization).user_secret.reveal()


def test_a_key_id_pointing_at_another_key_opens_nothing(settings):
    organization = make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k1:{KEY_2}"

    with pytest.raises(SealError, match="does not open"):
        again(organization).user_secret.reveal()


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


def test_sealing_needs_a_label_and_a_row():
    with pytest.raises(SealError, match="label"):
        seal("no label", uuid.uuid4(), PLAIN)
    with pytest.raises(SealError, match="uid"):
        seal(LABEL, "None", PLAIN)


def test_a_uid_may_be_written_in_any_form():
    uid = uuid.uuid4()

    assert unseal(LABEL, uid, seal(LABEL, uid.hex.upper(), PLAIN)) == PLAIN
