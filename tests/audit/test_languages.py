"""The audit is English, whatever language its people speak; only its pages are translated.

The German of these tests writes every marked sentence in letters that are not Latin, so
that a translated word gives itself away wherever it ends up.
"""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from ceadmin.audit import export, watch
from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.people import erase
from ceadmin.audit.record import record
from ceadmin.audit.verify import verify
from ceadmin.teams.models import Membership, Organization, Policy, User
from ceadmin.teams.permissions import actor_of
from instances import runs
from instances.choices import RunKind
from instances.models import Instance, ReconnectLink
from tests.audit.telling import ANN, OTTO, RITA, WHY, browser, drafted, fleet
from tests.audit_support import rewound
from tests.frame.test_languages import TO, strange
from tests.people import PASSWORD, make_user

__all__ = ["fleet"]

pytestmark = pytest.mark.django_db

LANGUAGES = ("en", "de")
#: What differs from one day to the next: ids, hashes, times, numbers.
FLEETING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{8}\b|[0-9a-f]{16,}|\d+")


def foreign(text: str) -> set[str]:
    """Return the words of a text that were translated."""
    return set(re.findall(f"[{TO}]+", text))


@pytest.fixture(autouse=True)
def strange_german(monkeypatch) -> None:
    """Let German be strange, and English as it is."""

    def said(*words: str) -> str:
        german = translation.get_language() == "de"
        return strange(words[0]) if german else str(words[0])

    def counted(one: str, many: str, number: int) -> str:
        return said(one if number == 1 else many)

    made = {
        "gettext": said,
        "ngettext": counted,
        "pgettext": lambda context, text: said(text),
        "npgettext": lambda context, *words: counted(*words),
    }
    for name, function in made.items():
        monkeypatch.setattr(translation._trans, name, function, raising=False)


@contextmanager
def undone() -> Iterator[None]:
    """Take everything back that is done inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def speak(language: str) -> None:
    """Let everybody speak a language."""
    User.objects.update(language=language)


def do(client: Client, name: str, *place: object, **fields: object) -> None:
    """Press a button or send a form; what is refused is a part of the day, too."""
    client.post(reverse(f"admin:{name}", args=place), fields)


# What people do


def a_day(team) -> None:
    """Drafts, questions, refusals, members, policies, limits, links and a sign-in that fails."""
    rita, otto = browser(team.rita, RITA), browser(team.otto, OTTO)
    ann, vic = browser(User.objects.get(name="Ann"), ANN), browser(team.vic, ANN)
    _a_run(rita, ann, vic)
    _settings(team, otto, ann)
    _links(rita)
    wrong = {"username": team.rita.email, "password": "wrong"}
    Client(REMOTE_ADDR=RITA).post("/admin/login/", wrong)


def _a_run(rita: Client, ann: Client, vic: Client) -> None:
    run = drafted(rita)
    for client, act, fields in (
        (rita, "start", WHY),  # needs an approver
        (vic, "stop", {}),  # may not
        (rita, "ask", WHY),
        (rita, "approve", {"digest": "x"}),  # their own
        (ann, "approve", {"digest": "x"}),  # not what is asked
        (ann, "refuse", {"why": "not today"}),
        (rita, "ask", WHY),
        (rita, "withdraw", {}),
        (rita, "discard", {}),
        (rita, "resume", {}),  # nothing goes on any more
    ):
        do(client, "instances_run_do", run.pk, act, **fields)


def _settings(team, otto: Client, ann: Client) -> None:
    place = team.acme.pk
    membership = Membership.objects.get(user=team.vic)
    do(ann, "teams_membership_change", membership.pk, is_owner="on")  # may not
    do(otto, "teams_membership_change", membership.pk, is_auditor="on")
    invited = {"organization": place, "email": "new@example.com", "roles": ["viewer"]}
    do(otto, "teams_invitation_add", **invited)
    looser = {"most_alone": "1000", "production_tags": "eu", "approval_hours": "4"}
    why = {"why": "We are many now"}
    for fields in (looser, looser | why, looser | why):
        do(otto, "teams_organization_policy_do", place, "change", **fields)
    for client in (otto, ann):
        do(client, "teams_organization_policy_do", place, "approve", digest="x")
    do(ann, "teams_organization_policy_do", place, "refuse", why="too many")
    limit = {"organization": place, "scope": "platform", "rate": "5"}
    do(otto, "providers_limit_add", **limit)
    on = {"organization": place, "provider_key": "outreach", "understood": "on"}
    do(otto, "providers_enabledprovider_add", **on)


def _links(rita: Client) -> None:
    run = drafted(rita, RunKind.RECONNECT)
    runs.work(run.pk, worker="test")
    link = ReconnectLink.objects.latest("pk")
    do(rita, "instances_reconnectlink_do", link.pk, "live", hours="4")
    paste = reverse("instances:paste", args=[link.uid])
    for fields in ({"act": "start"}, {"act": "paste", "pasted": "?error=x&state="}):
        rita.post(paste, fields)
    do(rita, "instances_reconnectlink_do", link.pk, "cancel")


def kept() -> list[str]:
    """Return what the audit holds, event by event, without what differs each day."""
    texts = Event.objects.order_by("id").values_list("text", flat=True)
    plain = (json.dumps(json.loads(text), ensure_ascii=False) for text in texts)
    return [FLEETING.sub("#", text) for text in plain]


def test_what_is_done_in_german_is_kept_in_the_same_words(fleet, team):
    fleet.synced("box", state="dead")
    Instance.objects.update(status="needs_reauth")
    Policy.objects.update(most_alone=0)
    make_user("Ann", team.acme, is_approver=True)
    days = {}

    for language in LANGUAGES:
        with undone():
            speak(language)
            a_day(team)
            days[language] = kept()
            links = ReconnectLink.objects.values_list("problem_text", flat=True)
            translated = foreign(" ".join([*days[language], *links]))
            assert verify() == []

    assert not translated
    assert days["de"] == days["en"]
    acts = {re.search(r'"action": "(\w+)"', text)[1] for text in days["de"]}
    assert acts >= {
        *("run_drafted", "run_denied", "access_denied", "approval_asked"),
        *("run_refused", "approval_withdrawn", "policy_asked", "policy_refused"),
        *("policy_denied", "member_changed", "member_invited", "limit_changed"),
        *("link_made", "link_changed", "link_opened", "sign_in_refused"),
        *("provider_enabled", "run_discarded"),
    }


# What leaves


@pytest.fixture
def told(team) -> Organization:
    """Events of somebody with an address, of somebody who was erased, and of the product."""
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    rita = actor_of(team.rita, team.acme, RITA)
    olga = actor_of(team.olga, team.acme, ANN)
    chain, now = team.acme.chain, timezone.now()
    with transaction.atomic():
        for actor in (rita, olga, SYSTEM):
            facts = {"problem": "its end was cut off", "remedy": watch.REMEDY}
            record(Action.RUN_STARTED, chain=chain, actor=actor, at=now, facts=facts)
    erase(team.olga.uid, at=now)
    return team.acme


def file_of(kind: str, language: str, team) -> bytes:
    """Return what the page gives somebody as a file; it is read where it is asked for."""
    vic = Client()
    assert vic.login(username=team.vic.email, password=PASSWORD)
    address = reverse("admin:audit_event_export", args=[kind])
    with translation.override(language):
        answer = vic.get(f"{address}?action__exact=run_started")
        return b"".join(answer.streaming_content)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_page_s_file_is_the_same_in_every_language(told, team, kind):
    files = {}
    for language in LANGUAGES:
        speak(language)
        files[language] = file_of(kind, language, team)

    assert files["de"] == files["en"]
    assert files["de"].count(b"run_started") >= 3
    assert b"Erased" in files["de"]
    assert watch.REMEDY.encode() in files["de"]


@pytest.mark.parametrize("kind", export.KINDS)
def test_a_signed_file_is_the_same_in_every_language(told, kind):
    now = timezone.now()
    order = export.Order(told.chain, told.name, SYSTEM)
    ends = export.announce([order], {"format": kind}, now)
    files = {}

    for language in LANGUAGES:
        with translation.override(language):
            file = io.BytesIO()
            written = export.write(file, ends, kind=kind, names=True)
            about = {"at": now, "kind": kind, "names": True}
            manifest = export.manifest_of(ends, [order], written, **about)
            files[language] = file.getvalue(), manifest.text()

    assert files["de"] == files["en"]


def test_commands_tell_and_verify_the_same_in_every_language(told, checkpoints):
    heard = {}
    for language in LANGUAGES:
        with translation.override(language):
            watch.sign_all(timezone.now())
            out = io.StringIO()
            call_command("verify_audit", "--checkpoints", checkpoints, stdout=out)
            heard[language] = out.getvalue()

    assert heard["de"] == heard["en"]
    assert "is whole" in heard["de"] or "checkpoints hold" in heard["de"]
    assert verify() == []


def test_what_was_not_signed_is_told_in_english(told, checkpoints):
    watch.sign_all(timezone.now())
    rewound(told.chain, 1)

    with translation.override("de"):
        watch.sign_all(timezone.now())

    refused = Event.objects.get(action=Action.CHECKPOINT_REFUSED)
    assert not foreign(str(json.loads(refused.text)))
    assert watch.REMEDY in refused.text


# What is shown


def test_pages_say_what_was_done_in_the_reader_s_language(told, team):
    vic = browser(team.vic, ANN)
    event = Event.objects.filter(action=Action.RUN_STARTED).latest("id")
    pages = reverse("admin:audit_event_changelist"), event_page(event)

    for language in LANGUAGES:
        speak(language)
        words = "A run was started."
        said = strange(words) if language == "de" else words
        for address in pages:
            assert said in vic.get(address).content.decode()
    page = vic.get(pages[1]).content.decode()
    assert strange(watch.REMEDY) in page
    assert "its end was cut off" in page


def event_page(event: Event) -> str:
    """Return the address of an event's page."""
    return reverse("admin:audit_event_change", args=[event.pk])
