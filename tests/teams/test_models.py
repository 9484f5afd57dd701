"""Users and organizations: what may stand in their fields."""

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from ceadmin.teams.models import Membership, Organization, User
from tests.people import PASSWORD, make_organization

pytestmark = pytest.mark.django_db


def test_people_sign_in_by_mail_address_however_they_write_it():
    user = User.objects.create_user(" Ann@Acme.Example ", PASSWORD)

    assert user.email == "ann@acme.example"
    assert authenticate(username="ANN@acme.example", password=PASSWORD) == user
    assert authenticate(username="ann@acme.example", password="wrong") is None


def test_a_mail_address_belongs_to_one_user():
    User.objects.create_user("ann@acme.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ANN@acme.example")


def test_capitals_never_reach_the_table():
    user = User.objects.create_user("ann@acme.example")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=user.pk).update(email="Ann@acme.example")


def test_a_user_without_a_password_cannot_sign_in():
    user = User.objects.create_user("ann@acme.example")

    assert not user.has_usable_password()


def test_people_are_called_by_name_or_by_mail_address():
    assert str(User(email="ann@acme.example")) == "ann@acme.example"
    assert User(email="ann@acme.example", name="Ann").get_short_name() == "Ann"


def test_django_s_own_permissions_decide_nothing():
    user = User.objects.create_user("ann@acme.example")
    root = User.objects.create_superuser("root@acme.example")

    assert not user.has_perm("teams.change_user")
    assert not user.has_module_perms("teams")
    assert root.has_perms(["teams.change_user"])
    assert not User(is_superuser=True, is_active=False).has_perm("x")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/New_York"])
def test_a_known_time_zone_is_taken(zone):
    User(email="a@b.example", password="x", time_zone=zone).full_clean()


@pytest.mark.parametrize(
    "facts",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"language": "tlh"},
        {"email": "no address"},
    ],
)
def test_a_user_with_a_bad_value_is_refused(facts):
    values = {"email": "a@b.example", "password": "x"} | facts

    with pytest.raises(ValidationError) as refusal:
        User(**values).full_clean()

    assert set(refusal.value.message_dict) == set(facts)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://api.cloud-elements.com", "https://api.cloud-elements.com"),
        (" https://API.cloud-elements.com/ ", "https://api.cloud-elements.com"),
        ("https://ce.internal:8443", "https://ce.internal:8443"),
        (
            "https://api.cloud-elements.com/elements/api-v2/",
            "https://api.cloud-elements.com",
        ),
    ],
)
def test_a_base_url_is_kept_as_it_is_compared(typed, kept):
    organization = Organization(name="A", slug="a", base_url=typed)

    organization.full_clean()

    assert organization.base_url == kept


@pytest.mark.parametrize(
    "typed",
    [
        "http://api.cloud-elements.com",
        "https://api.cloud-elements.com/elements/api-v2/instances",
        "https://user:password@api.cloud-elements.com",
        "https://api.cloud-elements.com?x=1",
        "https://api.cloud-elements.com#x",
        "https://-bad.example",
        "https://exa mple.com",
        "https://",
        "api.cloud-elements.com",
        "javascript:alert(1)",
        "https://evil.example\n",
    ],
)
def test_a_base_url_is_https_and_a_host_only(typed):
    organization = Organization(name="A", slug="a", base_url=typed)

    with pytest.raises(ValidationError) as refusal:
        organization.full_clean()

    assert "base_url" in refusal.value.message_dict


@pytest.mark.parametrize(
    "values",
    [
        {"reauthenticate_by": "magic"},
        {"link_lifetime_hours": 0},
        {"link_lifetime_hours": 5000},
        {"secrets_problem": "user_secret"},
    ],
)
def test_the_database_refuses_what_makes_no_sense(values):
    organization = make_organization("Acme")

    with pytest.raises(IntegrityError), transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(**values)


def test_somebody_is_a_member_once():
    organization = make_organization("Acme")
    user = User.objects.create_user("ann@acme.example")
    Membership.objects.create(organization=organization, user=user)

    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=organization, user=user)


def test_an_organization_names_its_chain():
    organization = make_organization("Acme")

    assert organization.chain == str(organization.uid)
