"""`verify_audit` on the database, on files, and where there is no installation."""

import json
import shutil

import pytest

from ceadmin.audit.watch import sign_all
from ceadmin.lib.signing import own_public_keys
from tests.audit_support import forge, rewound
from tests.commands.audit.conftest import AT
from tests.commands.conftest import manage

# The database


def test_the_database_is_verified_with_its_checkpoints(acme):
    sign_all(AT)

    ended = manage("verify_audit")

    assert ended.code == 0
    assert "acme: 4 events, whole" in ended.text
    assert "checkpoints hold" in ended.text


def test_the_first_bad_event_of_the_database_is_named(acme):
    forge(
        "UPDATE audit_event SET reason = 'x' WHERE chain = %s AND sequence = 3",
        acme.chain,
    )

    ended = manage("verify_audit", "--organization", "acme")

    assert ended.code == 1
    assert (
        "First bad event: acme #3: column reason is not what the text says"
        in ended.text
    )


def test_a_restored_older_database_is_found(acme):
    sign_all(AT)
    rewound(acme.chain, 2)

    ended = manage("verify_audit", "--json")

    assert ended.code == 1
    [problem] = ended.json["problems"]
    assert (problem["sequence"], problem["code"]) == (2, "cut")


def test_a_forged_checkpoint_file_is_told(acme, settings, tmp_path):
    public = str(own_public_keys())
    (tmp_path / "keys").write_text(public)
    settings.CHECKPOINT_KEYS = "demo1:" + "D" * 43 + "="
    sign_all(AT)

    ended = manage("verify_audit", "--json", "--public-keys", str(tmp_path / "keys"))

    assert ended.code == 1
    assert {one["code"] for one in ended.json["problems"]} == {"signature"}


@pytest.mark.parametrize(
    "wrong",
    [
        ("--organization", "nowhere"),
        ("--public-keys", "k1:short"),
        ("--public-keys", "no-such-file"),
        ("--checkpoints", "no-such-file"),
        ("no-such-file.jsonl",),
        ("x.jsonl", "--organization", "acme"),
    ],
)
def test_wrong_usage_ends_with_2(acme, wrong):
    assert manage("verify_audit", *wrong).code == 2


def test_an_export_is_verified_where_there_is_no_installation(
    exported, installation, tmp_path
):
    away = tmp_path / "elsewhere"
    away.mkdir()
    for name in (exported.name, f"{exported.name}.manifest.json"):
        shutil.copy(exported.parent / name, away)

    ended = installation.manage(
        *("verify_audit", str(away / exported.name), "--json"),
        *("--public-keys", str(own_public_keys())),
        CEADMIN_ENV_FILE="/dev/null",
        DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing",
    )

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["events"] == 5


def test_without_any_key_it_says_what_to_give(installation, tmp_path):
    (tmp_path / "x.jsonl").write_text("")

    ended = installation.manage("verify_audit", str(tmp_path / "x.jsonl"))

    assert ended.returncode == 2
    assert "Say --public-keys" in ended.stderr
