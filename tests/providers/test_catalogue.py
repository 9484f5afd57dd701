"""The shipped records are sound, and a bad one is named with file and key."""

import pytest

from providers import catalogue, checks
from providers.catalogue import UnknownProvider
from providers.errors import SpecError
from tests.providers.support import RECORD

FILES = sorted(path.stem for path in catalogue.DATA.glob("*.toml"))


def test_the_shipped_catalogue_has_no_problems():
    assert catalogue.problems() == []
    assert checks.check_catalogue() == []


def test_the_catalogue_is_read_once_for_the_check_and_for_all_else(monkeypatch):
    records = catalogue.all()
    monkeypatch.setattr(catalogue, "_read", None)  # a second reading would fail

    assert checks.check_catalogue() == []
    assert catalogue.all() is records
    assert catalogue.get("box") in records


def test_there_is_one_record_per_file():
    assert sorted(record.key for record in catalogue.all()) == FILES
    assert {"box", "salesforce", "adobe_sign", "quickbooks"} <= set(FILES)


@pytest.mark.parametrize("key", FILES)
def test_a_record_has_what_people_are_shown(key):
    provider = catalogue.get(key)

    assert provider.kills.endswith(".")
    assert provider.manual_steps
    assert provider.sources
    assert provider.checked == "2026-11"


@pytest.mark.parametrize(
    ("element_key", "key"),
    [
        ("box", "box"),
        ("sfdc", "salesforce"),
        ("sfdcservicecloud", "salesforce"),
        ("adobe-esign", "adobe_sign"),
        ("quickbooks", "quickbooks"),
    ],
)
def test_an_element_has_its_record(element_key, key):
    assert catalogue.for_element(element_key).key == key


@pytest.mark.parametrize("element_key", ["", "bigcommerce", "BOX", "quickbooksonprem"])
def test_an_element_that_nobody_described_has_none(element_key):
    assert catalogue.for_element(element_key) is None


def test_an_unknown_key_is_said_to_be_unknown():
    with pytest.raises(UnknownProvider, match="no provider 'nobody'"):
        catalogue.get("nobody")


BAD_FILES = [
    ("spoilt", RECORD.replace('name = "Spoilt"', "name = 3"), "name"),
    ("spoilt", RECORD.replace("https://api", "http://api"), "revoke.call.url"),
    ("spoilt", RECORD + "[[", "toml"),
    ("other", RECORD, "key"),
]


@pytest.mark.parametrize(("stem", "text", "key"), BAD_FILES)
def test_a_bad_record_is_an_error_with_file_and_key(tmp_path, stem, text, key):
    (tmp_path / f"{stem}.toml").write_text(text)

    [error] = checks.problems_in(tmp_path)

    assert error.id == "providers.E001"
    assert error.msg.startswith(f"{stem}.toml: {key}: ")
    with pytest.raises(SpecError, match=f"{stem}.toml: {key}"):
        catalogue.load(tmp_path)


def test_a_record_that_is_not_utf8_is_an_error(tmp_path):
    (tmp_path / "spoilt.toml").write_bytes(b'name = "\xff"')

    [error] = checks.problems_in(tmp_path)

    assert error.msg == "spoilt.toml: toml: is not UTF-8"


def test_two_records_cannot_claim_one_element(tmp_path):
    (tmp_path / "spoilt.toml").write_text(RECORD)
    (tmp_path / "twin.toml").write_text(
        RECORD.replace('key = "spoilt"', 'key = "twin"')
    )

    [error] = checks.problems_in(tmp_path)

    assert error.msg == "twin.toml: element_keys: 'spoilt' belongs to spoilt already"


def test_every_bad_file_is_told_not_only_the_first(tmp_path):
    (tmp_path / "one.toml").write_text("x = 1")
    (tmp_path / "two.toml").write_text("y = 1")

    files = [error.msg.partition(":")[0] for error in checks.problems_in(tmp_path)]

    assert files == ["one.toml", "two.toml"]
