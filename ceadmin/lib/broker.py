"""Our own look at the broker: is it there, and does a worker live?"""

import logging
from functools import lru_cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

WORKERS = "ceadmin:workers"
LIFE_SECONDS = 30  # a worker shows itself every two seconds


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """Return this process's client of the broker; calls end after three seconds."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=3,
        socket_connect_timeout=3,
        decode_responses=True,
    )


def worker_lives(name: str) -> None:
    """Note that worker `name` lives, by the broker's own clock."""
    try:
        seconds = client().time()[0]
        with client().pipeline() as pipeline:
            pipeline.zadd(WORKERS, {name: seconds})
            pipeline.zremrangebyscore(WORKERS, "-inf", seconds - 24 * 60 * 60)
            pipeline.execute()
    except redis.RedisError as error:
        logger.warning("no sign of life sent: %s", type(error).__name__)


def live_workers() -> int:
    """Count the workers seen lately. Raises redis.RedisError."""
    seconds = client().time()[0]
    return int(client().zcount(WORKERS, seconds - LIFE_SECONDS, "+inf"))
