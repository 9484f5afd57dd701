"""A sender lets a link live on and sends it by mail; what failed is never said to be sent."""

import socket
from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.teams import brands
from ceadmin.teams.brands import Look
from ceadmin.teams.erasing import erase_user
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from instances import reconnect
from instances.choices import LinkStatus
from instances.models import ReconnectLink
from instances.reconnect.sending import MOST_OF_A_LINK, MOST_OF_ALL
from tests.instances.reconnecting import Browser, waiting
from tests.teams.inviting import browser
from tests.teams.policing import facts_of

pytestmark = pytest.mark.django_db

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def case(emulator, team):
    return waiting(emulator, team.acme, user=team.olga)


@pytest.fixture
def with_mail(settings):
    settings.MAIL_WORKS = True
    settings.DEFAULT_FROM_EMAIL = "Acme <connections@acme.example>"
    return settings


def page_of(case) -> str:
    return reverse("admin:instances_reconnectlink_change", args=[case.link.pk])


def press(user, case, act: str, **fields):
    address = reverse("admin:instances_reconnectlink_do", args=[case.link.pk, act])
    return browser(user).post(address, fields, follow=True)


def send(user, case, to="owner@customer.example", language="en"):
    return press(user, case, "send", to=to, language=language)


def acts() -> set[str]:
    return set(Event.objects.values_list("action", flat=True))


# How long it works


def test_a_sender_chooses_how_long_a_link_works(case, team):
    before = timezone.now()

    page = press(team.olga, case, "live", hours="720").content.decode()

    life = case.fresh().expires_at - before
    assert timedelta(days=30) <= life < timedelta(days=30, minutes=5)
    assert "The link works until" in page
    event = Event.objects.get(action="link_changed")
    assert facts_of(event)["expires_at"] == case.fresh().expires_at.isoformat()


@pytest.mark.parametrize("hours", ["0", "-4", "100000", "", "x", "9" * 5000])
def test_another_life_than_those_offered_is_refused(case, team, hours):
    before = case.fresh().expires_at

    page = press(team.olga, case, "live", hours=hours).content.decode()

    assert "Choose how long from the list." in page
    assert case.fresh().expires_at == before


def test_a_closed_link_lives_no_longer(case, team):
    reconnect.cancel(case.link, user=team.olga, now=timezone.now())

    page = press(team.olga, case, "live", hours="24").content.decode()

    assert "used up or closed" in page
    assert case.fresh().status == LinkStatus.CANCELLED
    assert "link_changed" not in acts()


def test_viewers_and_strangers_do_neither(case, team, with_mail):
    assert press(team.vic, case, "live", hours="24").status_code == 403
    assert send(team.vic, case).status_code == 403
    assert send(team.eve, case).status_code == 404
    assert mail.outbox == []
    assert not acts() & {"link_changed", "link_sent"}


# By mail


def test_a_mail_carries_the_link_and_the_reply_address(case, team, with_mail):
    look = Look("Acme\nFiles", "", "help@acme.example", b"")
    brands.save(team.acme, look, Hand(actor_of(team.otto, team.acme), timezone.now()))

    page = send(team.olga, case).content.decode()

    (sent,) = mail.outbox
    assert "on its way to owner@customer.example" in page
    assert reconnect.address_of(case.link) in sent.body
    assert sent.subject == "Acme Files asks you to reconnect Box"
    assert (sent.to, sent.reply_to) == (
        ["owner@customer.example"],
        ["help@acme.example"],
    )
    assert case.fresh().sent_to == "owner@customer.example"


def test_a_mail_speaks_german_where_that_is_chosen(case, team, with_mail):
    send(team.olga, case, language="de")

    (sent,) = mail.outbox
    assert sent.subject == "Acme bittet Sie, Box neu zu verbinden"
    assert "Ihr Passwort sieht Acme nie" in sent.body


def test_the_audit_keeps_the_domain_and_never_the_address(case, team, with_mail):
    send(team.olga, case, to="Owner@Customer.Example")

    event = Event.objects.get(action="link_sent")
    token = case.path.split("/")[2]
    assert facts_of(event) == {"domain": "customer.example"}
    kept = str(list(Event.objects.values()))
    assert "wner@" not in kept
    assert token not in kept


@pytest.mark.parametrize(
    "to",
    [
        *("", "nobody", "a@b.c\nBcc: x@y.z", "a@b.example,c@d.example"),
        f"{'a' * 240}@customer.example",  # longer than an address, and than its column
        f"a@{'ü' * 60}.example",
        "a@\u200f\u0627.example",
    ],
)
def test_no_address_is_an_error_beside_the_field(case, team, with_mail, to):
    answer = send(team.olga, case, to=to)

    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert mail.outbox == []


def test_where_no_mail_is_set_up_the_page_offers_the_address_only(case, team, settings):
    settings.MAIL_WORKS = False

    page = browser(team.olga).get(page_of(case)).content.decode()

    assert "Send by mail" not in page
    assert reconnect.address_of(case.link) in page
    assert "No mail server is set up" in send(team.olga, case).content.decode()


def test_what_the_server_refuses_was_not_sent(case, team, with_mail, caplog):
    with_mail.EMAIL_BACKEND = SMTP
    with_mail.EMAIL_HOST, with_mail.EMAIL_PORT = "127.0.0.1", closed_port()

    page = send(team.olga, case).content.decode()

    assert "did not take the mail (ConnectionRefusedError)" in page
    assert case.fresh().sent_at is None
    assert case.path.split("/")[2] not in caplog.text
    assert outcomes() == ["", "refused"]


def test_a_server_that_is_silent_leaves_it_unclear(case, team, with_mail):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with_mail.EMAIL_BACKEND, with_mail.EMAIL_TIMEOUT = SMTP, 0.3
        with_mail.EMAIL_HOST, with_mail.EMAIL_PORT = silent.getsockname()

        page = send(team.olga, case).content.decode()

    assert "it is unclear whether the mail was sent" in page
    assert case.fresh().sent_at is None
    assert ReconnectLink.objects.usable(timezone.now()).count() == 1
    assert outcomes() == ["", "unclear"]


def test_a_sender_that_no_mail_can_have_is_told_as_a_setting(case, team, with_mail):
    with_mail.DEFAULT_FROM_EMAIL = f"a@{'ü' * 60}.example"

    page = send(team.olga, case).content.decode()

    assert "have the mail settings looked at" in page
    assert case.fresh().sent_at is None


# Whose address it was


def test_a_used_up_or_closed_link_forgets_to_whom_it_went(case, team, with_mail):
    send(team.olga, case)
    reconnect.cancel(case.fresh(), user=team.olga, now=timezone.now())

    assert case.fresh().sent_to == ""
    assert case.fresh().sent_at is not None


def test_a_link_that_did_its_work_does_too(case, team, with_mail):
    send(team.olga, case)

    Browser().reconnect(case)

    assert case.fresh().status == LinkStatus.FINISHED
    assert case.fresh().sent_to == ""


def test_a_person_who_is_erased_is_nobody_s_receiver(case, team, with_mail):
    send(team.olga, case, to=team.vic.email.upper())

    erase_user(team.vic, Hand(actor_of(team.otto, None), timezone.now()))

    assert case.fresh().sent_to == ""
    assert case.fresh().is_open


# Once, and not endlessly


def test_a_double_click_sends_one_mail(case, team, with_mail):
    send(team.olga, case)
    second = send(team.olga, case, to="Owner@customer.example").content.decode()

    assert len(mail.outbox) == 1
    assert "was sent to this address a moment ago" in second
    assert outcomes() == [""]


def test_after_a_minute_and_to_somebody_else_it_is_sent_again(case, team, with_mail):
    send(team.olga, case)
    send(team.olga, case, to="other@customer.example")
    ReconnectLink.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    send(team.olga, case, to="other@customer.example")

    assert [one.to[0].partition("@")[0] for one in mail.outbox] == [
        *("owner", "other", "other")
    ]


def test_a_link_is_no_cannon(case, team, with_mail):
    for number in range(MOST_OF_A_LINK):
        to, hand = f"{number}@customer.example", by_olga(team, timezone.now())
        reconnect.send(case.fresh(), to, "en", hand)

    page = send(team.olga, case, to="one-more@customer.example").content.decode()

    assert len(mail.outbox) == MOST_OF_A_LINK
    assert f"sent {MOST_OF_A_LINK} times within an hour" in page
    assert case.fresh().sent_to == f"{MOST_OF_A_LINK - 1}@customer.example"


def test_nor_is_an_organization(case, team, with_mail):
    hand = Hand(actor_of(team.olga, team.acme), timezone.now())
    sent = Entry(Action.LINK_SENT, actor=hand.actor, subject=Subject("x", team.vic.uid))
    earlier = hand.now - timedelta(minutes=59)
    with transaction.atomic():
        record_many(team.acme.chain, [sent] * MOST_OF_ALL, at=earlier)

    page = send(team.olga, case).content.decode()
    later = by_olga(team, hand.now + timedelta(minutes=2))
    reconnect.send(case.fresh(), "owner@customer.example", "en", later)

    assert f"{MOST_OF_ALL} mails within an hour" in page
    assert len(mail.outbox) == 1


def by_olga(team, now):
    return reconnect.Sender(team.olga, now)


def outcomes() -> list[str]:
    """Return what became of the mails, as the audit tells it."""
    told = Event.objects.filter(action="link_sent").order_by("sequence")
    return list(told.values_list("outcome", flat=True))


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
