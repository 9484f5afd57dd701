"""`manage.py own_providers` lists, exports and imports, with a person's rights."""

import pytest

from ceadmin.audit.models import Event
from providers.models import OwnProvider
from tests.commands.conftest import manage
from tests.instances.writing import change
from tests.providers.own_records import HOST, own, text

pytestmark = pytest.mark.django_db
OTTO, VIC, EVE = (f"{name}@example.com" for name in ("otto", "vic", "eve"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "record.toml"
    path.write_text(text())
    return path


def given(file, *more: str) -> tuple[str, ...]:
    return ("--import", str(file), "--vouch", HOST, "--reason", "from staging", *more)


def test_a_record_goes_from_one_organization_to_another(file, team):
    first = manage("own_providers", "acme", "--as", OTTO, *given(file))
    told = manage("own_providers", "acme", "--as", VIC, "--export", "own_acme_login")
    file.write_text(told.text)
    second = manage("own_providers", "globex", "--as", EVE, *given(file))

    assert (first.code, told.code, second.code) == (0, 0, 0)
    assert told.text == text()
    assert "Acme Login is at version 1 in Globex" in second.text
    assert OwnProvider.objects.count() == 2
    events = Event.objects.filter(action="own_provider_imported")
    assert {one.reason for one in events} == {"from staging"}
    assert {one.chain for one in events} == {team.acme.chain, team.other.chain}


def test_an_import_of_a_known_key_is_a_new_version(file, team):
    made = own(team.acme)
    file.write_text(text(hint=False))

    ended = manage("own_providers", "acme", "--as", OTTO, "--json", *given(file))

    assert ended.json == {"key": made.key, "name": "Acme Login", "version": 2}
    assert made.versions.count() == 2


def test_own_records_are_listed_and_old_versions_printed(team):
    made = own(team.acme)
    change(made, text(hint=False))

    words = manage("own_providers", "acme", "--as", VIC)
    listed = manage("own_providers", "acme", "--as", VIC, "--json")
    old = ("--export", made.key, "--number", "1")

    assert words.text == "own_acme_login  version 2  Acme Login\n"
    assert listed.json == [{"key": made.key, "name": "Acme Login", "version": 2}]
    assert manage("own_providers", "acme", "--as", VIC, *old).text == text()
    assert manage("own_providers", "globex", "--as", EVE).text == ""


def test_only_owners_import(file, team):
    ended = manage("own_providers", "acme", "--as", VIC, *given(file))

    assert ended.code == 3
    assert not OwnProvider.objects.exists()


def test_hosts_are_vouched_for_by_name(file, team):
    args = ("--import", str(file), "--reason", "x")
    ended = manage("own_providers", "acme", "--as", OTTO, *args)

    assert (ended.code, OwnProvider.objects.count()) == (1, 0)
    assert f"vouch for {HOST}" in ended.error


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"key = [", 1, "toml: "),
        (b"\xff", 2, "is not UTF-8"),
        (b"#" * 64_001, 2, "is larger than 64000 bytes"),
        (None, 2, "cannot be read"),
    ],
)
def test_a_file_that_is_no_record_is_told_by_its_reason(
    file, team, content, code, words
):
    file.write_bytes(content) if content else file.unlink()

    ended = manage("own_providers", "acme", "--as", OTTO, *given(file))

    assert (ended.code, words in ended.error) == (code, True)


def test_a_record_that_is_not_there_is_told(team):
    own(team.other)

    ended = manage("own_providers", "acme", "--as", OTTO, "--export", "own_acme_login")

    assert ended.code == 2
    assert "has no own provider own_acme_login" in ended.error
