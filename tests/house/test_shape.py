"""Files and functions stay small enough to be read, and say what they are for."""

import ast
import re

import pytest

from tests.house.sources import PRODUCT, ROOT, functions, name_of, python_files

GRAB_BAGS = {"utils", "helpers", "common", "services", "managers", "misc"}


def test_no_file_has_400_lines():
    long = {
        name_of(file): lines
        for file in python_files()
        if (lines := len(file.read_text().splitlines())) >= 400
    }

    assert long == {}


def test_no_function_has_more_than_40_lines():
    long = [
        f"{name_of(file)}: {name} has {lines}"
        for file in python_files()
        for name, lines in functions(file)
        if lines > 40
    ]

    assert long == []


def test_every_module_says_what_it_is_for():
    silent = [
        name_of(file)
        for file in python_files()
        if file.read_text().strip()
        and not ast.get_docstring(ast.parse(file.read_text()))
    ]

    assert silent == []


def test_every_public_function_of_the_product_says_what_it_does():
    silent = [
        f"{name_of(file)}: {node.name}"
        for file in python_files(*PRODUCT)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_module_is_a_grab_bag():
    bags = [name_of(one) for one in python_files(*PRODUCT) if one.stem in GRAB_BAGS]

    assert bags == []


def test_migrations_are_named_for_what_they_do():
    files = python_files(*PRODUCT, migrations=True)
    names = [one.stem for one in files if re.match(r"\d{4}_", one.stem)]

    assert names
    assert [
        one for one in names if re.search(r"_auto|_initial$|_alter_.*_and_", one)
    ] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/requirements.lock"])
def test_a_lock_has_hashes_and_names_no_registry(lock):
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z,]+\])?==", text, flags=re.MULTILINE)

    assert len(pins) > 30
    assert text.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"https?:|--(extra-)?index|--find-links", text)
