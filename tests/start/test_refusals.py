"""Web server, worker, beat and `up` stop on a configuration that must not run."""

import sys

import pytest

from ceadmin.checks import REFUSED
from tests.start.installations import GOOD, MANAGE

PUBLIC = {"ALLOWED_HOSTS": "ceadmin.example.com"}
DEMO_KEYS = {
    "SECRET_KEY": "demo-a-secret-key-that-everybody-can-read-here",
    "FIELD_KEYS": "demo1:" + "A" * 43 + "=",
}

GUNICORN = ("-m", "gunicorn", "--config", "python:ceadmin.gunicorn", "ceadmin.wsgi")
CELERY = ("-m", "celery", "--app", "ceadmin")
STARTS = {
    "web": (sys.executable, *GUNICORN),
    "worker": (sys.executable, *CELERY, "worker"),
    "up": (*MANAGE, "up"),
}
BAD = {
    "no keys": ({"SECRET_KEY": "", "FIELD_KEYS": ""}, "E001", "new_keys"),
    "no field keys": ({"FIELD_KEYS": ""}, "E002", "new_keys"),
    "no fingerprint keys": ({"FINGERPRINT_KEYS": ""}, "E003", "new_keys"),
    "no checkpoint keys": ({"CHECKPOINT_KEYS": ""}, "E012", "new_keys"),
    "demo keys": (DEMO_KEYS, "E004", "make demo"),
    "DEMO beside public hosts": ({"DEMO": "1", **PUBLIC}, "E005", "Turn DEMO off"),
    "EMULATOR_URL beside public hosts": (
        {"EMULATOR_URL": "http://127.0.0.1:9900", **PUBLIC},
        "E006",
        "Remove EMULATOR_URL",
    ),
    "DEBUG beside public hosts": (
        {"DEBUG": "1", **PUBLIC},
        "E007",
        "Turn DEBUG off",
    ),
    "a setting that cannot be read": (
        {"DATABASE_URL": "mysql://root@127.0.0.1/test"},
        "E008",
        "docs/settings.md",
    ),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("start", STARTS)
def test_each_start_refuses_each_bad_setting(installation, start, bad):
    variables, check_id, hint = BAD[bad]

    ended = installation.run(*STARTS[start], **{**GOOD, **variables})

    assert ended.returncode == REFUSED, ended.stdout + ended.stderr
    assert f"ceadmin.{check_id}" in ended.stderr
    assert hint in ended.stderr
    assert not (installation.folder / "var" / "broker").exists()


def test_beat_refuses_too(installation):
    ended = installation.run(
        sys.executable, *CELERY, "beat", **{**GOOD, "FIELD_KEYS": ""}
    )

    assert ended.returncode == REFUSED
    assert "ceadmin.E002" in ended.stderr


def test_up_without_demo_refuses_the_demo_s_settings(installation):
    ended = installation.manage("up", **{**GOOD, **DEMO_KEYS, "DEMO": "1"})

    assert ended.returncode == REFUSED
    assert "manage.py up --demo" in ended.stderr


def test_no_secret_is_printed_with_a_refusal(installation):
    secret = "s3cr3t-canary-of-the-tests"
    bad = {
        "FIELD_KEYS": f"k1:{secret}",
        "DATABASE_URL": f"mysql://root:{secret}@host/x",
    }

    ended = installation.manage("up", **{**GOOD, **bad})

    assert ended.returncode == REFUSED
    assert secret not in ended.stdout + ended.stderr
