"""Whatever language somebody reads, what they take away or leave behind stays English."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from instances.choices import MEANINGS
from instances.models import BroughtList
from tests.frame.test_languages import strange, strange_language
from tests.instances.listing import LIST, made
from tests.people import PASSWORD

__all__ = ["strange_language"]


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def brought(client, data: bytes) -> BroughtList:
    form = {"file": SimpleUploadedFile("list.csv", data)}
    client.post(reverse("admin:instances_instance_bring"), form)
    return BroughtList.objects.latest("pk")


def test_the_list_as_a_file(rita, acme, strange_language):
    made(acme, "Box of Acme", status="needs_reauth")

    page = rita.get(reverse(LIST))
    answer = rita.get(reverse("admin:instances_instance_export"))

    assert strange("Needs reauthentication") in page.content.decode()
    head, row = b"".join(answer).decode().splitlines()
    assert head.startswith('"remote_id","name","status_reason","provider","status"')
    assert '"needs_reauth"' in row


def test_lines_that_nothing_was_done_with(rita, acme, strange_language):
    one = brought(rita, b"Nobody's")

    page = rita.get(reverse("admin:instances_instance_brought", args=[one.uid]))
    answer = rita.get(reverse("admin:instances_instance_report", args=[one.uid]))

    assert strange("Not found") in page.content.decode()
    assert '"Not found"' in b"".join(answer).decode()


def test_how_a_file_was_read(rita, acme, strange_language):
    one = brought(rita, "Müller".encode("cp1252"))

    page = rita.get(reverse("admin:instances_instance_brought", args=[one.uid]))

    assert one.note.startswith("It is not UTF-8")
    assert strange(one.note) in page.content.decode()


def test_what_an_outcome_means(strange_language):
    """It is stored with items and printed by commands."""
    assert all(type(told.sentence) is str for told in MEANINGS.values())
    assert all(told.sentence != strange(told.sentence) for told in MEANINGS.values())
