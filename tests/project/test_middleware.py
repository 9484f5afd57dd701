"""Every answer says what a browser may do with it, and has an id."""

import logging

import pytest
from django.test import Client
from django.urls import get_resolver

from ceadmin.middleware import CONTENT_SECURITY_POLICY

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz", "/nowhere"])
def test_the_content_security_policy_allows_nothing_from_elsewhere(client, path):
    policy = client.get(path)["Content-Security-Policy"]

    assert policy == CONTENT_SECURITY_POLICY
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy


def test_headers_of_the_admin(client):
    answer = client.get("/admin/login/")

    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert (
        answer["Cache-Control"].endswith("no-store")
        or "no-store" in answer.headers["Cache-Control"]
    )
    assert "camera=()" in answer["Permissions-Policy"]


def test_addresses_of_public_pages_are_told_to_nobody(client):
    assert client.get("/healthz")["Referrer-Policy"] == "no-referrer"


def test_each_request_has_an_id_of_ours(client):
    first = client.get("/healthz", headers={"X-Request-Id": "chosen by somebody"})
    second = client.get("/healthz")

    assert len(first["X-Request-Id"]) == 32
    assert first["X-Request-Id"] != second["X-Request-Id"]


def test_the_log_has_the_route_and_never_the_address(client, caplog):
    caplog.set_level(logging.INFO, logger="ceadmin.middleware")

    client.get("/admin/login/?next=/admin/&code=canary")

    line = next(r for r in caplog.records if r.name == "ceadmin.middleware")
    assert line.getMessage().startswith("GET /admin/login/ 200 in")
    assert "canary" not in caplog.text


def test_every_view_but_the_public_ones_asks_for_a_login(client):
    answer = client.get("/admin/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_the_bare_address_leads_to_the_admin(client):
    answer = client.get("/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_times_are_shown_in_the_person_s_time_zone(client, team):
    team.vic.time_zone = "Asia/Tokyo"
    team.vic.save()
    client.force_login(team.vic)

    assert client.get("/admin/").status_code == 200


def test_a_form_without_its_token_is_refused():
    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/admin/login/", {"username": "x"}).status_code == 403


def test_the_resolver_has_the_health_routes():
    assert {"healthz", "readyz"} <= set(get_resolver().reverse_dict)
