"""Headless Chromium for journeys: the machine's own, never one that is downloaded."""

import os
import shutil

import pytest

from tests.people import PASSWORD

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


#: Who asks for one of these opens pages.
IN_A_BROWSER = {"page", "new_context"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip journeys where there is no browser, or fail if one is required."""
    for item in items:
        if IN_A_BROWSER.intersection(getattr(item, "fixturenames", ())):
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


def sign_in(page, site_url: str, user) -> None:
    """Sign in as a person does."""
    page.goto(f"{site_url}/admin/login/")
    page.get_by_label("Mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


TELL_VIOLATIONS = """
  document.addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def listen(context) -> list[str]:
    """Return the list to which everything goes that a browser complains about."""
    heard: list[str] = []

    def hear(line) -> None:
        if line.type == "error":
            heard.append(f"{line.page.url if line.page else ''}: {line.text}")

    context.add_init_script(TELL_VIOLATIONS)
    context.on("console", hear)
    context.on("weberror", lambda error: heard.append(str(error.error)))
    return heard


@pytest.fixture
def heard(context) -> list[str]:
    """What the browser complained about: errors on the console, violations of the policy."""
    return listen(context)
