"""A production configuration passes Django's own deployment checks, and ours."""

import json
import sys
import urllib.error
import urllib.request

import pytest

from tests.start.installations import GOOD

PRODUCTION = {
    **GOOD,
    "PUBLIC_URL": "https://ceadmin.example.com",
    "TRUSTED_PROXY": "1",
}
SHOW = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "ceadmin.settings"
from django.conf import settings
names = %r
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def settings_of(installation, *names: str, **variables: str) -> dict:
    ended = installation.run(sys.executable, "-c", SHOW % (names,), **variables)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_deployment_checks_have_nothing_to_say(installation):
    ended = installation.manage(
        "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION
    )

    assert ended.returncode == 0, ended.stderr


def test_public_names_without_tls_are_warned_of(installation):
    plain = {**GOOD, "PUBLIC_URL": "http://ceadmin.example.com"}

    ended = installation.manage("check", **plain)

    assert ended.returncode == 0
    assert "ceadmin.W001" in ended.stderr


def test_tls_without_a_trusted_proxy_is_warned_of(installation):
    ended = installation.manage("check", **{**PRODUCTION, "TRUSTED_PROXY": ""})

    assert ended.returncode == 0
    assert "ceadmin.W002" in ended.stderr


def test_cookies_are_bound_to_the_host_and_to_tls(installation):
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_SECURE")

    found = settings_of(installation, *names, "ALLOWED_HOSTS", **PRODUCTION)

    assert found == {
        "SESSION_COOKIE_NAME": "__Host-ceadmin-session",
        "CSRF_COOKIE_NAME": "__Host-ceadmin-csrf",
        "SESSION_COOKIE_SECURE": True,
        "ALLOWED_HOSTS": ["ceadmin.example.com"],
    }


def test_the_demo_s_cookies_are_not_the_installation_s(installation):
    demo = settings_of(installation, "SESSION_COOKIE_NAME", DEMO="1", **GOOD)
    real = settings_of(installation, "SESSION_COOKIE_NAME", **GOOD)

    assert demo != real


@pytest.mark.parametrize(
    ("address", "for_redis", "for_celery"),
    [
        ("redis://h:1/2", "redis://h:1/2", "redis://h:1/2"),
        ("unix:///s?db=2", "unix:///s?db=2", "redis+socket:///s?virtual_host=2"),
        (
            "redis+socket:///s?virtual_host=2",
            "unix:///s?db=2",
            "redis+socket:///s?virtual_host=2",
        ),
    ],
)
def test_one_broker_address_serves_both_libraries(
    installation, address, for_redis, for_celery
):
    found = settings_of(
        installation, "REDIS_URL", "CELERY_BROKER_URL", **GOOD, REDIS_URL=address
    )

    assert found == {"REDIS_URL": for_redis, "CELERY_BROKER_URL": for_celery}


def test_health_is_asked_on_the_inner_port_and_pages_are_sent_to_tls(started):
    running = started("up", **PRODUCTION)
    running.wait_until_ready()
    inner = f"http://127.0.0.1:{running.installation.web}"

    page = urllib.request.Request(
        f"{inner}/admin/", headers={"Host": "ceadmin.example.com"}
    )
    opener = urllib.request.build_opener(NoRedirects)
    with pytest.raises(urllib.error.HTTPError) as redirect:
        opener.open(page, timeout=5)

    assert redirect.value.code == 301
    assert redirect.value.headers["Location"] == "https://ceadmin.example.com/admin/"
    redirect.value.close()


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Shows a redirect instead of following it."""

    def redirect_request(self, *_args, **_kwargs):
        return None
