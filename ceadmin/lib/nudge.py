"""Wake a worker: the only place that enqueues.

The database row is the truth about a job; a message only says where to look, after the
row is committed, and carries ids. A message that is lost costs time and nothing else,
since the sweep finds the row.
"""

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def nudge(task_name: str, **ids: int | str) -> None:
    """Send task `task_name` with `ids` once the open transaction is committed."""
    transaction.on_commit(partial(_send, task_name, ids))


def _send(task_name: str, ids: dict[str, int | str]) -> None:
    try:
        current_app.send_task(task_name, kwargs=ids, ignore_result=True, retry=False)
    except (KombuError, OperationalError, RedisError, OSError) as error:
        logger.warning(
            "%s is left to the sweep, the broker gave %s",
            task_name,
            type(error).__name__,
        )
