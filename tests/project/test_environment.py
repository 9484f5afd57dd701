"""Settings are read as they were written, and what cannot be read is told."""

from datetime import timedelta

import pytest

from ceadmin.environment import Environment


@pytest.fixture
def read(tmp_path):
    """Read settings from the text of a file."""

    def read(text: str, **variables: str) -> Environment:
        file = tmp_path / "settings.env"
        file.write_text(text)
        environment = Environment(variables)
        environment.read_file(file, wins=False)
        return environment

    return read


def test_a_value_that_starts_with_a_dollar_is_that_value(read):
    assert read("A=$abc\n").text("A") == "$abc"


def test_a_value_may_hold_a_hash_and_an_equals_sign(read):
    assert read("A=abc#def=ghi\n").text("A") == "abc#def=ghi"


def test_an_empty_line_is_the_same_as_no_line(read):
    environment = read("NUMBER=\nFLAG=\nWORD=\n")

    assert environment.number("NUMBER", 5) == 5
    assert environment.flag("FLAG", default=True) is True
    assert environment.text("WORD", "default") == "default"
    assert environment.problems == []


def test_entries_of_a_list_are_stripped(read):
    assert read("HOSTS=a, b ,, c\n").words("HOSTS") == ["a", "b", "c"]


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_a_yes_is_a_yes(word):
    assert Environment({"A": word}).flag("A") is True


def test_a_word_that_is_neither_yes_nor_no_is_a_problem():
    environment = Environment({"DEBUG": "ture"})

    assert environment.flag("DEBUG") is False
    assert environment.problems == [("DEBUG", "is neither yes (1) nor no (0)")]


@pytest.mark.parametrize("word", ["eight", "-1", "8.5"])
def test_a_number_that_is_none_is_a_problem(word):
    environment = Environment({"PORT": word})

    assert environment.number("PORT", 8000) == 8000
    assert environment.problems[0][0] == "PORT"


@pytest.mark.parametrize("word", ["0", "-1", "1.5", "never", "36501", "²"])
def test_days_that_are_none_are_a_problem(word):
    environment = Environment({"KEEP": word})

    assert environment.days("KEEP", 90) == timedelta(days=90)
    assert [name for name, _ in environment.problems] == ["KEEP"]


def test_days_are_a_number_or_for_ever():
    environment = Environment({"A": "30", "B": " Forever "})

    assert environment.days("A", 90) == timedelta(days=30)
    assert environment.days("B", 90) is None
    assert environment.problems == []


def test_a_variable_wins_over_the_file_unless_the_file_was_named(tmp_path):
    file = tmp_path / "settings.env"
    file.write_text("A=file\n")
    polite, winner = Environment({"A": "variable"}), Environment({"A": "variable"})

    polite.read_file(file, wins=False)
    winner.read_file(file, wins=True)

    assert (polite.text("A"), winner.text("A")) == ("variable", "file")


def test_a_later_line_wins_so_that_new_keys_may_be_appended_to_the_example(read):
    assert read("A=\nB=1\nA=new\n").text("A") == "new"


def test_who_wins_with_a_secret_wins_over_the_other_s_file_of_it(tmp_path):
    theirs, file = tmp_path / "theirs", tmp_path / "settings.env"
    theirs.write_text("elsewhere")
    winner = Environment({"KEY_FILE": str(theirs), "URL_FILE": str(theirs)})
    polite = Environment({"KEY": "variable"})

    file.write_text("KEY=file\nURL=\n")
    winner.read_file(file, wins=True)
    file.write_text(f"KEY_FILE={theirs}\n")
    polite.read_file(file, wins=False)

    assert (winner.secret("KEY"), winner.secret("URL")) == ("file", "")
    assert polite.secret("KEY") == "variable"


def test_a_line_that_is_no_setting_is_told_by_its_number_only(read, capsys, caplog):
    environment = read("# comment\n\nSECRET_KEY = canary\n")

    assert environment.problems == [("settings.env", "line 3 is not NAME=value")]
    assert "canary" not in caplog.text + str(capsys.readouterr())


def test_a_file_that_is_not_there_is_a_problem(tmp_path):
    environment = Environment({})

    environment.read_file(tmp_path / "missing.env", wins=True)

    assert environment.problems == [
        ("missing.env", "cannot be read: FileNotFoundError")
    ]


def test_a_secret_may_stand_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("from the file\n")

    found = Environment({"A_FILE": str(file), "A": "from a variable"}).secret("A")

    assert found == "from the file"


def test_a_secret_s_missing_file_is_a_problem():
    environment = Environment({"A_FILE": "nowhere", "A": "no second choice"})

    assert environment.secret("A") == ""
    assert environment.problems[0][0] == "A_FILE"


@pytest.mark.parametrize(
    "address", ["mysql://root@host/x", "nonsense", "postgres://[::1/x"]
)
def test_an_unknown_database_is_a_problem_and_nothing_is_opened(address, tmp_path):
    environment = Environment({"DATABASE_URL": address})

    database = environment.database("DATABASE_URL", tmp_path / "default", tmp_path)

    assert database["NAME"] == ":memory:"
    assert environment.problems[0][0] == "DATABASE_URL"


def test_a_sqlite_file_keeps_its_name_and_is_relative_to_the_project(tmp_path):
    environment = Environment({"DATABASE_URL": "sqlite:///a+b c.sqlite3"})

    database = environment.database("DATABASE_URL", tmp_path / "default", tmp_path)

    assert database["NAME"] == str(tmp_path / "a+b c.sqlite3")


def test_a_password_of_postgresql_is_unquoted(tmp_path):
    environment = Environment({"DATABASE_URL": "postgres://ann:p%40ss@host:5433/ce"})

    database = environment.database("DATABASE_URL", tmp_path / "default", tmp_path)

    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["PASSWORD"], database["PORT"]) == ("p@ss", 5433)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_that_others_may_read_or_write_is_a_problem(tmp_path, mode):
    file = tmp_path / "key"
    file.write_text("k1:secret\n")
    file.chmod(mode)
    environment = Environment({"FIELD_KEYS_FILE": str(file)})

    environment.secret("FIELD_KEYS")

    ((name, problem),) = environment.problems
    assert name == "FIELD_KEYS_FILE"
    assert f"chmod 600 {file}" in problem
    assert "secret" not in problem


def test_a_key_file_of_its_owner_is_no_problem(tmp_path):
    file = tmp_path / "key"
    file.write_text("k1:secret\n")
    file.chmod(0o400)
    environment = Environment({"FIELD_KEYS_FILE": str(file)})

    assert environment.secret("FIELD_KEYS") == "k1:secret"
    assert environment.problems == []


@pytest.mark.parametrize(
    ("text", "open_to_others"),
    [
        ("FIELD_KEYS=k1:secret\n", True),
        ("export SECRET_KEY=secret\n", True),
        ("FIELD_KEYS=\nWEB_PORT=8000\n", False),
        ("# FIELD_KEYS=k1:secret\n", False),
    ],
)
def test_a_settings_file_with_keys_is_its_owner_s_alone(tmp_path, text, open_to_others):
    file = tmp_path / "settings.env"
    file.write_text(text)
    file.chmod(0o644)
    loose, strict = Environment({}), Environment({})

    loose.read_file(file, wins=True)
    file.chmod(0o600)
    strict.read_file(file, wins=True)

    told = [problem for _, problem in loose.problems]
    assert any("chmod 600" in one for one in told) == open_to_others
    assert strict.problems == []


@pytest.mark.parametrize(
    ("address", "tls", "ssl", "port"),
    [
        ("smtp+tls://u:p%40ss@mail.example.com:587", True, False, 587),
        ("smtp+ssl://u:p%40ss@mail.example.com:465", False, True, 465),
        ("smtp://u:p%40ss@mail.example.com:25", False, False, 25),
        ("smtp+tls://u:p%40ss@mail.example.com", True, False, 587),
        ("smtp+ssl://u:p%40ss@mail.example.com", False, True, 465),
        ("smtp://u:p%40ss@mail.example.com/", False, False, 25),
    ],
)
def test_a_mail_server_is_read(address, tls, ssl, port):
    environment = Environment({"EMAIL_URL": address})

    found = environment.mail("EMAIL_URL")

    assert found["EMAIL_HOST"] == "mail.example.com"
    assert (found["EMAIL_PORT"], found["EMAIL_HOST_PASSWORD"]) == (port, "p@ss")
    assert bool(found.get("EMAIL_USE_TLS")) is tls
    assert bool(found.get("EMAIL_USE_SSL")) is ssl
    assert environment.problems == []


@pytest.mark.parametrize(
    "address",
    [
        *("smtps://h:465", "http://h", "mail.example.com", "smtp://"),
        # What is special in a password and was not encoded cuts the address short.
        *("smtp://u:25#x@h", "smtp://u:25/x@h", "smtp://u:25?x@h", "smtp://u:p[@h"),
        *("smtp://h:99999", "smtp+tls://h?use_tls=1"),
    ],
)
def test_an_address_of_no_mail_server_is_a_problem(address):
    environment = Environment({"EMAIL_URL": address})

    assert environment.mail("EMAIL_URL") == {}
    assert [name for name, _ in environment.problems] == ["EMAIL_URL"]


def test_without_a_mail_server_there_is_none():
    environment = Environment({})

    assert environment.mail("EMAIL_URL") == {}
    assert environment.problems == []
