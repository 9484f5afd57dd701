"""Certificates are checked, and what fails before TLS stands is certainly not sent."""

import datetime

import pytest
import trustme

from ceadmin.lib import http
from tests.lib.hostile import answers

pytestmark = pytest.mark.usefixtures("loopback")

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
REQUEST_BODY = b"token=secret"


def refusal(server) -> http.HttpError:
    """Return the error that a call to the server ends with."""
    with pytest.raises(http.HttpError) as caught:
        http.send(http.Request("POST", server.url, (), REQUEST_BODY, deadline=1.0))
    return caught.value


def test_a_certificate_of_a_trusted_authority_is_taken(
    serve, authority, certificate, trusted
):
    server = serve(answers(b"ok"), certificate(authority.issue_cert("localhost")))

    assert http.send(http.Request.get(server.url)).body == b"ok"


def test_a_certificate_of_an_unknown_authority_is_refused(serve, certificate, trusted):
    stranger = trustme.CA().issue_cert("localhost")
    server = serve(answers(), certificate(stranger))

    error = refusal(server)

    assert (type(error), error.code) == (http.Unreachable, "tls")
    assert server.seen == []


def test_the_system_s_authorities_do_not_know_ours(serve, authority, certificate):
    server = serve(answers(), certificate(authority.issue_cert("localhost")))

    assert refusal(server).code == "tls"


def test_a_certificate_of_another_host_is_refused(
    serve, authority, certificate, trusted
):
    issued = authority.issue_cert("api.example.com")
    server = serve(answers(), certificate(issued))

    assert refusal(server).code == "tls"
    assert server.seen == []


def test_a_missing_file_of_authorities_is_a_matter_of_tls(
    serve, authority, certificate, settings
):
    settings.OUTBOUND_CA_FILE = "/nowhere/authorities.pem"
    server = serve(answers(), certificate(authority.issue_cert("localhost")))

    assert refusal(server).code == "tls"
    assert server.seen == []


def test_a_certificate_that_ran_out_is_refused(serve, authority, certificate, trusted):
    issued = authority.issue_cert("localhost", not_after=LONG_AGO)
    server = serve(answers(), certificate(issued))

    assert refusal(server).code == "tls"
    assert server.seen == []


def test_a_server_without_tls_gets_no_request(serve):
    server = serve(answers(), tls=SpeaksPlainly())

    error = refusal(server)

    assert (type(error), error.code) == (http.Unreachable, "tls")
    assert server.seen == []


def test_a_server_that_hangs_up_before_tls_gets_no_request(serve):
    server = serve(answers(), tls=HangsUp())

    error = refusal(server)

    assert (type(error), error.code) == (http.Unreachable, "tls")


def test_a_server_that_never_answers_the_handshake_gets_no_request(serve):
    server = serve(answers(), tls=Waits())

    error = refusal(server)

    assert (type(error), error.code) == (http.Unreachable, "connect_timeout")


class SpeaksPlainly:
    """Stands for TLS and answers without it."""

    def wrap_socket(self, client, server_side):
        """Answer whatever came."""
        client.recv(4096)
        client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        raise OSError


class HangsUp:
    """Stands for TLS and closes the connection instead."""

    def wrap_socket(self, client, server_side):
        """Refuse."""
        raise OSError


class Waits:
    """Stands for TLS and reads without an answer."""

    def wrap_socket(self, client, server_side):
        """Read until the other side gives up."""
        while client.recv(4096):
            pass
        raise OSError
