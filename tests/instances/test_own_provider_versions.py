"""Own providers after they were added: files, versions, removal, and where else they are named."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from instances.models import Instance
from instances.models.instance import instance_uid
from providers.models import OwnProvider, ProviderApp
from tests.instances.test_own_provider_pages import otto, typed, vic
from tests.instances.writing import ADD, LIST, change, page, shown
from tests.people import PASSWORD
from tests.providers.own_records import HOST, HOSTS, own, text
from tests.teams.pages import fields_of

__all__ = ["otto", "vic"]

pytestmark = pytest.mark.django_db


# Files


def uploaded(otto, team, content: bytes):
    file = SimpleUploadedFile("record.toml", content)
    return otto.post(ADD, typed(team, text="", file=file))


def test_a_file_is_shown_before_it_is_saved(otto, team):
    answer = uploaded(
        otto, team, b"\xef\xbb\xbf" + text().replace("\n", "\r\n").encode()
    )

    assert answer.status_code == 200
    assert not OwnProvider.objects.exists()
    fields = fields_of(shown(answer))
    assert fields["text"].strip() == text().strip()
    otto.post(ADD, {**fields, "vouched": HOSTS, "why": "from staging", "act": "save"})
    assert OwnProvider.objects.get().current.text == text()
    assert Event.objects.filter(action="own_provider_imported").count() == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "The file is not UTF-8"),
        (b"#" * 64_001, "The file is larger than 64000 bytes"),
        (b"key = [", "<code>toml</code>: "),
    ],
)
def test_a_file_that_is_no_record_is_refused_by_its_reason(otto, team, content, words):
    assert words in shown(uploaded(otto, team, content))
    assert not OwnProvider.objects.exists()


def test_what_is_downloaded_can_be_read_again(otto, team):
    made = own(team.acme)
    change(made, text(hint=False))

    newest = otto.get(page("file", made))
    first = otto.get(f"{page('file', made)}?number=1")

    assert newest.content.decode() == text(hint=False)
    assert first.content.decode() == text()
    assert 'filename="own_acme_login-2.toml"' in newest["Content-Disposition"]
    assert newest["Content-Type"] == "application/toml"


# Versions


def test_a_version_is_shown_beside_the_current_one_and_restored(otto, team):
    made = own(team.acme)
    change(made, text(hint=False))
    address = f"{page('version', made)}?number=1"

    before = shown(otto.get(address))
    refused = otto.post(address, {"why": "back", "seen": 2})
    otto.post(address, {"why": "back", "seen": 2, "vouched": HOSTS})

    assert '<span class="line-remove">-hint = false</span>' in before
    assert '<span class="line-add">+hint = true</span>' in before
    assert f"Tick that you vouch for {HOST}" in shown(refused)
    assert "back" in shown(refused)
    made.refresh_from_db()
    assert (made.version, made.current.text) == (3, text())


def test_a_version_that_nobody_can_have_seen_is_not_restored(otto, team):
    made = own(team.acme)
    change(made, text(hint=False))
    address = f"{page('version', made)}?number=1"

    refused = otto.post(address, {"why": "x", "seen": "9" * 5000, "vouched": HOSTS})

    assert refused.status_code == 422
    assert "Somebody changed or removed this record meanwhile" in shown(refused)


def test_what_is_written_on_an_old_version_is_kept_and_not_saved(otto, team):
    made = own(team.acme)
    change(made, text(hint=False))

    answer = otto.post(page("write", made), typed(team, text=text(name="New"), seen=1))

    assert "Somebody changed or removed this record meanwhile" in shown(answer)
    assert 'name = "New"' in fields_of(shown(answer))["text"]
    assert made.versions.count() == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "This is the current version, letter by letter"),
        (
            {"key": "own_another"},
            "<code>key</code>: is own_acme_login in every version",
        ),
    ],
)
def test_a_version_differs_and_keeps_its_key(otto, team, changes, words):
    made = own(team.acme)

    answer = otto.post(page("write", made), typed(team, text=text(**changes), seen=1))

    assert words in shown(answer)
    assert made.versions.count() == 1


@pytest.mark.parametrize("number", ["7", "x", "-1", "١", "9" * 30])
def test_a_version_that_is_not_there_is_not_found(otto, team, number):
    made = own(team.acme)

    for name in ("version", "file"):
        assert otto.get(f"{page(name, made)}?number={number}").status_code == 404


def test_members_read_everything_and_change_nothing(vic, team):
    made = own(team.acme)
    change(made, text(hint=False))
    old = f"{page('version', made)}?number=1"

    for address in (LIST, page("change", made), old, page("file", made)):
        told = vic.get(address)
        assert told.status_code == 200
        assert "own_acme_login" in shown(told)
    assert "Write a new version" not in shown(vic.get(page("change", made)))
    assert "Restore version" not in shown(vic.get(old))
    for address in (page("write", made), old, page("delete", made)):
        assert vic.post(address, typed(team, seen=2)).status_code == 403
    assert (made.versions.count(), OwnProvider.objects.count()) == (2, 1)


def test_a_stranger_finds_no_page_and_no_name(client, team):
    made = own(team.acme)
    assert client.login(username=team.eve.email, password=PASSWORD)

    for name in ("version", "file", "write"):
        assert client.get(page(name, made)).status_code == 404
    for address in (LIST, reverse("admin:providers_providerapp_add")):
        assert "own_acme_login" not in shown(client.get(address))


def test_a_record_that_today_s_rules_refuse_says_so(otto, team):
    made = own(team.acme, text=text().replace('["generic"]', '["box"]'))

    assert "the rules of this release refuse it" in shown(
        otto.get(page("change", made))
    )


# Removing


def instance_of(team, key: str) -> Instance:
    return Instance.objects.create(
        uid=instance_uid(team.acme.uid, "1"),
        remote_id="1",
        name="One",
        organization=team.acme,
        element_key="generic",
        provider_key=key,
        status_since=timezone.now(),
        created_at=timezone.now(),
    )


def test_a_record_stays_while_it_is_used(otto, team):
    made = own(team.acme)
    instance_of(team, made.key)
    app = {"organization": team.acme, "provider_key": made.key, "name": "A"}
    ProviderApp.objects.create(**app, element_key="generic")

    asked = shown(otto.get(page("delete", made)))
    otto.post(page("delete", made), {"post": "yes"})

    assert "It stays while it is used" in asked
    where = f"?provider={made.key}&amp;organization__id__exact={team.acme.pk}"
    assert f'{where}">1 instance</a>' in asked
    assert ">1 provider app</a>" in asked
    made.refresh_from_db()
    assert made.removed_at is None


def test_a_removed_record_is_on_no_page_and_its_versions_stay(otto, team):
    made = own(team.acme)

    otto.post(page("delete", made), {"post": "yes"})

    assert "own_acme_login" not in shown(otto.get(LIST))
    assert otto.get(page("file", made)).status_code == 404
    assert made.versions.count() == 1


# Elsewhere


def test_own_providers_are_named_where_providers_are(otto, team):
    made = own(team.acme)
    instance = instance_of(team, made.key)

    listed = otto.get(reverse("admin:instances_instance_changelist"))
    form = (
        otto.get(reverse("admin:providers_providerapp_add")).context["adminform"].form
    )
    alone = otto.get(reverse("admin:instances_instance_change", args=[instance.pk]))

    assert "Acme Login" in shown(listed)
    assert (made.key, "Acme Login (own)") in form.fields["provider_key"].choices
    assert "the user removes the app" in shown(alone)


def test_a_list_of_many_names_them_in_as_many_queries(
    otto, team, django_assert_max_num_queries
):
    made = own(team.acme)
    instance_of(team, made.key)
    address = reverse("admin:instances_instance_changelist")
    otto.get(address)
    with django_assert_max_num_queries(100) as few:
        otto.get(address)
    for number in range(2, 12):
        row = instance_of_number(team, made.key, number)
        row.save()

    with django_assert_max_num_queries(len(few)):
        otto.get(address)


def instance_of_number(team, key: str, number: int) -> Instance:
    row = Instance.objects.get(remote_id="1")
    row.pk, row.remote_id = None, str(number)
    row.uid = instance_uid(team.acme.uid, row.remote_id)
    return row
