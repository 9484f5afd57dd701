"""Fixtures of the tests of ceadmin/lib."""

import pytest

from tests.lib.sealed_rows import KEY_1


@pytest.fixture
def field_keys(settings):
    """One key for fields, one for fingerprints."""
    settings.FIELD_KEYS = f"k1:{KEY_1}"
    settings.FINGERPRINT_KEYS = f"f1:{KEY_1}"
