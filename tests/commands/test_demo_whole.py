"""The demo as a newcomer starts it: every process, one command, the exit code.

These start everything themselves, so they run once and not again on servers.
"""

import pytest

from tests.start.installations import Installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("newcomer"))


def demo(installation, **variables):
    return installation.manage("up", "--demo", "--once", seconds=300, **variables)


def test_the_whole_demo_goes_well_twice_and_fails_when_spoiled(installation):
    first = demo(installation)
    second = demo(installation)
    spoiled = demo(installation, DEMO_FAULT="patch-refused")

    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 0, second.stdout + second.stderr
    assert spoiled.returncode == 1, spoiled.stdout + spoiled.stderr
    assert "4 See it dead" in first.stdout
    assert f"http://127.0.0.1:{installation.web}/admin/" in first.stdout
    assert "*400" in spoiled.stdout
    assert "Everything is stopped." in second.stdout
