"""The address of a request's sender is believed as far as it can be."""

import pytest
from django.test import RequestFactory

from ceadmin.lib.client import client_address

FORGED = "203.0.113.66, 198.51.100.7"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (False, "", "192.0.2.1"),
        (False, FORGED, "192.0.2.1"),
        (True, "", "192.0.2.1"),
        (True, FORGED, "198.51.100.7"),
        (True, "198.51.100.7", "198.51.100.7"),
    ],
)
def test_only_what_our_own_proxy_wrote_is_believed(
    settings, trusted, forwarded, address
):
    settings.TRUSTED_PROXY = trusted
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")

    assert client_address(request) == address
