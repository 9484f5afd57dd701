"""Where people are signed in: they see it, end it, and some things end it for them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.middleware import USED_AT
from ceadmin.teams.browsers import described
from ceadmin.teams.models import Browser, User
from ceadmin.teams.recent import BEGAN_AT
from ceadmin.teams.tasks import sweep
from tests.people import PASSWORD
from tests.teams.signing_in import (
    ACCOUNT,
    browser_of,
    give_password,
    signed_in,
)

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "another long password"


def ended() -> list[dict]:
    rows = Event.objects.filter(action="sessions_ended").order_by("pk")
    return [json.loads(row.text) for row in rows]


def test_the_account_shows_each_browser_and_which_one_is_this(team):
    browser_of(team.otto, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    here = browser_of(team.otto, REMOTE_ADDR="192.0.2.8")

    page = here.get(ACCOUNT).content.decode()

    assert "Firefox on Linux" in page
    assert "192.0.2.7" in page
    assert page.count("This browser") == 1


def test_nobody_s_browsers_stand_on_the_page_of_another(team):
    browser_of(team.vic, REMOTE_ADDR="192.0.2.77")

    page = browser_of(team.otto).get(ACCOUNT).content.decode()

    assert "192.0.2.77" not in page


def test_one_other_browser_is_signed_out(team):
    other, here = browser_of(team.otto), browser_of(team.otto)
    row = team.otto.browsers.earliest("pk")

    here.post(f"{ACCOUNT}end/", {"browser": row.pk})

    assert not signed_in(other)
    assert signed_in(here)
    assert not Session.objects.filter(session_key=row.session_key).exists()
    assert ended()[0]["facts"] == {"count": 1}


def test_all_other_browsers_are_signed_out_and_this_one_stays(team):
    others = [browser_of(team.otto) for _ in range(3)]
    here = browser_of(team.otto)

    here.post(f"{ACCOUNT}end/", {"browser": "others"})

    assert [signed_in(one) for one in others] == [False] * 3
    assert signed_in(here)
    assert (team.otto.browsers.count(), Session.objects.count()) == (1, 1)
    assert "This browser" in here.get(ACCOUNT).content.decode()


def test_a_session_nobody_wrote_down_ends_with_the_others(team):
    forgotten, here = browser_of(team.otto), browser_of(team.otto)
    team.otto.browsers.earliest("pk").delete()

    here.post(f"{ACCOUNT}end/", {"browser": "others"})

    assert not signed_in(forgotten)


@pytest.mark.parametrize("hostile", ["-1", "9" * 40, "x", "", "٣"])
def test_a_hostile_number_of_a_browser_ends_no_session_of_others(team, hostile):
    vic = browser_of(team.vic)
    here = browser_of(team.otto)

    response = here.post(f"{ACCOUNT}end/", {"browser": hostile})

    assert response.status_code == 302
    assert signed_in(vic)
    assert signed_in(here)


def test_the_browser_of_another_person_is_not_ended(team):
    vic = browser_of(team.vic)
    row = team.vic.browsers.get()

    browser_of(team.otto).post(f"{ACCOUNT}end/", {"browser": row.pk})

    assert signed_in(vic)


def test_the_oldest_session_ends_when_there_are_too_many(team, settings):
    settings.SESSIONS_MOST = 3
    clients = [browser_of(team.otto) for _ in range(5)]

    assert [signed_in(one) for one in clients] == [False, False, True, True, True]
    assert team.otto.browsers.count() == 3
    assert [one["outcome"] for one in ended()] == ["session_limit", "session_limit"]


@pytest.mark.django_db(transaction=True)
def test_many_who_sign_in_at_once_stay_below_the_limit(team, settings):
    settings.SESSIONS_MOST, settings.SIGN_IN_TRIES = 3, 50

    def one(_: int) -> None:
        try:
            # One that the limit ends before it is answered is answered with 400.
            give_password(Client(), team.otto)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(one, range(12)))

    assert team.otto.browsers.count() == 3
    assert Session.objects.count() == 3


def test_signing_out_takes_the_row_with_it(team):
    client = browser_of(team.otto)
    client.post("/admin/logout/")

    assert not Browser.objects.exists()
    assert not Session.objects.exists()


def test_signing_in_as_somebody_else_ends_the_session_before(team):
    client = browser_of(team.otto)
    give_password(client, team.vic)

    assert Browser.objects.get().user == team.vic
    assert Session.objects.count() == 1


def test_a_session_ends_when_it_is_too_old_however_much_it_is_used(team):
    client = browser_of(team.otto)
    session = client.session
    session[BEGAN_AT] = int(time.time()) - 24 * 60 * 60 - 1
    session.save()

    assert not signed_in(client)
    assert not Browser.objects.exists()
    assert not Session.objects.filter(session_key=session.session_key).exists()


def test_a_session_that_nobody_used_ends(team):
    client = browser_of(team.otto)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert not signed_in(client)
    sweep()
    assert not Browser.objects.exists()


def test_looking_at_pages_writes_at_most_every_five_minutes(team):
    client = browser_of(team.otto)
    client.get(ACCOUNT)
    long_ago = timezone.now() - timedelta(hours=3)
    Browser.objects.update(used_at=long_ago)

    client.get(ACCOUNT)
    assert Browser.objects.get().used_at == long_ago

    session = client.session
    session[USED_AT] = int(time.time()) - 301
    session.save()
    client.get(ACCOUNT)
    assert Browser.objects.get().used_at > long_ago


def test_the_sweep_leaves_rows_of_sessions_that_live(team):
    client = browser_of(team.otto)

    sweep()

    assert Browser.objects.count() == 1
    assert signed_in(client)


# What ends all of them


def test_a_changed_password_ends_every_other_session(team):
    other, here = browser_of(team.otto), browser_of(team.otto)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}

    here.post("/admin/password_change/", form)

    assert not signed_in(other)
    assert signed_in(here)
    assert (team.otto.browsers.count(), Session.objects.count()) == (1, 1)


@pytest.fixture
def ada(team) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("ada@example.com", PASSWORD)


def change(ada: User, user: User, **values: str):
    """Send the page of a user with these boxes ticked."""
    form = {
        "email": user.email,
        "name": user.name,
        "time_zone": "UTC",
        "language": "en",
    }
    address = f"/admin/teams/user/{user.pk}/change/"
    return browser_of(ada).post(address, {**form, **values})


@pytest.mark.parametrize("kept", [{"is_active": "on"}, {"is_staff": "on"}])
def test_a_lost_flag_ends_all_sessions_at_once(team, ada, kept):
    client = browser_of(team.vic)

    assert change(ada, team.vic, **kept).status_code == 302

    assert not signed_in(client)
    assert not team.vic.browsers.exists()


def test_a_password_set_by_a_superuser_ends_all_sessions(team, ada):
    client = browser_of(team.vic)
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}

    browser_of(ada).post(f"/admin/teams/user/{team.vic.pk}/password/", form)

    assert not signed_in(client)
    assert not team.vic.browsers.exists()


@pytest.mark.parametrize("who", ["ada", "otto"])
def test_superusers_and_owners_sign_a_person_out_everywhere(team, ada, who):
    clients = [browser_of(team.vic) for _ in range(2)]
    boss = {"ada": ada, "otto": team.otto}[who]

    browser_of(boss).post(f"/admin/teams/user/{team.vic.pk}/sessions/end/")

    assert [signed_in(one) for one in clients] == [False, False]
    assert ended()[0]["subject"]["uid"] == str(team.vic.uid)
    assert ended()[0]["actor"]["uid"] == str(boss.uid)


@pytest.mark.parametrize(("who", "status"), [("olga", 403), ("eve", 404)])
def test_nobody_else_signs_a_person_out(team, who, status):
    client = browser_of(team.vic)

    address = f"/admin/teams/user/{team.vic.pk}/sessions/end/"
    response = browser_of(getattr(team, who)).post(address)

    assert response.status_code == status
    assert signed_in(client)


def test_the_page_of_a_user_says_how_many_browsers_and_offers_to_end_them(team):
    browser_of(team.vic)

    page = f"/admin/teams/user/{team.vic.pk}/change/"
    assert "In 1 browser" in browser_of(team.otto).get(page).content.decode()
    assert "Sign out everywhere" not in browser_of(team.olga).get(page).content.decode()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537 Edg/140",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18) Version/18 Safari/604",
            "Safari on iPhone",
        ),
        ("curl/8.9", "curl/8.9"),
        ("", "A browser without a name"),
    ],
)
def test_a_browser_is_named_as_people_do(agent, name):
    assert described(agent) == name


def test_a_hostile_agent_is_stored_and_shown_harmlessly(team):
    agent = "<script>alert(1)</script>\0" + "x" * 5000
    client = browser_of(team.otto, HTTP_USER_AGENT=agent)

    page = client.get(ACCOUNT).content.decode()

    assert "<script>alert" not in page
    assert len(Browser.objects.get().agent) == 200
