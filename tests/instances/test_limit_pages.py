"""The page of limits: what is refused, what counts, and what the audit keeps."""

import pytest
from django.urls import reverse

from ceadmin.audit.models import Event
from providers.limits import effective_limits, limits_of
from providers.models import Limit
from tests.instances.reconnecting import make_app
from tests.people import PASSWORD, make_organization

ADD = reverse("admin:providers_limit_add")


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


def typed(team, **values) -> dict:
    return {
        "organization": team.acme.pk,
        "scope": "provider",
        "provider_key": "box",
        "provider_app": "",
        "rate": "20",
        "concurrency": "",
        **values,
    }


def errors(answer) -> dict:
    return {
        name: words[0] for name, words in answer.context["adminform"].errors.items()
    }


def test_a_limit_is_set_shown_and_audited(otto, team):
    answer = otto.post(ADD, typed(team, concurrency="5"), follow=True)

    limit = Limit.objects.get()
    page = answer.content.decode()
    assert (limit.rate, limit.concurrency) == (20.0, 5)
    assert "20 calls a second, 5 at once" in page
    event = Event.objects.get(action="limit_changed")
    assert event.subject_uid == str(limit.uid)
    assert '"rate":20.0' in event.text.replace(" ", "")


@pytest.mark.parametrize("number", ["0", "-1", "0.0", "100001"])
def test_a_limit_of_zero_is_refused_with_what_to_do_instead(otto, team, number):
    answer = otto.post(ADD, typed(team, rate=number))

    assert "above 0" in errors(answer)["rate"]
    assert "pause the run" in errors(answer)["rate"]
    assert not Limit.objects.exists()


@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "many"])
def test_what_is_no_number_is_refused(otto, team, number):
    assert "rate" in errors(otto.post(ADD, typed(team, rate=number)))


def test_calls_at_once_are_above_zero_too(otto, team):
    answer = otto.post(ADD, typed(team, rate="", concurrency="0"))

    assert "above 0" in errors(answer)["concurrency"]


def test_a_limit_that_says_nothing_is_refused(otto, team):
    answer = otto.post(ADD, typed(team, rate=""))

    assert "how many at once" in errors(answer)["rate"]


def test_a_place_has_one_limit(otto, team):
    otto.post(ADD, typed(team))

    answer = otto.post(ADD, typed(team, rate="5"))

    assert "already" in errors(answer)["scope"]
    assert Limit.objects.count() == 1


@pytest.mark.parametrize("scope", ["provider", "app"])
def test_a_place_that_is_not_named_is_refused(otto, team, scope):
    answer = otto.post(ADD, typed(team, scope=scope, provider_key=""))

    assert Limit.objects.count() == 0
    assert len(errors(answer)) == 1


def test_the_app_of_another_organization_is_refused(otto, team, emulator):
    other = make_organization("Other")
    app = make_app(emulator, other, "box", "ours")

    otto.post(ADD, typed(team, scope="app", provider_app=app.pk))

    assert not Limit.objects.exists()


def test_what_does_not_belong_to_a_place_is_left_out(otto, team):
    otto.post(ADD, typed(team, scope="platform"))

    limit = Limit.objects.get()
    assert (limit.scope, limit.provider_key) == ("platform", "")


def test_a_limit_that_is_taken_away_is_audited(otto, team):
    otto.post(ADD, typed(team))
    limit = Limit.objects.get()

    otto.post(reverse("admin:providers_limit_delete", args=[limit.pk]), {"post": "yes"})

    assert not Limit.objects.exists()
    assert Event.objects.filter(action="limit_changed").count() == 2


def test_members_see_limits_and_set_none(client, team):
    limit = Limit.objects.create(organization=team.acme, scope="platform", rate=3)
    assert client.login(username=team.rita.email, password=PASSWORD)

    page = client.get(reverse("admin:providers_limit_changelist"))

    assert "3 calls a second" in page.content.decode()
    assert client.get(ADD).status_code == 403
    change = reverse("admin:providers_limit_change", args=[limit.pk])
    client.post(change, {"rate": "9"})
    limit.refresh_from_db()
    assert limit.rate == 3


# What counts


def test_an_organization_s_number_comes_before_the_setting_s(team, settings):
    settings.PLATFORM_RATE, settings.PLATFORM_CONCURRENCY = 10.0, 7
    Limit.objects.create(organization=team.acme, scope="platform", rate=50)

    pace = limits_of(team.acme).platform

    assert (pace.rate, pace.concurrency) == (50.0, 7)


def test_what_binds_is_the_slower_of_platform_and_provider(team):
    Limit.objects.create(organization=team.acme, scope="platform", rate=50)
    Limit.objects.create(
        organization=team.acme, scope="provider", provider_key="box", rate=30
    )

    probes = effective_limits(team.acme, "box")
    revokes = effective_limits(team.acme, "box", platform_calls=2, provider_calls=3)

    assert (probes.rate, probes.words) == (50.0, "Cloud Elements: 50 calls a second")
    assert (revokes.rate, revokes.words) == (10.0, "Box: 30 calls a second")
    assert effective_limits(team.acme, "salesforce").rate == 50.0


def test_nothing_binds_where_nobody_says_so(team):
    found = effective_limits(team.acme, "box", provider_calls=3)

    assert (found.rate, found.concurrency, found.words) == (None, None, "")
