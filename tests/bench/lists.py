"""What the list of instances asks of the database, at few rows and at many.

Measured in this process, by the product's own view: the time of its queries, each from the
moment it is sent until its rows are there, and how many there are.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test import Client
from django.urls import reverse

from ceadmin.teams.models import Membership, Organization
from ceadmin.teams.recent import BEGAN_AT, CONFIRMED_AT
from instances.models import Instance
from tests.bench.fleet import Fleet

#: Page → its address, as a person comes to it. `{next}` is where the page before led.
PAGES = {
    "list": "",
    "filter by status": "?status=needs_reauth",
    "filter by status and provider": "?status=connected&provider=box",
    "filter by tag": "?tag=eu",
    "filter by tag and status": "?tag=eu&status=needs_reauth",
    "newest change first": "?sort=since",
    "search by name": "?q=acme+1",
    "search by id": "?q={some}",
    "search by account": "?q=account-7",
    "search for a tag": "?q=eu",
    "search in vain": "?q=nowhere",
    "page turned": "?after={middle}",
    "last page": "?after={late}",
}
SITE = "https://api.cloud-elements.com"
#: Rows differ as those of a real organization do; nothing here is measured.
_FILL = """
INSERT INTO instances_instance ({columns})
WITH RECURSIVE numbers(n) AS
  (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT {values} FROM instances_instance one, numbers WHERE one.id = %s
"""
_TAGS = """
INSERT INTO instances_instancetag (instance_id, organization_id, name)
SELECT id, organization_id, CASE id %% 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' ELSE 'customer-'||(id %% 1000) END
FROM instances_instance WHERE organization_id = %s AND id > %s
"""
_STATUS = """CASE WHEN n % 10 < 8 THEN 'connected' WHEN n % 20 = 9 THEN 'needs_reauth'
  WHEN n % 40 = 19 THEN 'revoked' WHEN n % 1000 = 18 THEN 'disabled' ELSE 'unknown' END"""
_PROVIDER = """CASE WHEN n % 10 < 5 THEN 'box' WHEN n % 10 < 8 THEN 'salesforce'
  WHEN n % 100 < 99 THEN 'quickbooks' ELSE 'adobe_sign' END"""


def fill(fleet: Fleet, count: int) -> None:
    """Have `count` instances in an organization of its own, with tags, accounts and shared grants."""
    organization = _organization(fleet)
    own = Instance.objects.of(organization)
    have, last = own.count(), own.latest("pk").pk
    names = [f.column for f in Instance._meta.concrete_fields if f.column != "id"]
    values = ", ".join(_fresh().get(name, f"one.{name}") for name in names)
    if count > have:
        first = own.earliest("pk").pk
        statement = _FILL.format(
            columns=", ".join(names), values=values, first=have + 1, last=count
        )
        with _without_indexes(), connection.cursor() as cursor:
            cursor.execute(statement.replace("%", "%%").replace("%%s", "%s"), [first])
            cursor.execute(_TAGS, [organization.pk, last if have > 1 else 0])
    tidy()


def _organization(fleet: Fleet) -> Organization:
    """Return the organization whose list is looked at; at first it has one instance, a copy."""
    found = Organization.objects.filter(slug="listed").first()
    if found is None:
        found = Organization(name="Listed", slug="listed", base_url=SITE)
        found.save()
        Membership.objects.create(organization=found, user=fleet.user, is_operator=True)
        one = Instance.objects.of(fleet.organization).earliest("pk")
        one.pk, one.uid, one.organization = None, uuid4(), found
        one.element_token = ""
        one.save(force_insert=True)
    return found


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Make the indexes anew afterwards, which is quicker by far than to keep them."""
    with connection.schema_editor() as editor:
        for index in Instance._meta.indexes:
            editor.remove_index(Instance, index)
    yield
    with connection.schema_editor() as editor:
        for index in Instance._meta.indexes:
            editor.add_index(Instance, index)


def _fresh() -> dict[str, str]:
    sqlite = connection.vendor == "sqlite"
    moment = (
        "strftime('%Y-%m-%d %H:%M:%f', '2026-11-30', '-' || n || ' seconds')"
        if sqlite
        else "timestamptz '2026-11-30' - n * interval '1 second'"
    )
    return {
        "uid": "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()",
        "remote_id": "'9' || n",
        "name": "CASE n % 4 WHEN 0 THEN 'Acme ' ELSE 'Customer ' END || (CAST(n AS bigint) * 7919 % 1000003)",
        "status": _STATUS,
        "status_since": moment,
        "provider_key": _PROVIDER,
        "account": "'account-' || (n / 2)",
        "grant_fingerprint": "'demo1:' || (n / 3)",
    }


def tidy() -> None:
    """Let the database know what it has."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE instances_instance")
            cursor.execute("VACUUM ANALYZE instances_instancetag")
        else:
            cursor.execute("ANALYZE")


def looked_at(fleet: Fleet, looks: int) -> dict[str, dict[str, Any]]:
    """Return the least seconds of each page's queries, how many there are, and the page's own seconds.

    Most queries take less than a millisecond, so whatever else the machine does shows in a
    median; the least that each of them took in several looks is what they cost.
    """
    call_command("collectstatic", interactive=False, verbosity=0)
    client = _client(fleet)
    client.post(reverse("admin:switch"), {"organization": _organization(fleet).uid})
    organization = _organization(fleet)
    own = Instance.objects.of(organization).order_by("name", "pk")
    total = own.count()
    places = {
        name: f"0n-{own.values_list('pk', flat=True)[place]}"
        for name, place in (("middle", total // 2), ("late", total - 20))
    }
    some = own.values_list("remote_id", flat=True)[total // 3]
    told: dict[str, list[tuple[list[float], float]]] = {name: [] for name in PAGES}
    for _ in range(looks + 2):  # the first ones warm up
        for name, query in PAGES.items():
            address = query.format(some=some, **places)
            told[name].append(_look(client, address))
    return {
        name: {
            "queries": _least([times for times, _ in rows[2:]]),
            "count": sorted({len(times) for times, _ in rows[2:]}),
            "page": min(took for _, took in rows[2:]),
        }
        for name, rows in told.items()
    }


def _client(fleet: Fleet) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(fleet.user)
    session = client.session
    session[BEGAN_AT] = session[CONFIRMED_AT] = int(time.time())
    session.save()
    return client


def _least(looks: list[list[float]]) -> float:
    """Return the sum of what each query of a page took at least."""
    most = max(len(times) for times in looks)
    whole = [times for times in looks if len(times) == most]
    return sum(min(times) for times in zip(*whole, strict=True))


def _look(client: Client, query: str) -> tuple[list[float], float]:
    address = reverse("admin:instances_instance_changelist") + query
    with timed_queries() as times:
        began = time.perf_counter()
        answer = client.get(address)
        took = time.perf_counter() - began
    if answer.status_code != 200:
        raise AssertionError(f"{address}: {answer.status_code}")
    return times, took


class _Timed(CursorWrapper):
    """A cursor that adds up what it takes: SQLite finds rows as they are fetched."""

    def __init__(self, cursor: Any, db: Any, times: list[float]) -> None:
        super().__init__(cursor, db)
        self.__dict__["times"] = times

    def execute(self, sql: str, params: Any = None) -> Any:
        self.times.append(0.0)
        return self._add(super().execute, sql, params)

    def fetchone(self) -> Any:
        return self._add(self.cursor.fetchone)

    def fetchmany(self, *size: int) -> Any:
        return self._add(self.cursor.fetchmany, *size)

    def fetchall(self) -> Any:
        return self._add(self.cursor.fetchall)

    def _add(self, work: Any, *how: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*how)
        finally:
            self.times[-1] += time.perf_counter() - began


@contextmanager
def timed_queries() -> Iterator[list[float]]:
    """Give the seconds of each query that is made meanwhile, until its last row is there."""
    times: list[float] = []
    connection.make_cursor = lambda cursor: _Timed(cursor, connection, times)
    try:
        yield times
    finally:
        del connection.make_cursor
