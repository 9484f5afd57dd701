"""What ties log lines together: the request, the run and the item that they belong to."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_uid: ContextVar[str] = ContextVar("run_uid", default="")
item_id: ContextVar[str] = ContextVar("item_id", default="")


@contextmanager
def about_run(uid: UUID | None) -> Iterator[None]:
    """Write the run's uid on every log line inside, whoever writes it; None says nothing."""
    token = run_uid.set(str(uid or ""))
    try:
        yield
    finally:
        run_uid.reset(token)
