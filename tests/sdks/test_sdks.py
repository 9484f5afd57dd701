"""What each vendor's SDK sends when it revokes is what the catalogue sends.

Both sides are recorded on a real socket. `make test-sdks` runs this; SDKS_PYTHON names the
interpreter that has the SDKs.
"""

import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from ceadmin.lib import http
from providers import catalogue
from providers.revocation import plan
from tests.house.sources import ROOT
from tests.providers.support import SITES, grant
from tests.sdks.comparison import differences, facts, open_points
from tests.sdks.recorder import Recorder
from tests.sdks.values import ACCESS, CLIENT_ID, CLIENT_SECRET, REFRESH

CASES = tomllib.loads(Path(__file__).with_name("differences.toml").read_text())
#: Versions of the API that the SDKs name; here they are values of the site.
VERSIONS = {"facebook": {"version": "24.0"}, "notion": {"api_version": "2025-09-03"}}


@pytest.fixture(scope="session")
def theirs():
    """What the SDKs send, by provider."""
    python = os.environ.get("SDKS_PYTHON")
    assert python, "There are no SDKs here: run make test-sdks"
    ended = subprocess.run(
        [python, "-m", "tests.sdks.capture"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # no proxy and no account of this machine's
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return {captured["provider"]: captured for captured in json.loads(ended.stdout)}


@pytest.fixture
def recorder(settings):
    """A recorder to which the product's outbound seam leads."""
    with Recorder() as recorder:
        settings.EMULATOR_URL = f"http://127.0.0.1:{recorder.port}"
        yield recorder


def sent_for(key, token, recorder):
    """Send what the catalogue makes of the same grant; return it at its own host."""
    tokens = {"access_token": ACCESS, "refresh_token": REFRESH}
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    site = SITES[key] | VERSIONS.get(key, {})
    [step] = plan(
        catalogue.get(key), grant(key, site=site, **tokens, **app), only=token
    )
    assert step.request.url.startswith("https://")
    http.send(step.request)
    [sent] = recorder.take()
    # The seam leads to a stand-in by putting the host before the path.
    host, _, rest = sent["target"].removeprefix("/").partition("/")
    headers = [(name, host if name == "host" else it) for name, it in sent["headers"]]
    return {**sent, "target": f"/{rest}", "headers": headers}


def explained(key):
    found = CASES[key].get("differences", [])
    return {name: pair for part in found for name, pair in part["facts"].items()}


@pytest.mark.parametrize("key", CASES)
def test_the_sdk_sends_what_the_catalogue_sends(key, theirs, recorder):
    captured = theirs[key]
    ours = facts(sent_for(key, captured["token"], recorder))

    found = differences(ours, facts(captured["sent"]))

    points = open_points(found, explained(key))
    assert not points, "\n".join(points)


def test_every_sdk_that_was_captured_is_compared(theirs):
    captured = {key: call["package"] for key, call in theirs.items()}

    assert captured == {key: case["sdk"] for key, case in CASES.items()}
