"""The admin as a signed-in person's browser asks for it, from a real web server."""

import http.client
import re
import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from ceadmin.teams.models import User
from ceadmin.teams.recent import BEGAN_AT, CONFIRMED_AT
from instances.models import Run

LIST = "/admin/instances/instance/"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Client:
    """One signed-in person on one kept-alive connection."""

    def __init__(self, user: User, port: int) -> None:
        """Sign `user` in."""
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store[BEGAN_AT] = store[CONFIRMED_AT] = int(time.time())
        store.save()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = {settings.SESSION_COOKIE_NAME: store.session_key}

    def get(self, path: str) -> tuple[float, str]:
        """Return how long a page took, in seconds, and its text."""
        return self._ask("GET", path, 200)

    def post(self, path: str, fields: dict[str, str]) -> tuple[float, str]:
        """Return how long a form took, and where it led."""
        form = {**fields, "csrfmiddlewaretoken": self.token}
        return self._ask("POST", path, 302, urlencode(form))

    def read_token(self, path: str) -> None:
        """Get what forms have to carry from a page."""
        self.token = _TOKEN.search(self.get(path)[1])[1]

    def _ask(
        self, method: str, path: str, want: int, body: str = ""
    ) -> tuple[float, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            began = time.perf_counter()
            self.connection.request(method, path, body or None, headers)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # The server ends a connection that was idle; a browser asks again, too.
            self.connection.close()
            began = time.perf_counter()
            self.connection.request(method, path, body or None, headers)
            answer = self.connection.getresponse()
        text = answer.read().decode()
        took = time.perf_counter() - began
        if answer.status != want:
            raise AssertionError(f"{method} {path}: {answer.status}, {text[:400]}")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return took, answer.getheader("Location") or text


def medians(client: Client, run: Run, looks: int) -> dict[str, float]:
    """Return the median time of the list of instances and of a run's page, asked for in turns."""
    paths = {"list": LIST, "run": f"/admin/instances/run/{run.pk}/change/"}
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(looks):
        for name, path in paths.items():
            times[name].append(client.get(path)[0])
            time.sleep(0.1)  # a person's pace, and no load of its own
    return {name: sorted(took)[looks // 2] for name, took in times.items()}
