"""The two sentences of a record, its warnings, and how old its facts are."""

import re
from datetime import date

import pytest

from providers import ages, catalogue, prose
from tests.providers.support import ALL_KEYS, record


@pytest.mark.parametrize("key", ALL_KEYS)
def test_every_record_is_told_in_two_plain_sentences(key):
    told = prose.sentences(catalogue.get(key))

    for sentence in told:
        assert re.match(r"[A-Z]", sentence)
        assert sentence.endswith(".")
        assert not re.search(r"\. [A-Z]", sentence), "one sentence, not two"
        assert not re.search(
            r"[{}_]|\s\s|\bNone\b", re.sub(r"https://\S+|\(.*?\)", "x", sentence)
        )
        assert not sentence.startswith(("Nothing", "Not known"))
        assert len(sentence) < 260
    assert told[0] != told[1]


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        (
            {"revoke__order": ["refresh"]},
            "The refresh token is sent; the outcome is “expiring” until",
        ),
        (
            {"revoke__order": ["refresh"], "revoke__refresh_kills_access": True},
            "The refresh token is sent; the grant counts as dead once",
        ),
        ({}, "The refresh token is sent, and then the access token; "),
        (
            {"revoke__refresh_kills_access": True},
            "The refresh token is sent, or the access token where there is no other; ",
        ),
        (
            {
                "revoke__accepts": "account",
                "revoke__order": [],
                "revoke__call__token": {"place": "none"},
            },
            "The call names the account, and no token is sent; ",
        ),
        (
            {"revoke__propagation_seconds": 300},
            "with 401, which can take about 5 minutes.",
        ),
        ({"verification": None}, "only Cloud Elements shows it."),
    ],
)
def test_the_second_sentence_follows_the_data(changes, seen):
    check = {
        "call": {
            "url": "https://api.example.com/me",
            "method": "GET",
            "token": {"place": "bearer"},
        },
        "answers": [{"status": [401], "means": "dead"}],
    }
    known = (
        record(**({"verification": check} | changes))
        if changes.get("verification", 1)
        else record()
    )

    assert seen in prose.sentences(known)[1]


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({}, True),
        ({"revoke__access_kills_refresh": True}, False),
        ({"refresh_rotation": "none"}, False),
        ({"revoke__order": ["refresh", "access"]}, False),
    ],
)
def test_a_refresh_token_that_is_left_has_to_be_seen_dead_too(changes, more):
    check = {
        "call": {"url": "https://api.example.com/me", "token": {"place": "bearer"}},
        "answers": [{"status": [401], "means": "dead"}],
    }
    known = record(**{"verification": check, "revoke__order": ["access"]} | changes)

    told = prose.sentences(known)[1]

    assert ("calls through Cloud Elements fail too." in told) is more


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        (
            [{"status": [400, 401], "means": "dead"}],
            "refuses the access token with 400 or 401.",
        ),
        (
            [
                {"status": [401], "means": "dead"},
                {"status": [403], "means": "dead", "compare": True},
            ],
            "refuses the access token with 401, or with 403 after taking it before.",
        ),
        (
            [{"status": [403], "means": "dead", "compare": True}],
            "refuses the access token with 403 and took it before.",
        ),
        (
            [
                {
                    "status": [200],
                    "means": "dead",
                    "match": [{"path": "ok", "equals": [False]}],
                }
            ],
            "answers that the access token is not valid.",
        ),
    ],
)
def test_the_proof_follows_the_answers_of_the_check(answers, seen):
    call = {
        "url": "https://api.example.com/me",
        "method": "GET",
        "token": {"place": "bearer"},
    }

    for name, who in (
        ("verification", "the provider's API"),
        ("introspection", "its introspection"),
    ):
        told = prose.sentences(record(**{name: {"call": call, "answers": answers}}))[1]
        assert told.endswith(f"{who} {seen}")


def test_what_kills_more_than_one_grant_and_what_is_little_known_is_warned_of():
    wide = record(revoke__effect="user_sessions")
    unsure = record(
        confidence="low", enabled_by_default=False, revoke__documented=False
    )

    assert "signs the person out everywhere" in prose.warnings(wide)[0]
    assert [one.split(":")[0] for one in prose.warnings(unsure)] == [
        "Little is known of this call",
        "The provider does not document this call.",
    ]
    assert prose.warnings(record(revoke__documented=True)) == ()


@pytest.mark.parametrize(
    ("month", "after", "months", "stale"),
    [("2026-11", 12, 0, False), ("2027-11", 12, 12, False), ("2027-12", 12, 13, True)],
)
def test_facts_grow_old_by_months(month, after, months, stale):
    known = record(checked="2026-11")

    assert ages.age(known, month) == months
    assert (month >= ages.stale_since(known, after)) is stale


def test_a_month_is_written_as_records_write_it():
    assert ages.month_of(date(2027, 3, 31)) == "2027-03"
