"""SECRET_KEY is replaced by way of its fallbacks, and no data depends on it."""

from django.urls import reverse

from ceadmin.teams.models import Organization
from instances.choices import Outcome
from tests.instances.reconnecting import Browser, signed_in, waiting
from tests.people import PASSWORD, USER_SECRET

NEW = "another-secret-key-of-more-than-thirty-two-letters"


def replace(settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = NEW


def test_who_is_signed_in_stays_so_while_the_old_key_is_a_fallback(
    client, team, settings
):
    assert client.login(username=team.otto.email, password=PASSWORD)

    replace(settings)
    kept = client.get(reverse("admin:index")).status_code
    settings.SECRET_KEY_FALLBACKS = []
    again = client.get(reverse("admin:index")).status_code

    assert (kept, again) == (200, 200)  # seen once, the session is of the new key


def test_who_was_away_all_the_time_signs_in_again(client, team, settings):
    assert client.login(username=team.otto.email, password=PASSWORD)

    settings.SECRET_KEY = NEW

    assert client.get(reverse("admin:index")).status_code == 302


def test_sealed_data_never_depends_on_it(acme, settings):
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, []

    assert Organization.objects.get(pk=acme.pk).user_secret.reveal() == USER_SECRET


def test_a_consent_that_a_member_began_goes_on(emulator, team, settings):
    case = waiting(emulator, team.acme, mode="theirs")
    olga = signed_in(team.olga)
    page = f"/reconnect-links/{case.link.uid}/paste/"
    started = olga.client.post(page, {"act": "start"})
    back = olga.decide(started.context["url"], instance=str(case.remote_id))

    replace(settings)
    olga.client.post(page, {"act": "paste", "pasted": back})

    assert case.fresh().item.outcome == Outcome.RECONNECTED


def test_a_link_that_is_out_and_a_consent_under_way_go_on(emulator, acme, settings):
    case, person = waiting(emulator, acme), Browser()
    back = person.consent(case)

    replace(settings)
    page = person.land(person.come_back(back))

    assert "Connected again" in page.content.decode()
