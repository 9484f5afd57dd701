"""The Celery app: the worker and beat refuse a bad configuration and show signs of life.

A database row is the truth about every job (`ceadmin.lib.nudge`); nothing here keeps
results.
"""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_init,
    heartbeat_sent,
    setup_logging,
    worker_process_init,
)

from ceadmin.checks import refuse_or_start
from ceadmin.lib import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ceadmin.settings")

app = Celery("ceadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Threads of the web server would otherwise see an unconfigured app.
app.set_default()


@celeryd_init.connect
def check_before_working(**_: Any) -> None:
    """Stop a worker whose configuration must not run."""
    refuse_or_start()


@beat_init.connect
def check_before_beating(**_: Any) -> None:
    """Stop a scheduler whose configuration must not run."""
    refuse_or_start()


@worker_process_init.connect
def look_for_garbage_seldom(**_: Any) -> None:
    """Leave what was loaded out of the collector's rounds, and make fewer of them.

    A shard makes thousands of short-lived objects a second, and hardly a cycle among them.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Leave logging as settings.LOGGING has it: Celery stays out where this listens."""


@heartbeat_sent.connect
def show_life(sender: Any, **_: Any) -> None:
    """Tell `/readyz` that this worker's main loop turns."""
    broker.worker_lives(sender.eventer.hostname)
