"""A provider app belongs to one organization, keeps its secret sealed, and fits its record."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from ceadmin.lib.sealed import SealError
from providers import catalogue
from providers.models import ProviderApp

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def app(organization, **changes):
    values = {
        "organization": organization,
        "name": "Box app",
        "provider_key": "box",
        "element_key": "box",
        "client_id": "client-1",
    }
    return ProviderApp(**values | changes)


def errors(organization, **changes):
    with pytest.raises(ValidationError) as caught:
        app(organization, **changes).full_clean()
    return caught.value.message_dict


@pytest.mark.django_db
def test_the_secret_is_sealed_and_who_set_it_is_known(team):
    it = app(team.acme)
    it.set_secret("box-secret-canary", by_name="Otto", now=NOW)
    it.save()

    found = ProviderApp.objects.get(pk=it.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM providers_providerapp")
        [stored] = cursor.fetchone()

    assert found.client_secret.reveal() == "box-secret-canary"
    assert "canary" not in stored
    assert (found.secret_set_by_name, found.secret_set_at) == ("Otto", NOW)


@pytest.mark.django_db
def test_a_plain_secret_does_not_reach_the_database(team):
    it = app(team.acme)
    it.save()

    with pytest.raises(SealError):
        ProviderApp.objects.filter(pk=it.pk).update(client_secret="plain")


@pytest.mark.django_db
def test_a_secret_does_not_open_in_another_row(team):
    one, two = app(team.acme), app(team.acme, name="Other app")
    one.set_secret("box-secret", by_name="Otto", now=NOW)
    two.client_secret = one.client_secret.sealed

    with pytest.raises(SealError):
        two.client_secret.reveal()


@pytest.mark.django_db
def test_a_name_is_taken_once_per_organization(team):
    app(team.acme).save()
    app(team.other).save()

    with pytest.raises(IntegrityError), transaction.atomic():
        app(team.acme).save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes", [{"callback_mode": "nobody"}, {"callback_mode": "theirs"}]
)
def test_the_database_refuses_a_callback_that_makes_no_sense(team, changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        app(team.acme, **changes).save()


@pytest.mark.django_db
def test_a_good_app_is_good(team):
    app(team.acme).full_clean()
    app(
        team.acme, provider_key="salesforce", element_key="sfdcservicecloud"
    ).full_clean()
    app(
        team.acme,
        provider_key="generic_rfc7009",
        element_key="any-element",
        site={"revocation_endpoint": "https://id.example.com/revoke"},
        callback_mode="theirs",
        callback_url="https://app.example.com/callback",
    ).full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"provider_key": "nobody"}, "provider_key", "no such provider"),
        ({"element_key": "sfdc"}, "element_key", "Box has box."),
        ({"callback_mode": "theirs"}, "callback_url", "which address"),
        ({"callback_url": "javascript:alert(1)"}, "callback_url", "valid URL"),
        ({"site": {"host": "x"}}, "site", "knows no such value"),
        ({"site": ["x"]}, "site", "a table of names and values"),
        (
            {"provider_key": "generic_rfc7009", "site": {}},
            "site",
            "revocation_endpoint is needed",
        ),
        (
            {
                "provider_key": "generic_rfc7009",
                "site": {"revocation_endpoint": "https://127.0.0.1/"},
            },
            "site",
            "This is not the address",
        ),
    ],
)
def test_what_does_not_fit_the_record_is_refused_in_words(team, changes, field, words):
    found = errors(team.acme, **changes)

    assert words in " ".join(found[field])


@pytest.mark.django_db
def test_apps_are_found_by_organization_and_element(team):
    mine = app(team.acme)
    mine.save()
    app(team.other).save()
    app(
        team.acme, name="Salesforce app", provider_key="salesforce", element_key="sfdc"
    ).save()

    found = ProviderApp.objects.of(team.acme).for_element("box")

    assert list(found) == [mine]
    assert str(mine) == "Box app"
    assert mine.provider is catalogue.get("box")


@pytest.mark.django_db
def test_an_organization_with_apps_is_not_deleted(team):
    app(team.acme).save()

    with pytest.raises(IntegrityError):
        team.acme.delete()
