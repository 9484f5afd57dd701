"""`manage.py check_providers`, and the page of the docs that it writes."""

import json
import re
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from providers import catalogue, reference
from tests.commands.test_json import documented
from tests.house.sources import ROOT
from tests.providers.support import RECORD

PAGE = ROOT / "docs" / "providers.md"


def run(*arguments: str) -> tuple[int, str]:
    """Return exit code and output; the database is closed to this test, so none is asked."""
    out = StringIO()
    try:
        call_command("check_providers", *arguments, stdout=out, stderr=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Two records, one of them checked long ago."""
    for key, month in (("young", "2026-11"), ("old", "2025-10")):
        text = RECORD.replace("spoilt", key).replace("2026-11", month)
        (tmp_path / f"{key}.toml").write_text(text)
    return tmp_path


def test_the_whole_catalogue_is_one_aligned_table():
    code, shown = run("--month", "2027-11")

    table, summary = shown.split("\n\n")
    head, *rows = table.splitlines()
    assert code == 0
    assert [row.split()[0] for row in rows] == [one.key for one in catalogue.all()]
    for name in ("CONFIDENCE", "KILLS", "SEEN DEAD BY", "CHECKED", "REVOKES"):
        at = head.index(name)
        assert {row[at - 2 : at] for row in rows} == {"  "}, name
        assert " " not in {row[at] for row in rows}, name
    assert all(" 12 mo  " in row for row in rows)
    assert "87 providers: 51 on, 15 off, 21 by hand" in summary
    assert "0 stale, 0 wrong." in summary


def test_what_is_stale_is_named_since_when_and_ends_with_1(folder):
    code, shown = run("--folder", str(folder), "--month", "2026-11")

    assert code == 1
    assert "  old: checked 2025-10, stale since 2026-11" in shown.splitlines()
    assert "young: " not in shown
    assert "1 stale, 0 wrong." in shown


@pytest.mark.parametrize(("months", "code"), [("12", 1), ("13", 0), ("0", 1)])
def test_how_old_facts_may_be_is_an_option(folder, months, code):
    asked = ("--folder", str(folder), "--month", "2026-11", "--stale-after", months)

    assert run(*asked)[0] == code


def test_every_wrong_record_is_named_beside_the_right_ones(folder):
    (folder / "bad.toml").write_text(RECORD.replace("spoilt", "bad") + "colour = 1\n")
    (folder / "torn.toml").write_text("key = ")
    (folder / "early.toml").write_text(
        RECORD.replace("spoilt", "early").replace("2026-11", "2026-12")
    )

    code, shown = run(
        "--folder", str(folder), "--month", "2026-11", "--stale-after", "99"
    )

    assert code == 1
    assert "bad.toml: revoke.call.colour: is not a known key" in shown
    assert "torn.toml: toml: " in shown
    assert "early.toml: checked: lies in the future" in shown
    assert shown.count("Spoilt") == 3
    assert "0 stale, 3 wrong." in shown


def test_the_same_as_json(folder):
    (folder / "torn.toml").write_text("key = ")

    code, shown = run("--folder", str(folder), "--month", "2026-11", "--json")

    document = json.loads(shown)
    assert set(document) == documented("The catalogue")
    assert {key for one in document["providers"] for key in one} == documented(
        "A provider"
    )
    assert code == 1
    assert (document["month"], document["stale_after"]) == ("2026-11", 12)
    assert document["stale"] == ["old"]
    assert [one["file"] for one in document["problems"]] == ["torn.toml"]
    [old, young] = document["providers"]
    assert (old["key"], old["age_months"], old["stale"]) == ("old", 13, True)
    assert (young["does"], young["revokes"]) == ("The token dies.", "on")


def test_the_current_month_is_taken_where_none_is_said():
    document = json.loads(run("--json")[1])

    assert re.fullmatch(r"20\d\d-\d\d", document["month"])
    assert {one["age_months"] >= 0 for one in document["providers"]} == {True}


@pytest.mark.parametrize(
    "wrong",
    [("--month", "2026-13"), ("--stale-after", "-1"), ("--folder", "nowhere/at/all")],
)
def test_a_wrong_command_line_ends_with_2(wrong):
    with pytest.raises(CommandError) as caught:
        run(*wrong)

    assert caught.value.returncode == 2


# The page


def test_the_page_of_the_docs_is_what_the_records_make(tmp_path):
    path = tmp_path / "providers.md"

    assert run("--write", str(path))[0] == 0

    assert path.read_bytes() == PAGE.read_bytes(), (
        "write it anew: manage.py check_providers --write docs/providers.md"
    )


def test_no_page_is_written_of_wrong_records(folder, tmp_path):
    (folder / "torn.toml").write_text("key = ")
    path = tmp_path / "page.md"

    code, shown = run("--folder", str(folder), "--write", str(path))

    assert code == 1
    assert "torn.toml" in shown
    assert not path.exists()


def test_every_record_has_a_line_and_a_section_that_it_leads_to():
    text = reference.page(catalogue.all())

    lines = re.findall(r"^\| \[(.+?)\]\(#([\w-]+)\) \|", text, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)[2:]
    anchors = Counter(
        re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings
    )
    assert (
        [name for name, _ in lines] == headings == [one.name for one in catalogue.all()]
    )
    assert [anchor for _, anchor in lines] == list(anchors)
    assert set(anchors.values()) == {1}


def test_tables_and_code_stay_whole():
    text = reference.page(catalogue.all())

    assert text.count("```sh\n") * 2 == text.count("```")
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(columns) == 1, block


def test_every_source_is_on_the_page_and_says_whether_it_was_read():
    text = reference.page(catalogue.all())
    sources = [one for record in catalogue.all() for one in record.sources]

    assert text.count(", read: ") == sum(one.read for one in sources)
    assert text.count(", not read: ") == sum(not one.read for one in sources)
