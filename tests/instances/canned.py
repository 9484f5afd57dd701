"""Answers made by hand, for what a real server would not send twice the same way; and a script to send them."""

import json
from collections.abc import Callable
from uuid import UUID

from ceadmin.lib import http
from instances.actions.case import Case
from instances.cloud_elements import Credentials

CREDENTIALS = Credentials(
    "https://api.cloud-elements.com",
    "user0secret0of0ann=",
    "0123456789abcdef0123456789abcdef",
)
TOKEN = "element0token0of0acme="
BAD_SECRETS = {
    "requestId": "65e1b7c6e4b0aa31ae39b533",
    "message": "Invalid Organization or User secret, or invalid Element token provided.",
}
DEAD = {
    "requestId": "65e1b7c6e4b0aa31ae39b534",
    "message": "Request failed",
    "providerMessage": "INVALID_ACCESS_TOKEN: Access token provided is invalid or has expired",
}
PONG = {"endpoint": "box", "dateTime": "2026-03-01T10:00:00.000Z", "valid": True}
PAGE_OF_A_PROXY = (
    b"<!DOCTYPE html><html><body>Sign in to the guest network</body></html>"
)


def answer(status: int, body: object = None, **headers: str) -> http.Answer:
    """Return an answer; `body` bytes as they are, anything else as JSON; `Retry_After` is `Retry-After`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return http.Answer(status, http.AnswerHeaders(named), raw)


def instance(**changed: object) -> dict[str, object]:
    """Return an instance as the platform sends it."""
    return {
        "id": 471196,
        "name": "Acme Box – finance",
        "createdDate": "2026-03-01T10:00:00Z",
        "token": TOKEN,
        "element": {"id": 22, "key": "box", "hub": "documents"},
        "tags": ["finance"],
        "valid": True,
        "disabled": False,
        "configuration": {
            "oauth.api.key": "********",
            "oauth.api.secret": "********",
            "oauth.callback.url": "https://app.example.test/oauth/callback",
            "oauth.user.token": "access0token",
            "oauth.user.refresh_token": "refresh0token",
            "pagination.type": "offset",
            "oauth.subuser.email": None,
        },
    } | changed


def case(**changed: object) -> Case:
    """Return the case of the instance above."""
    fields = {
        "credentials": CREDENTIALS,
        "pk": 1,
        "uid": UUID(int=7),
        "remote_id": "471196",
        "name": "Acme Box – finance",
        "element_key": "box",
        "hub": "documents",
        "element_token": TOKEN,
    }
    return Case(**(fields | changed))


class Script:
    """A sender that gives the answers it was made with, one after another, and keeps what it was sent."""

    def __init__(
        self, *answers: http.Answer | Callable[[http.Request], http.HttpError]
    ) -> None:
        self.answers = list(answers)
        self.sent: list[http.Request] = []
        self.slept: list[float] = []

    def send(self, request: http.Request) -> http.Answer:
        self.sent.append(request)
        given = self.answers.pop(0)
        if callable(given):
            raise given(request)
        return given

    @property
    def paths(self) -> list[str]:
        """Return method and path of what was sent, below the API's own path."""
        return [
            f"{r.method} {r.url.partition('/elements/api-v2')[2]}" for r in self.sent
        ]
