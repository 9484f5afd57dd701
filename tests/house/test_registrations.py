"""What Django would drop in silence is there: choices, actions, commands, settings."""

import ast
import re

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.management import get_commands
from django.db.models import CheckConstraint, Q

from ceadmin.celery import app
from tests.house.sources import PRODUCT, ROOT, python_files, strings

OURS = {"ceadmin", "audit", "teams", "providers", "instances"}
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text()


def fields_of(condition: Q) -> set[str]:
    """Return the names of the fields that a condition looks at."""
    names = set()
    for child in condition.children:
        if isinstance(child, Q):
            names |= fields_of(child)
        else:
            names.add(child[0].split("__")[0])
    return names


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_with_choices_is_constrained(model):
    constraints = [c for c in model._meta.constraints if isinstance(c, CheckConstraint)]
    constrained = {name for c in constraints for name in fields_of(c.condition)}
    fields = {field.name for field in model._meta.local_fields if field.choices}

    assert fields - constrained == set()


@pytest.mark.parametrize(
    "model_admin", admin.site._registry.values(), ids=lambda one: one.model.__name__
)
def test_every_admin_action_exists(model_admin):
    named = [one for one in model_admin.actions or () if isinstance(one, str)]

    assert [name for name in named if model_admin.get_action(name) is None] == []


#: Models without a page of their own → whose page shows their rows, "" where only the engine
#: reads them.
SHOWN_ELSEWHERE = {
    "Approval": "Run",
    "Attempt": "Item",
    "BroughtList": "Instance",
    "BrokenGlass": "Run",
    "Browser": "User",
    "Chunk": "",
    "Flip": "Instance",
    "GrantClaim": "",
    "Head": "",
    "Hold": "",
    "InstanceTag": "Instance",
    "ListChoice": "Instance",
    "Origin": "Event",
    "OwnProviderVersion": "OwnProvider",
    "Part": "Run",
    "Person": "Event",
    "Brand": "Organization",
    "Policy": "Organization",
    "PolicyChange": "Organization",
    "RecoveryCode": "User",
    "SecondFactor": "User",
    "SecretUse": "Organization",
    "Tally": "",
}


def test_every_model_has_a_page_or_is_shown_on_another():
    with_page = {model.__name__ for model in admin.site._registry}
    without = {model.__name__ for model in MODELS} - with_page

    assert without == set(SHOWN_ELSEWHERE)
    assert {page for page in SHOWN_ELSEWHERE.values() if page} <= with_page


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert "teams.sweep" in scheduled
    assert scheduled - set(app.tasks) == set()


def test_every_command_is_named_in_a_test():
    commands = {
        name
        for name, app in get_commands().items()
        if app
        in {"ceadmin", "ceadmin.teams", "ceadmin.audit", "providers", "instances"}
    }
    words = {
        word
        for file in python_files("tests")
        if file.name.startswith("test_")
        for text in strings(file)
        for word in text.split()
    }

    assert "up" in commands
    assert commands - words == set()


def settings_read() -> set[str]:
    """Return the names that ceadmin/settings.py asks the environment for."""
    tree = ast.parse((ROOT / "ceadmin" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def test_every_setting_is_documented_and_every_documented_one_is_read():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", SETTINGS_PAGE, flags=re.MULTILINE))

    assert settings_read() == documented


def test_every_setting_of_the_example_file_exists():
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", example, flags=re.MULTILINE))

    assert named
    assert named - settings_read() == set()


def test_every_check_of_the_configuration_is_documented():
    ids = {
        text
        for file in python_files("ceadmin")
        if "lib" not in file.parts  # those judge code, not a configuration
        for text in strings(file)
        if re.fullmatch(r"ceadmin\.[EW]\d{3}", text)
    }

    assert ids
    assert {one for one in ids if one not in SETTINGS_PAGE} == set()


def test_product_folders_are_the_ones_agreed():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert packages == {*PRODUCT, "tests"}
