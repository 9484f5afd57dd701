"""A web server that is killed while somebody asks for a run."""

import socket
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.models import Instance, Run
from tests.services import wait_until
from tests.worker.ledger import Ledger
from tests.worker.rig import rig

__all__ = ["rig"]

GUNICORN = ["-m", "gunicorn", "--config", "python:ceadmin.gunicorn", "ceadmin.wsgi"]
TOKEN = "a" * 32


def test_a_run_whose_web_server_died_before_its_message_left_is_found(rig, client):
    count = rig.crowd(20)
    client.force_login(rig.fleet.user)
    relay = rig.relay(rig.socket)
    port = free_port()
    web = rig.start(
        "web",
        [sys.executable, *GUNICORN],
        REDIS_URL=f"redis://127.0.0.1:{relay.port}/0",
        WEB_PORT=str(port),
        WEB_PROCESSES="1",
    )
    wait_until(lambda: listens(port), 60, "a web server")
    rig.worker()
    relay.stall()  # the run is committed, its message waits for a broker

    press = threading.Thread(target=ask, args=(port, form(client)), daemon=True)
    press.start()
    wait_until(Run.objects.filter(kind="revoke").exists, 20, "a run")
    rig.kill(web)
    press.join(10)
    run = Run.objects.get(kind="revoke")
    assert run.planned_at is None
    rig.until(run, lambda: run.planned_at)
    runs.start(run, user=rig.fleet.user, now=timezone.now(), reason="a test")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)


def form(client) -> tuple[bytes, str]:
    """Return what a browser sends when somebody presses the button of the list."""
    fields = {
        "action": "revoke",
        "select_across": "1",
        "_selected_action": str(Instance.objects.values_list("pk", flat=True)[0]),
        "csrfmiddlewaretoken": TOKEN,
    }
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookies = {
        settings.SESSION_COOKIE_NAME: session,
        settings.CSRF_COOKIE_NAME: TOKEN,
    }
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return urlencode(fields).encode(), header


def ask(port: int, sent: tuple[bytes, str]) -> None:
    """Send it; no answer will come."""
    body, cookies = sent
    address = f"http://127.0.0.1:{port}{reverse('admin:instances_instance_changelist')}"
    request = urllib.request.Request(address, body, {"Cookie": cookies})
    with suppress(OSError):
        urllib.request.urlopen(request, timeout=20)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
