"""Rows with secrets, as the field gives them and as the database has them."""

from django.db import connection

from ceadmin.teams.models import Organization

LABEL = "organization.user_secret"
KEY_1 = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="
KEY_2 = "MjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjI="
PLAIN = "user-secret-Zk3v"


def make(name="Acme", **fields) -> Organization:
    """Return a saved organization."""
    facts = {"slug": name.lower(), "base_url": "https://api.example.com"}
    return Organization.objects.create(name=name, **facts | fields)


def again(organization: Organization) -> Organization:
    """Return the same row as the database has it."""
    return Organization.objects.get(pk=organization.pk)


def stored(organization: Organization, column: str = "user_secret") -> str:
    """Return what a column really holds."""
    query = f"SELECT {column} FROM teams_organization WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [organization.pk])
        return cursor.fetchone()[0]


def overwrite(organization: Organization, text: str) -> None:
    """Write a column past the field, as somebody with the database could."""
    query = "UPDATE teams_organization SET user_secret = %s WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [text, organization.pk])
