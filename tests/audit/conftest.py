"""Fixtures of the audit's tests: a checkpoint file of their own."""

from pathlib import Path

import pytest


@pytest.fixture
def checkpoints(settings, tmp_path) -> Path:
    """The file that checkpoints go to; it is not there yet."""
    settings.CHECKPOINT_FILE = str(tmp_path / "outside" / "checkpoints.jsonl")
    return Path(settings.CHECKPOINT_FILE)
