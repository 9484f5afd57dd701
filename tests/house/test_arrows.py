"""Modules import downwards only: the contracts in pyproject.toml hold."""

import subprocess
import sys

from tests.house.sources import ROOT


def test_import_contracts_hold():
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"

    ended = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " kept, 0 broken" in ended.stdout
