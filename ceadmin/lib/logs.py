"""Logs as one JSON object a line, with the ids of the request and the run."""

import json
import logging
from datetime import UTC, datetime

from ceadmin.lib import redact, trace


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
            "error": self._traceback(record),
        }
        return json.dumps({key: value for key, value in line.items() if value})

    def _traceback(self, record: logging.LogRecord) -> str:
        if not record.exc_info:
            return ""
        return redact.text(self.formatException(record.exc_info))
