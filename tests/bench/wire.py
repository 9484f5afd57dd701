"""The calls of the bench as they stand on the wire: what an instance's number becomes, and back.

The outbound seam sends `https://host/path` to `<target>/host/path`. Every token carries
the number of its instance behind a marker, so the target needs no table to know whose it is.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

Kind = Literal["probe", "revoke"]

USER_SECRET = "bench-user-secret-Zk3vQ8"
ORGANIZATION_SECRET = "bench-organization-secret-9Qw1"
CLIENT_ID = "bench-box-client"
CLIENT_SECRET = "bench-box-client-secret-8Hq2"

PLATFORM = "/api.cloud-elements.com/elements/api-v2"
BOX = "/api.box.com"

#: Stands in every token, followed by eight digits: the number of the instance.
MARK = "-inst-"
DIGITS = 8

#: What a call is counted as, by its place; the last is what should never come.
CALLS = ("ping", "read", "verify", "revoke", "look", "other")

#: What the product asks of one instance, in order, when everything goes well. A revoke
#: looks at the source before and after, and once through the platform.
CHAINS: dict[Kind, tuple[str, ...]] = {
    "probe": ("ping",),
    "revoke": ("read", "verify", "revoke", "verify", "ping"),
}


def element_token(number: int) -> str:
    """Return the element token of an instance."""
    return f"element{MARK}{number:0{DIGITS}d}-b7Rk2Wq9"


def access_token(number: int) -> str:
    """Return the customer's access token that an instance holds."""
    return f"access{MARK}{number:0{DIGITS}d}-t4Zx8Lm1"


def refresh_token(number: int) -> str:
    """Return the customer's refresh token that an instance holds."""
    return f"refresh{MARK}{number:0{DIGITS}d}-y6Nc3Vp5"


@dataclass(frozen=True, slots=True)
class Sent:
    """One call as a plain client makes it."""

    method: str
    path: str
    headers: tuple[str, ...]
    body: str = ""


def call(name: str, number: int) -> Sent:
    """Return one of the calls of `CHAINS` for one instance."""
    if name == "ping":
        header = f"Authorization: User {USER_SECRET}, Element {element_token(number)}"
        return Sent("GET", f"{PLATFORM}/ping", (header,))
    if name == "read":
        header = (
            f"Authorization: User {USER_SECRET}, Organization {ORGANIZATION_SECRET}, "
            f"Element {element_token(number)}"
        )
        return Sent("GET", f"{PLATFORM}/instances", (header,))
    if name == "verify":
        header = f"Authorization: Bearer {access_token(number)}"
        return Sent("GET", f"{BOX}/2.0/users/me", (header,))
    fields = {
        "token": refresh_token(number),
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    form = "Content-Type: application/x-www-form-urlencoded"
    return Sent("POST", f"{BOX}/oauth2/revoke", (form,), urlencode(fields))


def chain(kind: Kind, number: int) -> list[Sent]:
    """Return all calls of one instance, in order."""
    return [call(name, number) for name in CHAINS[kind]]
