"""What a draft and its plan cost, however many instances match."""

import time

from django.db import connection, transaction
from django.utils import timezone

from ceadmin.teams.models import Membership, Organization
from instances import runs, selection
from instances.models import Instance, Item, Run
from tests.bench import pages
from tests.bench.fleet import Fleet

_LEFT = "run_id, instance_id, number, chunk_number, instance_uid, instance_name"
#: What the planner needs the database to do, and nothing else.
_ITEMS = f"""
INSERT INTO instances_item ({_LEFT}, remote_id, element_key, provider_key, facts, status,
  outcome, cause, explanation, tries)
SELECT %s, id, n, (n - 1) / 250, uid, name, remote_id, element_key, provider_key, '{{}}',
  'queued', '', '', '', 0
FROM (SELECT id, uid, name, remote_id, element_key, provider_key,
        ROW_NUMBER() OVER (ORDER BY id) AS n
      FROM instances_instance WHERE organization_id = %s) s WHERE n <= %s
"""
_CHUNKS = """
INSERT INTO instances_chunk (run_id, number, provider_key, status, worker, claims)
SELECT DISTINCT run_id, chunk_number, provider_key, 'queued', '', 0
FROM instances_item WHERE run_id = %s
"""
#: A crowd is made of copies of one row; each has ids of its own.
_COPY = """
INSERT INTO instances_instance ({columns})
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
SELECT {values} FROM instances_instance one, numbers WHERE one.id = %s
"""


def plan(fleet: Fleet, items: int) -> dict[str, float]:
    """Return the seconds of planning a run over all instances, and of the bare SQL."""
    by_hand = _timed(lambda: _by_hand(fleet, items))
    run = fleet.draft("revoke", items, 50, planned=False)
    planned = _timed(lambda: runs.plan(run.pk, now=timezone.now()))
    run.refresh_from_db()
    if run.total != items or Item.objects.filter(run=run).count() != items:
        raise AssertionError(f"{run.total} of {items} planned")
    Run.objects.filter(pk=run.pk).update(status="expired", finished_at=timezone.now())
    return {"plan": planned, "bare": by_hand}


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _by_hand(fleet: Fleet, items: int) -> None:
    now = timezone.now()
    with transaction.atomic():
        run = Run.objects.create(
            organization=fleet.organization,
            kind="probe",
            status="expired",
            created_at=now,
            finished_at=now,
        )
        with connection.cursor() as cursor:
            cursor.execute(_ITEMS, [run.pk, fleet.organization.pk, items])
            if cursor.rowcount != items:
                raise AssertionError(f"{cursor.rowcount} of {items} by hand")
            cursor.execute(_CHUNKS, [run.pk])


def crowd(fleet: Fleet, count: int) -> None:
    """Make an organization of 100 instances, "few", and one of `count`, "many"."""
    _organization(fleet, "few", 100)
    _organization(fleet, "many", count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def preview(fleet: Fleet, items: int) -> dict[str, float]:
    """Return the seconds of planning `items`, and of a preview: their accounts take three in ten more along."""
    accounts = f"CAST((n - 1) %% {items} AS text)"
    columns = {"provider_key": "'google'", "account": accounts}
    own = _organization(fleet, "kin", items * 13 // 10, **columns)
    mine = Instance.objects.of(own).order_by("pk").values_list("pk", flat=True)
    chosen, now = selection.of_instances(mine[:items]), timezone.now()
    run = runs.create("revoke", own, chosen, user=fleet.user, now=now)
    planned = _timed(lambda: runs.plan(run.pk, now=now))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    siblings: list[int] = []
    took = _timed(lambda: siblings.append(runs.preview(run).siblings))
    if siblings != [items * 3 // 10]:
        raise AssertionError(f"{siblings} of {items * 3 // 10} siblings")
    return {"preview": took, "plan": planned}


def draft_requests(fleet: Fleet, port: int, times: int) -> dict[str, float]:
    """Return the median seconds of the button "Revoke tokens…" over few instances and over many."""
    few = Organization.objects.get(slug="few")
    many = Organization.objects.get(slug="many")
    client = pages.Client(fleet.user, port)
    took: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(times):
        took["few"].append(_draft(client, few))
        took["many"].append(_draft(client, many))
    return {name: sorted(all_of)[times // 2] for name, all_of in took.items()}


def _draft(client: pages.Client, organization: Organization) -> float:
    where = f"{pages.LIST}?organization__id__exact={organization.pk}"
    client.read_token(where)
    first = Instance.objects.of(organization).values_list("pk", flat=True)[0]
    fields = {"action": "revoke", "select_across": "1", "_selected_action": str(first)}
    took, _ = client.post(where, fields)
    run = Run.objects.filter(organization=organization).latest("pk")
    chosen = run.selection
    if "instances" in chosen or run.kind != "revoke":
        raise AssertionError(
            f"the draft holds a list and no filter: {str(chosen)[:200]}"
        )
    # Nobody plans it here: the worker's share of this is measured as planning.
    Run.objects.filter(pk=run.pk).update(status="expired", finished_at=timezone.now())
    return took


def _organization(fleet: Fleet, name: str, count: int, **columns: str) -> Organization:
    """Return an organization of `count` instances, all copies of one but for SQL of `columns`."""
    own = Organization(name=name, slug=name, base_url="https://api.cloud-elements.com")
    own.user_secret = own.organization_secret = "bench-secret-of-its-own-5Tz"
    own.save()
    roles = {"is_owner": True, "is_operator": True, "is_revoker": True}
    Membership.objects.create(organization=own, user=fleet.user, **roles)
    model = Instance.objects.of(fleet.organization)[0]
    names = [f.column for f in Instance._meta.concrete_fields if f.column != "id"]
    sqlite = connection.vendor == "sqlite"
    fresh = {
        "uid": "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()",
        "remote_id": f"{'printf' if sqlite else 'format'}('{name}-%%s', n)",
        "name": f"{'printf' if sqlite else 'format'}('box %%s', n)",
        "organization_id": str(own.pk),
        **columns,
    }
    values = ", ".join(fresh.get(column, f"one.{column}") for column in names)
    with connection.cursor() as cursor:
        statement = _COPY.format(columns=", ".join(names), values=values)
        cursor.execute(statement, [count, model.pk])
    return own
