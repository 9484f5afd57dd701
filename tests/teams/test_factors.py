"""The second factor: set up, asked for, removed and taken away."""

import re
from datetime import timedelta

import pyotp
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib.redact import text as redacted
from ceadmin.lib.sealed_columns import sealed_columns
from ceadmin.teams import factors
from ceadmin.teams.models import RecoveryCode, SecondFactor, User
from tests.people import PASSWORD
from tests.teams.pages import fields_of
from tests.teams.signing_in import (
    ACCOUNT,
    CODE,
    browser_of,
    code_of,
    give_factor,
    give_password,
    long_ago,
    signed_in,
)

pytestmark = pytest.mark.django_db

SET_UP = f"{ACCOUNT}factor/"


def begin(client: Client):
    return client.post(f"{SET_UP}begin/", follow=True)


def actions(*names: str) -> list[str]:
    rows = Event.objects.filter(action__in=names).order_by("pk")
    return list(rows.values_list("action", flat=True))


def half_way(team) -> Client:
    give_factor(team.otto)
    client = Client()
    give_password(client, team.otto)
    return client


# Setting it up


def test_a_factor_holds_once_its_first_code_was_typed(team):
    client = browser_of(team.otto)
    begin(client)
    assert not factors.is_set(team.otto)

    page = client.post(SET_UP, {"code": code_of(team.otto)}).content.decode()

    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", page)
    assert len(set(codes)) == 10
    assert factors.is_set(team.otto)
    assert actions("factor_set") == ["factor_set"]
    assert RecoveryCode.objects.count() == 10


def test_a_wrong_first_code_sets_nothing_and_offers_the_same_again(team):
    client = browser_of(team.otto)
    begin(client)
    before = SecondFactor.objects.get().uid

    page = client.post(SET_UP, {"code": "000000"}).content.decode()

    assert "Wait for the next one" in page
    assert SecondFactor.objects.get().uid == before
    assert not factors.is_set(team.otto)


def test_the_secret_is_an_image_of_its_own_and_in_no_address(team):
    client = browser_of(team.otto)
    page = begin(client)
    secret = SecondFactor.objects.get().secret.reveal()

    image = client.get(f"{SET_UP}code.png")

    assert image["Content-Type"] == "image/png"
    assert image.content.startswith(b"\x89PNG")
    assert "no-store" in image["Cache-Control"]
    assert "img-src 'self'" in page["Content-Security-Policy"]
    assert not [address for address, _ in page.redirect_chain if secret in address]
    assert f'src="{SET_UP}code.png"' in page.content.decode()


def test_the_image_is_there_for_the_session_that_began_only(team):
    begin(browser_of(team.otto))
    other = browser_of(team.otto)

    assert other.get(f"{SET_UP}code.png").status_code == 404
    assert "Begin" in other.get(SET_UP).content.decode()


def test_the_image_is_gone_once_the_factor_is_set(team):
    client = browser_of(team.otto)
    begin(client)
    client.post(SET_UP, {"code": code_of(team.otto)})

    assert client.get(f"{SET_UP}code.png").status_code == 404


def test_an_offer_ends_after_half_an_hour(team):
    client = browser_of(team.otto)
    begin(client)
    SecondFactor.objects.update(made_at=timezone.now() - timedelta(minutes=31))

    client.post(SET_UP, {"code": code_of(team.otto)})

    assert not factors.is_set(team.otto)


def test_setting_one_up_ends_the_sessions_that_got_in_without_it(team):
    other, client = browser_of(team.otto), browser_of(team.otto)
    begin(client)

    client.post(SET_UP, {"code": code_of(team.otto)})

    assert not signed_in(other)
    assert signed_in(client)


def test_the_secret_is_sealed_and_the_codes_are_hashed(team):
    codes = give_factor(team.otto)
    secret = SecondFactor.objects.get().secret.reveal()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM teams_secondfactor")
        factor = str(cursor.fetchall())
        cursor.execute("SELECT * FROM teams_recoverycode")
        rows = str(cursor.fetchall())

    assert secret not in factor
    assert not [code for code in codes if code.replace("-", "") in rows]
    assert secret not in "".join(Event.objects.values_list("text", flat=True))


def test_the_address_in_the_code_names_product_and_person(team):
    factor = factors.offer(team.otto, timezone.now())

    read = pyotp.parse_uri(factors.app_address(factor))

    assert read.secret == factor.secret.reveal()
    assert (read.name, read.issuer) == ("otto@example.com", "ceadmin test")


def test_whoever_has_one_is_not_offered_another(team):
    give_factor(team.otto)

    with pytest.raises(factors.FactorError, match="Remove it first"):
        factors.offer(team.otto, timezone.now())

    assert factors.is_set(team.otto)


# Confirming, removing, taking away


def with_factor(team) -> Client:
    """Return a browser in which Otto signed in long ago, with a code."""
    client = half_way(team)
    client.post(CODE, {"code": code_of(team.otto)})
    SecondFactor.objects.update(last_step=0)
    return long_ago(client)


def answer(client: Client, page: str, asked, **answers: str):
    return client.post(page, {**fields_of(asked.content.decode()), **answers})


def test_confirming_asks_for_the_code_too(team):
    client, page = with_factor(team), f"{SET_UP}remove/"
    asked = client.post(page)
    assert "confirm_code" in asked.content.decode()

    alone = answer(client, page, asked, confirm_password=PASSWORD)
    wrong = answer(
        client, page, asked, confirm_password=PASSWORD, confirm_code="000000"
    )
    assert (alone.status_code, wrong.status_code) == (403, 403)
    assert factors.is_set(team.otto)

    code = code_of(team.otto)
    both = answer(client, page, asked, confirm_password=PASSWORD, confirm_code=code)
    assert both.status_code == 302
    assert not factors.is_set(team.otto)
    assert actions("factor_removed") == ["factor_removed"]


def test_a_wrong_password_uses_up_no_code(team):
    client, page = with_factor(team), f"{SET_UP}remove/"
    code = code_of(team.otto)

    answer(client, page, client.post(page), confirm_password="no", confirm_code=code)

    assert SecondFactor.objects.get().last_step == 0


def test_who_has_none_is_asked_for_the_password_only(team):
    client = long_ago(browser_of(team.otto))

    asked = client.post(f"{SET_UP}begin/")

    assert asked.status_code == 403
    assert "confirm_code" not in asked.content.decode()


@pytest.fixture
def ada(team) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("ada@example.com", PASSWORD)


def test_a_superuser_takes_a_lost_factor_away_and_ends_the_sessions(team, ada):
    client = half_way(team)
    client.post(CODE, {"code": code_of(team.otto)})

    browser_of(ada).post(f"/admin/teams/user/{team.otto.pk}/factor/reset/")

    assert not factors.is_set(team.otto)
    assert not signed_in(client)
    assert not RecoveryCode.objects.exists()
    event = Event.objects.get(action="factor_reset")
    assert (event.actor_uid, event.subject_uid) == (ada.uid, str(team.otto.uid))


@pytest.mark.parametrize(
    ("who", "status"), [("rita", 403), ("otto", 403), ("eve", 404)]
)
def test_nobody_else_takes_a_factor_away(team, who, status):
    give_factor(team.vic)
    address = f"/admin/teams/user/{team.vic.pk}/factor/reset/"

    response = browser_of(getattr(team, who)).post(address)

    assert response.status_code == status
    assert factors.is_set(team.vic)


def test_taking_a_factor_away_asks_who_it_is(team, ada):
    give_factor(team.vic)
    client = long_ago(browser_of(ada))

    asked = client.post(f"/admin/teams/user/{team.vic.pk}/factor/reset/")

    assert asked.status_code == 403
    assert factors.is_set(team.vic)


def test_a_secret_in_a_log_line_is_masked(team):
    factor = factors.offer(team.otto, timezone.now())

    line = redacted(f"GET {factors.app_address(factor)}")

    assert factor.secret.reveal() not in line


def test_the_secret_is_among_those_that_get_a_new_key(team):
    give_factor(team.otto)

    assert "SecondFactor" in {column.model.__name__ for column in sealed_columns()}
