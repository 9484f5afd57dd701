"""Two organizations that know nothing of each other, and how answers are compared."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.core import serializers
from django.db import connection, models
from django.test import Client

from ceadmin.teams.choices import Role
from ceadmin.teams.models import Organization, User
from ceadmin.teams.models.membership import role_flag
from tests.people import make_organization
from tests.teams.builders import BUILDERS, member

MARK = "Zorblax"
PART_OF_MARK = "orbla"  # a search box shows again what was searched
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
ALL_ROLES = {role_flag(role): True for role in Role if role is not Role.VIEWER}

each_model = pytest.mark.parametrize("model", REGISTERED, ids=lambda m: m._meta.label)


@dataclass
class World:
    """Two organizations with a row of every model each, and one owner each."""

    home: Organization
    foreign: Organization
    mine: dict[type[models.Model], models.Model]
    theirs: dict[type[models.Model], models.Model]
    outsider: Client
    insider: Client

    def snapshot(self) -> str:
        """Return all foreign rows as the database has them."""
        rows = [
            type(row)._base_manager.filter(pk=row.pk).first()
            for row in self.theirs.values()
        ]
        return serializers.serialize("json", [row for row in rows if row])


def client_of(user: User) -> Client:
    """Return a signed-in browser."""
    client = Client(raise_request_exception=True)
    client.force_login(user)
    return client


@pytest.fixture
def world(db) -> World:
    """Home with its owner, who tries to reach the foreign organization."""
    home = make_organization("Home")
    outsider = member(home, "outsider", **ALL_ROLES)
    mine = {m: BUILDERS[m._meta.label].build(home, "Homely") for m in REGISTERED}
    count_from(7_000_000)
    foreign = make_organization(MARK)
    insider = member(foreign, f"{MARK}-insider", **ALL_ROLES)
    theirs = {m: BUILDERS[m._meta.label].build(foreign, MARK) for m in REGISTERED}
    return World(home, foreign, mine, theirs, client_of(outsider), client_of(insider))


def count_from(number: int) -> None:
    """Let new rows have numbers that stand nowhere else in a page."""
    postgresql = "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)"
    sqlite = "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s"
    with connection.cursor() as cursor:
        for model in REGISTERED:
            table, key = model._meta.db_table, model._meta.pk
            last = model._base_manager.aggregate(last=models.Max("pk"))["last"]
            if connection.vendor == "sqlite":
                cursor.execute(sqlite, [number, table])
            elif isinstance(key, models.AutoField) and last < number:
                cursor.execute(postgresql, [table, number])


def address(model: type[models.Model], *parts: object) -> str:
    """Return the address of a model's admin page."""
    path = "".join(f"{part}/" for part in parts)
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{path}"


def text_of(response: Any) -> str:
    """Return everything an answer says: body, and where it leads."""
    body = response.getvalue() if response.streaming else response.content
    return body.decode(errors="replace") + response.headers.get("Location", "")


def shows_nothing(response: Any) -> None:
    """Assert that an answer is proper and tells nothing of the foreign organization."""
    assert response.status_code < 500
    text = text_of(response)
    assert MARK.lower() not in text.lower()


def absent_pk(model: type[models.Model]) -> object:
    """Return a key that no row has."""
    return uuid.uuid4() if isinstance(model._meta.pk, models.UUIDField) else 987654321


#: What differs between two answers that say the same: the form's check value, and time.
_PASSING = (
    (r'name="csrfmiddlewaretoken" value="\w+"', "CSRF"),
    (r"\bjust now\b|\b\d+ (s|min|h)( ago)?\b", "A WHILE"),
    (r"\d{2}:\d{2}(:\d{2})?", "THE TIME"),
)


def said(response: Any, *keys: object) -> tuple[int, str]:
    """Return the status and the words of an answer, whichever of the keys was asked for."""
    text = text_of(response)
    for key in keys:
        text = text.replace(str(key), "KEY")
    for pattern, word in _PASSING:
        text = re.sub(pattern, word, text)
    return response.status_code, text
