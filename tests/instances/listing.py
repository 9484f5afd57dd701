"""Instances of an organization for tests of the list: made at once, without the platform."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from instances.models import Instance, InstanceTag
from instances.models.instance import instance_uid

LIST = "admin:instances_instance_changelist"


def made(organization, *names, **fields) -> list[Instance]:
    """Save instances with these names, as a sync would have made them."""
    now, first = timezone.now(), Instance.objects.count()
    wanted = {"element_key": "box", "provider_key": "box", "status": "connected"}
    rows = []
    for number, name in enumerate(names, first):
        remote_id = f"{organization.slug}-{number}"
        rows.append(
            Instance(
                uid=instance_uid(organization.uid, remote_id),
                organization=organization,
                remote_id=remote_id,
                name=name,
                created_at=now,
                **{"status_since": now - timedelta(hours=number)} | wanted | fields,
            )
        )
    Instance.objects.bulk_create(rows, batch_size=1000)
    return rows


def many(organization, count: int, name: str = "Name", **fields) -> list[Instance]:
    """Save so many, named by number."""
    return made(organization, *(f"{name} {n:05d}" for n in range(count)), **fields)


def tagged(rows, name: str) -> None:
    """Give rows a tag."""
    tags = [InstanceTag(instance=row, name=name) for row in rows]
    InstanceTag.objects.bulk_create(tags, batch_size=1000)


def page(client, query: str = ""):
    """Return the list as it answers a query."""
    return client.get(reverse(LIST) + query)


def names(answer) -> list[str]:
    """Return the names that a page of the list shows, in order."""
    return [one.name for one in answer.context["cl"].result_list]


def walked(client, query: str = "") -> list[list[str]]:
    """Turn all pages of a list; return the names on each."""
    pages, query = [], query or "?view=all"
    while query:
        answer = page(client, query)
        pages.append(names(answer))
        query = answer.context["cl"].next_query
    return pages


def queries_of(client, query: str) -> list[str]:
    """Return the SQL that a page of the list makes."""
    with CaptureQueriesContext(connection) as made_queries:
        assert page(client, query).status_code == 200
    return [one["sql"] for one in made_queries.captured_queries]
