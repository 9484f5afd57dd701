"""docs/how-to-add-a-provider.md does what it says: its two examples are all that it takes."""

import re
from functools import partial

import pytest

from ceadmin.settings import BASE_DIR
from providers import catalogue
from tests.emulator.recording import load
from tests.providers.comparison import compare
from tests.providers.cycle import go_through, played_case

PAGE = (BASE_DIR / "docs" / "how-to-add-a-provider.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(
    r"^`([a-z/]+)/(example\.toml)`:\n\n```toml\n(.*?)^```$", re.M | re.S
)


@pytest.fixture
def folder(tmp_path):
    """A folder with nothing but the files of the page, where the page puts them."""
    for place, name, text in EXAMPLE.findall(PAGE):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_page_s_two_files_are_all_that_a_provider_takes(folder, emulator):
    files = {str(file.relative_to(folder)) for file in folder.rglob("*.toml")}
    assert files == {
        "providers/data/example.toml",
        "tests/emulator/recordings/example.toml",
    }
    record = catalogue.load(folder / "providers/data")["example"]
    recording = load(folder / "tests/emulator/recordings")["example"]
    assert [str(one) for one in compare(record, recording)] == []
    text = (folder / "tests/emulator/recordings/example.toml").read_text()
    emulator.control("recordings", {"example": text})

    go_through(partial(played_case, record, recording, emulator))

    effects = {entry["effect"] for entry in emulator.log()}
    assert {"alive", "revoked", "already_dead", "invalid_client"} <= effects
