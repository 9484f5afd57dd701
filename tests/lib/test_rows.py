"""Many rows in one statement: the values arrive as the ORM would have stored them."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from ceadmin.lib.rows import Rows, among
from ceadmin.lib.sealed import SealError, seal
from instances.models import GrantClaim, Instance, Item, Run
from tests.instances.crowds import make_instances, make_run

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 12, 30, 1, 250, tzinfo=UTC)
HOSTILE = [
    "it's",
    'say "yes"',
    "100 % of %s",
    "back\\slash",
    "a\nb\tc",
    "grün – 雪 – 🙂",
    "",
    '{"not": "parsed"}',
    "null",
    "$[0]",
]


@pytest.fixture
def items(team) -> list[Item]:
    """Three items of a run."""
    run = make_run(team.acme, 3)
    return list(Item.objects.filter(run=run).order_by("number"))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_comes_back_as_it_was(items, text):
    Rows(Item, "id", "explanation", "facts").update(
        [(item.pk, text, {"said": [text], text: None}) for item in items]
    )

    for item in Item.objects.all():
        assert item.explanation == text
        assert item.facts == {"said": [text], text: None}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("how", ["insert", "insert_new", "insert_returning"])
def test_inserted_text_comes_back_as_it_was(items, text, how):
    rows = Rows(GrantClaim, "run_id", "fingerprint", "item_id")

    given = getattr(rows, how)(
        [(items[0].run_id, text, 7)], *(["id"] if how == "insert_returning" else [])
    )

    claim = GrantClaim.objects.get()
    assert (claim.fingerprint, claim.item_id) == (text, 7)
    assert (given or []) == ([(claim.pk,)] if how == "insert_returning" else [])


def test_each_row_gets_its_own_values_and_the_others_stay(items):
    one, _, three = items
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))

    Rows(Item, "id", "status", "outcome", "finished_at", "started_at").update(
        [
            (one.pk, "done", "connected", AT, None),
            (three.pk, "done", "dead", elsewhere, elsewhere),
        ]
    )

    rows = Item.objects.order_by("number").values_list(
        "outcome", "finished_at", "started_at"
    )
    assert list(rows) == [("connected", AT, None), ("", None, None), ("dead", AT, AT)]
    assert Item.objects.filter(finished_at=AT).count() == 2  # stored alike


def test_a_uid_is_found_again(team):
    run = make_run(team.acme, 0)
    uid = uuid.uuid4()
    names = ("run_id", "number", "chunk_number", "instance_uid", "instance_name")
    texts = ("remote_id", "element_key", "provider_key", "facts", "status", "outcome")
    more = ("cause", "explanation", "tries")

    Rows(Item, *names, *texts, *more).insert(
        [(run.pk, 1, 0, uid, "Box", "1", "box", "box", {}, "queued", "", "", "", 0)]
    )

    assert Item.objects.get(instance_uid=uid).facts == {}
    uids = among(Item, "instance_uid", [uid, uuid.uuid4()])
    assert Item.objects.filter(uids).count() == 1


def test_what_is_there_already_is_left_as_it_is(items):
    rows = Rows(GrantClaim, "run_id", "fingerprint", "item_id")
    run = items[0].run_id
    rows.insert([(run, "k1:a", 1)])

    new = rows.insert_new([(run, "k1:a", 2), (run, "k1:b", 3)], "fingerprint")

    assert new == [("k1:b",)]

    claims = GrantClaim.objects.order_by("fingerprint")
    assert list(claims.values_list("fingerprint", "item_id")) == [
        ("k1:a", 1),
        ("k1:b", 3),
    ]


def test_a_clash_is_an_error_and_nothing_is_written(items):
    rows = Rows(GrantClaim, "run_id", "fingerprint", "item_id")
    run = items[0].run_id

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert([(run, "k1:a", 1), (run, "k1:a", 2)])

    assert not GrantClaim.objects.exists()


def test_no_rows_are_no_work(django_assert_num_queries):
    rows = Rows(GrantClaim, "run_id", "fingerprint", "item_id")
    with django_assert_num_queries(0):
        rows.insert([])
        rows.insert_new([])
        rows.insert_returning([], "id")
        Rows(Item, "id", "status").update([])


@pytest.mark.parametrize("count", [1, 700])
def test_any_number_of_rows_is_one_statement(team, django_assert_num_queries, count):
    run = Run.objects.get(pk=make_run(team.acme, 0).pk)
    rows = Rows(GrantClaim, "run_id", "fingerprint", "item_id")

    with django_assert_num_queries(1):
        rows.insert([(run.pk, f"k1:{number}", number) for number in range(count)])
    with django_assert_num_queries(1):
        found = among(GrantClaim, "fingerprint", [f"k1:{n}" for n in range(count)])
        assert len(GrantClaim.objects.filter(found)) == count
    with django_assert_num_queries(1):
        pks = rows.insert_returning(
            [(run.pk, f"k2:{number}", number) for number in range(count)],
            "id",
            "item_id",
        )
    assert {item for _, item in pks} == set(range(count))


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no arrays")
def test_many_values_are_looked_up_whatever_the_statistics_say(items):
    """They are of before: then PostgreSQL takes the table for empty."""
    asked = Item.objects.filter(among(Item, "id", [item.pk for item in items]))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = asked.filter(status="queued").explain()
    assert "ANY" in plan
    assert "Function Scan" not in plan
    assert "SubPlan" not in plan


def test_a_token_reaches_its_column_sealed_or_not_at_all(team):
    make_instances(team.acme, 1)
    instance = Instance.objects.get()
    rows = Rows(Instance, "id", "element_token")

    with pytest.raises(SealError):
        rows.update([(instance.pk, "a plain token")])

    text = seal("instance.element_token", instance.uid, "a plain token")
    rows.update([(instance.pk, text)])
    instance.refresh_from_db()
    assert instance.element_token.reveal() == "a plain token"


def test_too_long_a_text_is_refused_not_cut(items):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite knows no length")

    with pytest.raises(DataError), transaction.atomic():
        Rows(Item, "id", "cause").update([(items[0].pk, "x" * 65)])
