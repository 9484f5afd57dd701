"""Headless Chromium for journeys: the machine's own, never one that is downloaded."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, NAMES)), None
)

# Chromium looks up its maker's hosts at every start unless it is told not to.
ARGUMENTS = (
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--force-color-profile=srgb",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip journeys where there is no browser, or fail if one is required."""
    for item in items:
        if "page" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            if not CHROMIUM and os.environ.get("REQUIRE_BROWSER") != "1":
                reason = "no Chromium: install chromium or set CHROMIUM"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Start the machine's Chromium."""
    assert CHROMIUM, "REQUIRE_BROWSER=1, but there is no Chromium"
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": list(ARGUMENTS),
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    """Look at pages as one and the same person everywhere."""
    return {
        **browser_context_args,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-US",
        "timezone_id": "UTC",
    }


@pytest.fixture
def site_url(live_server, settings) -> str:
    """The address of a running ceadmin, which knows it as its own."""
    settings.PUBLIC_URL = live_server.url
    return live_server.url
