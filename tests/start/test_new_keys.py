"""`manage.py new_keys` prints keys with which ceadmin starts."""

from ceadmin.checks import REFUSED
from tests.start.installations import GOOD


def test_the_printed_keys_are_accepted_and_never_the_same(installation):
    first = installation.manage("new_keys", CEADMIN_ENV_FILE="/dev/null")
    second = installation.manage("new_keys", CEADMIN_ENV_FILE="/dev/null")
    file = installation.folder / "settings.env"
    file.touch(mode=0o600)
    file.write_text(first.stdout)

    checked = installation.manage("check", CEADMIN_ENV_FILE=str(file))

    assert first.stdout != second.stdout
    assert checked.returncode == 0, checked.stderr


def test_one_key_missing_is_enough_to_refuse(installation):
    ended = installation.manage("up", **{**GOOD, "FINGERPRINT_KEYS": ""})

    assert ended.returncode == REFUSED
