"""Fixtures of the tests of ceadmin/lib."""

import ssl

import pytest
import trustme

from ceadmin.lib import http
from tests.lib.hostile import Server
from tests.lib.sealed_rows import KEY_1


@pytest.fixture
def field_keys(settings):
    """One key for fields, one for fingerprints."""
    settings.FIELD_KEYS = f"k1:{KEY_1}"
    settings.FINGERPRINT_KEYS = f"f1:{KEY_1}"


@pytest.fixture
def real_world(settings):
    """Settings of a real installation: no demo, no emulator, no proxy."""
    settings.DEMO = False
    settings.EMULATOR_URL = settings.OUTBOUND_PROXY = settings.OUTBOUND_CA_FILE = ""


@pytest.fixture
def loopback(real_world):
    """The test's own door to servers on this machine."""
    with http.allow_loopback():
        yield


@pytest.fixture
def serve():
    """A function that starts a server and returns it."""
    servers = []

    def start(behave, tls=None):
        servers.append(Server(behave, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def authority():
    """A certificate authority."""
    return trustme.CA()


@pytest.fixture
def certificate():
    """A function that makes a server's side of TLS from a certificate."""

    def side(issued):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context

    return side


@pytest.fixture
def trusted(authority, settings, tmp_path):
    """Trust the authority."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    settings.OUTBOUND_CA_FILE = str(file)
