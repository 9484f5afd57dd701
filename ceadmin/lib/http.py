"""The one outbound seam: whatever leaves the product goes through here, on libcurl.

`send` makes one call, `Multi` many at once, `mount` puts a session of the requests family on
the same road. Every call: https only, addresses judged when the connection is made, no
redirects, no proxy or netrc of the environment, a cap on what is read and a deadline that
dripping can't outlive.
"""

from ceadmin.lib.http_guard import allow_loopback, browser_url, emulated
from ceadmin.lib.http_multi import Multi
from ceadmin.lib.http_session import CurlAdapter, mount, seam_request, session
from ceadmin.lib.http_single import send
from ceadmin.lib.http_types import (
    Answer,
    AnswerHeaders,
    BadBody,
    Blocked,
    Headers,
    HttpError,
    Lost,
    NotSent,
    Request,
    Unreachable,
    Withdrawn,
)

__all__ = [
    "Answer",
    "AnswerHeaders",
    "BadBody",
    "Blocked",
    "CurlAdapter",
    "Headers",
    "HttpError",
    "Lost",
    "Multi",
    "NotSent",
    "Request",
    "Unreachable",
    "Withdrawn",
    "allow_loopback",
    "browser_url",
    "emulated",
    "mount",
    "seam_request",
    "send",
    "session",
]
