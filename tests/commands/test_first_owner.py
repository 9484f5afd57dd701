"""`manage.py first_owner` makes the first account, once."""

import io

import pytest

from ceadmin.audit.models import Event
from ceadmin.teams.models import User
from tests.commands.conftest import manage

pytestmark = pytest.mark.django_db

MAIL = "Ann@Example.com"
GOOD = "a long enough password"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{GOOD}\nnot this line\n")
    return str(file)


def test_the_first_owner_can_sign_in_and_is_recorded(file):
    ended = manage("first_owner", MAIL, "--name", "Ann", "--password-file", file)

    ann = User.objects.get()
    assert ended.code == 0
    assert (ann.email, ann.name, ann.is_superuser) == ("ann@example.com", "Ann", True)
    assert ann.check_password(GOOD)
    assert Event.objects.get().action == "user_added"


def test_it_says_what_comes_next_and_never_the_password(file):
    ended = manage("first_owner", MAIL, "--password-file", file)

    assert "/admin/" in ended.text
    assert "Add the organization" in ended.text
    assert GOOD not in ended.text


def test_the_password_can_come_through_a_pipe(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{GOOD}\r\n"))

    manage("first_owner", MAIL)

    assert User.objects.get().check_password(GOOD)


def test_there_is_one_first_owner_unless_another_is_asked_for(file):
    manage("first_owner", MAIL, "--password-file", file)

    second = manage("first_owner", "bob@example.com", "--password-file", file)
    another = manage(
        *("first_owner", "bob@example.com", "--password-file", file, "--another")
    )

    assert (second.code, another.code) == (2, 0)
    assert "--another" in second.error
    assert User.objects.filter(is_superuser=True).count() == 2


def test_a_known_address_is_refused(file):
    manage("first_owner", MAIL, "--password-file", file)

    again = manage("first_owner", MAIL, "--password-file", file, "--another")

    assert again.code == 2
    assert "already exists" in again.error


@pytest.mark.parametrize(
    ("mail", "password", "words"),
    [
        ("nobody", GOOD, "valid email"),
        (MAIL, "short", "at least 12"),
        (MAIL, "", "at least 12"),
        (MAIL, "ann@example.com", "too similar"),
    ],
)
def test_what_would_not_do_is_refused(tmp_path, mail, password, words):
    file = tmp_path / "password"
    file.write_text(password)

    ended = manage("first_owner", mail, "--password-file", str(file))

    assert ended.code == 2
    assert words in ended.error
    assert not User.objects.exists()


def test_a_missing_file_is_said(tmp_path):
    ended = manage("first_owner", MAIL, "--password-file", str(tmp_path / "none"))

    assert ended.code == 2
    assert "cannot be read" in ended.error


def test_nobody_at_a_terminal_is_said(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    ended = manage("first_owner")

    assert ended.code == 2
    assert "Nobody answered" in ended.error
