"""System checks: a wrong record stops `manage.py` with its file and key."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from providers import catalogue

_HINT = "docs/how-to-add-a-provider.md explains every key of a record."


def check_catalogue(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """Complain about every record that cannot be used."""
    return problems_in(catalogue.DATA)


def problems_in(folder: Path) -> list[CheckMessage]:
    """Complain about the records of one folder."""
    return [
        Error(str(problem), hint=_HINT, obj="providers/data", id="providers.E001")
        for problem in catalogue.problems(folder)
    ]
