"""How gunicorn serves ceadmin: `gunicorn --config python:ceadmin.gunicorn ceadmin.wsgi`.

There is no access log of gunicorn's: it would keep the addresses of reconnect links and
the codes of callbacks. `ceadmin.middleware` logs requests by route instead.
"""

from typing import Any

from django.conf import settings

bind = (
    f"[{settings.WEB_BIND}]:{settings.WEB_PORT}"
    if ":" in settings.WEB_BIND
    else f"{settings.WEB_BIND}:{settings.WEB_PORT}"
)
workers = settings.WEB_PROCESSES
worker_class = "gthread"
threads = 8
# Loaded once, before the processes part: a configuration that is refused ends the server
# with one message and its exit code, and the processes share what they do not change.
preload_app = True
timeout = 60
graceful_timeout = 5
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
proc_name = "ceadmin"
accesslog = None
_ours: dict[str, Any] = settings.LOGGING
logconfig_dict = {
    **_ours,
    "loggers": {
        **_ours["loggers"],
        "gunicorn.error": {"level": settings.LOG_LEVEL, "propagate": True},
        "gunicorn.access": {"level": "WARNING", "propagate": True},
    },
}
