"""What an organization can use: the catalogue and its own records, each in its own organization."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from providers import catalogue
from providers.book import Book, book_of, names_of
from providers.catalogue import UnknownProvider
from providers.limits import limits_of
from providers.models import Limit, OwnProvider, OwnProviderVersion, ProviderApp
from tests.providers.own_records import own, text

pytestmark = pytest.mark.django_db
KEY = "own_acme_login"


def test_an_own_record_is_found_in_its_organization_alone(team):
    own(team.acme)
    mine, theirs = book_of(team.acme), book_of(team.other)

    assert mine.find(KEY).name == "Acme Login"
    assert mine.get(KEY) is mine.for_element("generic")
    assert (mine.version(KEY), mine.name_of(KEY)) == (1, "Acme Login")
    assert theirs.find(KEY) is None
    assert theirs.for_element("generic") is None
    assert theirs.name_of(KEY) == "unknown"
    with pytest.raises(UnknownProvider):
        theirs.get(KEY)


def test_two_organizations_have_each_their_own_record_of_one_key(team):
    own(team.acme)
    own(team.other, name="Globex Login")

    assert book_of(team.acme).get(KEY).name == "Acme Login"
    assert book_of(team.other).get(KEY).name == "Globex Login"
    pairs = {(team.acme.pk, KEY), (team.other.pk, KEY), (team.acme.pk, "box")}
    assert set(names_of(pairs).values()) == {"Acme Login", "Globex Login"}


def test_the_catalogue_is_there_without_a_query(team, django_assert_num_queries):
    with django_assert_num_queries(0):
        book = book_of(team.acme)
        assert book.get("box") is catalogue.get("box")
        assert book.for_element("sfdc") is catalogue.get("salesforce")
        assert book.version("box") == 0
        assert names_of({(team.acme.pk, "box")}) == {}
        assert Book(None).all() == catalogue.all()


def test_any_number_of_own_records_is_one_query(team, django_assert_num_queries):
    for number in range(5):
        own(team.acme, key=f"own_{number}x", element_keys=(f"e{number}",))
    book = book_of(team.acme)

    with django_assert_num_queries(1):
        found = [book.find(f"own_{number}x") for number in range(5)]
        assert book.for_element("e3") is found[3]
        assert set(found) < set(book.all())
        assert len(book.versions_of(["box", "own_1x", "own_2x", "own_gone"])) == 2


def test_the_same_text_is_read_once(team):
    own(team.acme)

    assert book_of(team.acme).get(KEY) is book_of(team.acme).get(KEY)


def test_an_element_that_the_catalogue_knows_stays_with_it(team):
    # A later release may know an element that an own record took before.
    made = own(team.acme, text=text().replace('["generic"]', '["box"]'))

    assert book_of(team.acme).for_element("box").key == "box"
    assert book_of(team.acme).find(made.key) is None  # today's rules refuse it


def test_a_removed_record_is_used_no_longer(team):
    made = own(team.acme)
    OwnProvider.objects.filter(pk=made.pk).update(removed_at=timezone.now())

    assert book_of(team.acme).find(KEY) is None


def test_a_version_is_never_changed(team):
    version = own(team.acme).current
    version.text = text(name="Another")

    with pytest.raises(ValueError, match="a version is never changed"):
        version.save()

    assert len(OwnProviderVersion.objects.get().digest) == 64


@pytest.mark.parametrize("changes", [{"key": "box"}, {"version": 0}])
def test_the_database_keeps_the_namespace(team, changes):
    made = own(team.acme)

    with pytest.raises(IntegrityError), transaction.atomic():
        OwnProvider.objects.filter(pk=made.pk).update(**changes)


def test_an_app_takes_the_own_record_of_its_organization(team):
    own(team.acme)
    app = ProviderApp(name="A", provider_key=KEY, client_id="c")
    app.organization, app.element_key = team.acme, "generic"

    app.clean()
    assert app.provider.name == "Acme Login"

    app.provider_key = "generic_rfc7009"
    app.site = {"revocation_endpoint": "https://evil.example.com/r"}
    assert "choose Acme Login as the provider" in problem_of(app)

    app.provider_key, app.organization = KEY, team.other
    assert "no such provider" in problem_of(app)


def problem_of(app: ProviderApp) -> str:
    with pytest.raises(ValidationError) as problem:
        app.clean()
    return str(problem.value)


# Limits


def limited(organization) -> OwnProvider:
    """Make an own record that says how fast its hosts may be called."""
    slow = "[limits]\nrate = 2\n\n[revoke]"
    return own(organization, text=text(("[revoke]", slow)))


def test_the_limits_of_an_own_record_bind_its_organization_alone(team):
    limited(team.acme)
    mine, theirs = limits_of(team.acme), limits_of(team.other)

    assert mine.provider(KEY).rate == mine.own(KEY).rate == 2
    # Whoever else calls that host is not slowed down by what somebody wrote about it.
    assert not mine.shared(KEY).is_set
    assert not theirs.provider(KEY).is_set


def test_a_limit_of_the_organization_comes_before_its_own_record_s(team):
    limited(team.acme)
    limit = Limit(organization=team.acme, scope="provider", provider_key=KEY, rate=9)
    limit.clean()
    limit.save()

    assert limits_of(team.acme).own(KEY).rate == 9
    assert limit.place == "Acme Login"
