"""Logs as one JSON object a line, with the ids of the request, the run and the item."""

import json
import logging
from datetime import UTC, datetime
from http import HTTPStatus

from django.http import HttpRequest

from ceadmin.lib import redact, trace

# Asked every few seconds by monitoring, whose business a 503 is.
QUIET_ROUTES = frozenset({"healthz", "readyz"})


def route(request: HttpRequest) -> str:
    """Return the pattern that an address matched: the address can be a key itself."""
    match = request.resolver_match
    return match.route if match else "(no route)"


class RouteFilter(logging.Filter):
    """Put routes where Django's own loggers put addresses: those open reconnect links."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and drop it if it only says that we are not ready."""
        request = getattr(record, "request", None)
        if not isinstance(request, HttpRequest):
            return True
        if isinstance(record.args, tuple):
            addresses = (request.path, request.get_full_path())
            record.args = tuple(
                route(request) if value in addresses else value for value in record.args
            )
        not_ready = getattr(record, "status_code", 0) == HTTPStatus.SERVICE_UNAVAILABLE
        return not (not_ready and route(request) in QUIET_ROUTES)


class JsonFormatter(logging.Formatter):
    """Write a record as JSON; tracebacks are redacted like messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; keys that have nothing to say are left out."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": trace.request_id.get(),
            "run": trace.run_uid.get(),
            "item": trace.item_id.get(),
            "error": self._traceback(record),
        }
        return json.dumps({key: value for key, value in line.items() if value})

    def _traceback(self, record: logging.LogRecord) -> str:
        if record.exc_info:
            return redact.text(self.formatException(record.exc_info))
        return record.exc_text or ""  # the redacting filter has written it
