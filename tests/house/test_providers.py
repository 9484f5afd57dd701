"""Providers are data: no code knows one, and every record is tried."""

import inspect
import re
from dataclasses import fields, is_dataclass
from enum import Enum

from providers import catalogue, choices, spec
from providers.quirks import QUIRKS
from tests.emulator.recording import FOLDER, load
from tests.house.sources import PRODUCT, ROOT, name_of, python_files, strings

#: Words that no record writes.
UNWRITTEN = (choices.CallbackMode, choices.Verdict, choices.Life)
#: The fixed part of each record's hosts, such as salesforce.com.
DOMAIN = re.compile(r"([a-z0-9-]+\.(?:com|us|io|net))(?=[/:'\"]|$)")


def product_files():
    return [file for file in python_files(*PRODUCT) if file.name != "quirks.py"]


def test_no_code_names_a_provider_by_its_key():
    keys = {record.key for record in catalogue.all()}

    found = [
        f"{name_of(file)}: {text!r}"
        for file in product_files()
        for text in strings(file)
        if text in keys
    ]

    assert found == []


def test_no_code_names_a_provider_s_host():
    hosts = {
        domain
        for record in catalogue.all()
        for call in record.calls().values()
        for domain in DOMAIN.findall(call.url)
    }

    found = [
        f"{name_of(file)}: {text!r}"
        for file in product_files()
        for text in strings(file)
        if any(host in text for host in hosts)
    ]

    assert hosts
    assert found == []


def test_every_record_that_can_be_called_has_a_recording():
    callable_ones = {record.key for record in catalogue.all() if record.revocable}

    assert set(load(FOLDER)) == callable_ones


def test_every_quirk_is_short_used_by_a_record_and_tested():
    used = {
        place.quirk
        for record in catalogue.all()
        for place in record.placeholders.values()
        if place.quirk
    }
    lines = {
        name: len(inspect.getsource(function).splitlines())
        for name, function in QUIRKS.items()
    }
    tested = set(strings(ROOT / "tests" / "providers" / "test_quirks.py"))

    assert used == set(QUIRKS) == tested & set(QUIRKS)
    assert max(lines.values()) <= 30


def guide():
    return (ROOT / "docs" / "how-to-add-a-provider.md").read_text(encoding="utf-8")


def test_the_guide_s_files_exist():
    paths = set(re.findall(r"`((?:providers|tests|docs)/[\w./-]+\.\w+)`", guide()))

    missing = [path for path in sorted(paths) if not (ROOT / path).exists()]

    assert [path for path in missing if not path.endswith("/example.toml")] == []
    assert len(paths) > len(missing)


def test_the_guide_explains_every_key_and_word():
    classes = [
        thing
        for module in (spec, choices)
        for thing in vars(module).values()
        if isinstance(thing, type) and thing.__module__ == module.__name__
    ]
    words = set(re.findall(r"[\w-]+", guide()))

    keys = {f.name for c in classes if is_dataclass(c) for f in fields(c)}
    values = {
        member.value
        for c in classes
        if issubclass(c, Enum) and c not in UNWRITTEN
        for member in c
    }

    assert sorted((keys | values) - words) == []
