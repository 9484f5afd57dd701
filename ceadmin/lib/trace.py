"""What ties log lines together: the request and the run that they belong to."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_uid: ContextVar[str] = ContextVar("run_uid", default="")
