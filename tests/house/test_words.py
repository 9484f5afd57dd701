"""What no file of the project may say."""

import re
import subprocess
from pathlib import Path

from tests.house.sources import PRODUCT, ROOT, name_of, python_files, strings

UNFINISHED = re.compile(r"TODO\b|FIXME\b|XXX\b|NotImplementedError")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|Users|root|work)/\w")
ENQUEUES = re.compile(r"\.(?:delay|apply_async|send_task)\(")
READS_ENVIRONMENT = re.compile(r"os\.(?:environ|getenv)")
ENTRANCES = {"ceadmin/celery.py", "ceadmin/wsgi.py"}  # they name the settings module


def project_texts():
    """Yield name and text of every file that a clone has."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listing.stdout.splitlines():
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def test_nothing_is_left_unfinished():
    found = [
        name
        for name, text in project_texts()
        if name.endswith((".py", ".html", ".js", ".toml"))
        and ROOT / name != Path(__file__)
        and UNFINISHED.search(text)
    ]

    assert found == []


def test_no_file_names_a_place_on_somebody_s_machine():
    assert [name for name, text in project_texts() if MACHINE_PATH.search(text)] == []


def test_only_nudge_enqueues():
    found = [
        name_of(file)
        for file in python_files(*PRODUCT)
        if ENQUEUES.search(file.read_text())
    ]

    assert found == ["ceadmin/lib/nudge.py"]


def test_only_settings_reads_the_environment():
    found = {
        name_of(file)
        for file in python_files(*PRODUCT)
        if READS_ENVIRONMENT.search(file.read_text())
    }

    assert found - ENTRANCES == {"ceadmin/settings.py"}


def test_no_code_knows_a_provider_by_its_key():
    keys = {file.stem for file in (ROOT / "providers" / "data").glob("*.toml")}
    found = [
        f"{name_of(file)}: {text}"
        for file in python_files("providers", "instances")
        if file.name != "quirks.py"
        for text in strings(file)
        if text in keys
    ]

    assert keys
    assert found == []
