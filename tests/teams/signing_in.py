"""Sign in over HTTP as a browser does, with a second factor or without."""

import time

import pyotp
from django.test import Client
from django.utils import timezone

from ceadmin.audit.actors import SYSTEM
from ceadmin.teams import factors
from ceadmin.teams.models import SecondFactor, User
from ceadmin.teams.recent import CONFIRMED_AT
from ceadmin.teams.users import Hand
from tests.people import PASSWORD

LOGIN, CODE, HOME = "/admin/login/", "/admin/login/code/", "/admin/"
ACCOUNT = "/admin/account/"


def hand() -> Hand:
    """Return somebody who acts now."""
    return Hand(SYSTEM, timezone.now())


def give_factor(user: User) -> list[str]:
    """Set up a second factor; its last code is of long ago. Return the recovery codes."""
    factor = factors.offer(user, timezone.now())
    codes = factors.confirm(factor, code_of(user), hand())
    SecondFactor.objects.filter(pk=factor.pk).update(last_step=0)
    return codes


def code_of(user: User, step: int = 0) -> str:
    """Return what the person's app shows, `step` steps from now."""
    factor = SecondFactor.objects.get(user=user)
    return pyotp.TOTP(factor.secret.reveal()).at(time.time(), counter_offset=step)


def give_password(client: Client, user: User, password: str = PASSWORD, to: str = HOME):
    """Send the sign-in form."""
    fields = {"username": user.email, "password": password, "next": to}
    return client.post(LOGIN, fields)


def signed_in(client: Client) -> bool:
    """Say whether the overview opens."""
    return client.get(HOME).status_code == 200


def browser_of(user: User, **extra: str) -> Client:
    """Return a browser in which somebody is signed in with their password."""
    client = Client(**extra)
    assert give_password(client, user).status_code == 302
    return client


def long_ago(client: Client) -> Client:
    """Let the last proof of who it is be a day old."""
    session = client.session
    session[CONFIRMED_AT] = int(time.time()) - 24 * 60 * 60
    session.save()
    return client
