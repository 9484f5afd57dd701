"""Two questions of monitoring: does the web server live, and can ceadmin work?

`/healthz` answers as long as the process can. `/readyz` looks at each part and answers
503 until all of them are well: a load balancer keeps people away meanwhile.
"""

import logging
from collections.abc import Callable

import redis
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from ceadmin.audit.triggers import triggers_present
from ceadmin.data_checks import data_problems
from ceadmin.lib import broker

logger = logging.getLogger(__name__)

WELL = "ok"


@require_safe
@login_not_required
def healthz(_request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    return JsonResponse({"status": WELL})


@require_safe
@login_not_required
def readyz(_request: HttpRequest) -> JsonResponse:
    """Say of each part whether it is well."""
    parts = {name: look() for name, look in PARTS.items()}
    ready = all(state == WELL for state in parts.values())
    body = {"status": WELL if ready else "not ready", "parts": parts}
    return JsonResponse(body, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError as error:
        return _unwell("unreachable", error)
    return WELL


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return _unwell("unknown", error)
    return f"{len(missing)} not applied" if missing else WELL


def _broker() -> str:
    try:
        broker.client().ping()
    except redis.RedisError as error:
        return _unwell("unreachable", error)
    return WELL


def _worker() -> str:
    try:
        alive = broker.live_workers()
    except redis.RedisError as error:
        return _unwell("unknown", error)
    return WELL if alive else "none seen lately"


def _audit() -> str:
    try:
        return WELL if triggers_present() else "triggers missing"
    except DatabaseError as error:
        return _unwell("unknown", error)


def _sealed() -> str:
    return "a key is not loaded" if any(data_problems()) else WELL


def _unwell(state: str, error: Exception) -> str:
    """Return `state`; what exactly went wrong is for the log, it may name hosts."""
    logger.warning("not ready, %s: %s", state, type(error).__name__, exc_info=error)
    return state


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "worker": _worker,
    "audit_triggers": _audit,
    "field_keys": _sealed,
}
