"""A full life with planted secrets: afterwards none of them stands anywhere."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from ceadmin.lib import broker, redact
from ceadmin.lib.http import Request
from ceadmin.teams.models import User
from instances import reconnect, runs, selection
from instances.actions.load import credentials_of, load_case
from instances.choices import ItemStatus, RunKind, RunStatus
from instances.cloud_elements import oauth_url
from instances.models import Instance, InstanceTag, Item, ReconnectLink, Run
from providers.models import ProviderApp
from tests.instances.reconnecting import THEIR_CALLBACK, Browser, callback_address
from tests.people import make_organization, make_user
from tests.secrets.canaries import (
    broker_data,
    canary,
    database,
    dumpdata,
    echoes,
    found,
    spellings,
)
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ELEMENTS = {"box": "box", "salesforce": "sfdc", "quickbooks": "quickbooks"}
MARK = "Marked-Instance-Name-5521"


@dataclass
class Life:
    """An organization full of canaries, here and at the emulator."""

    emulator: object
    secrets: dict[str, str] = field(default_factory=dict)
    user: User | None = None
    organization: object = None

    def plant(self, name: str, value: str | None = None) -> str:
        """Return a secret that is looked for in the end."""
        return self.secrets.setdefault(name, value or canary(name))

    def begin(self) -> None:
        """Make organization, people, apps and instances."""
        self.organization = make_organization("Canary Islands")
        self.organization.user_secret = self.plant("user-secret")
        self.organization.organization_secret = self.plant("organization-secret")
        self.organization.save()
        self.user = make_user(
            "Rosa", self.organization, is_operator=True, is_revoker=True, is_owner=True
        )
        self.emulator.control(
            "organizations",
            {
                "id": 1,
                "user_secret": self.secrets["user-secret"],
                "organization_secret": self.secrets["organization-secret"],
            },
        )
        for provider in ELEMENTS:
            self.register(provider)

    def register(self, provider: str) -> None:
        """Make an app and one instance of it, both full of canaries."""
        secret = self.plant(f"{provider}-client-secret")
        client = {
            "provider": provider,
            "client_id": f"{provider}-id",
            "client_secret": secret,
            "redirect_uris": [
                callback_address(provider, self.organization),
                THEIR_CALLBACK,
            ],
        }
        self.emulator.control("clients", client)
        app = ProviderApp(
            name=provider,
            organization=self.organization,
            provider_key=provider,
            element_key=ELEMENTS[provider],
            client_id=f"{provider}-id",
        )
        app.client_secret = secret
        app.save()
        self.emulator.control(
            "instances",
            {
                "organization": 1,
                "element": ELEMENTS[provider],
                "client_id": app.client_id,
                "name": f"{MARK} {provider}",
                "callback_url": THEIR_CALLBACK,
                "token": self.plant(f"{provider}-element-token"),
                "access_token": self.plant(f"{provider}-access-token"),
                "refresh_token": self.plant(f"{provider}-refresh-token"),
            },
        )

    def echo(
        self, path: str, status: int, *names: str, times: int = 1, provider: str = ""
    ) -> None:
        """Let an error answer say the secrets back, in several spellings.

        A provider can only say back what it was told: of its own app, of its own grants.
        """
        said = " ".join(one for name in names for one in echoes(self.secrets[name]))
        body = {
            "message": "Request failed",
            "providerMessage": said,
            "error": "invalid_request",
            "error_description": said,
        }
        rule = {"kind": "status", "status": status, "body": body, "times": times}
        match = {"path": path} | ({"provider": provider} if provider else {})
        self.emulator.control("faults", rule | {"match": match})

    def run(self, kind: str, provider: str = "", **options) -> Run:
        """Let the worker do a run to its end, or until it waits for a person."""
        chosen = selection.of_filter({"provider": [provider]} if provider else {})
        run = runs.create(
            kind,
            self.organization,
            chosen,
            user=self.user,
            now=timezone.now(),
            options=options,
        )
        if run.status == RunStatus.DRAFT:
            wait_until(lambda: planned(run), 30, "a planned run")
            runs.start(run, user=self.user, now=timezone.now(), reason="a test")
        wait_until(lambda: settled(run), 60, f"the end of {run}")
        return run

    def reconnect(self, provider: str) -> None:
        """Let a person come for a waiting link, and keep what they see secret."""
        link = ReconnectLink.objects.detailed().get(
            instance__provider_key=provider, status="made"
        )
        address = reconnect.address_of(link)
        self.plant(f"{provider}-link-token", urlsplit(address).path.split("/")[2])
        browser = Browser()
        page = browser.client.post(urlsplit(address).path)
        url = page.context["url"]
        self.plant(f"{provider}-state", parse_qs(urlsplit(url).query)["state"][0])
        back = browser.decide(url, instance=link.instance.remote_id)
        self.plant(f"{provider}-code", parse_qs(urlsplit(back).query)["code"][0])
        browser.come_back(back)
        held = self.emulator.control("instances", {"id": int(link.instance.remote_id)})
        for name in ("access_token", "refresh_token"):
            self.plant(f"{provider}-new-{name}", held["instances"][0][name])


def planned(run: Run) -> bool:
    run.refresh_from_db()
    return run.planned_at is not None


def settled(run: Run) -> bool:
    """Tell whether nothing more happens by itself."""
    run.refresh_from_db()
    busy = (ItemStatus.QUEUED, ItemStatus.RUNNING)
    waits = run.items.filter(status=ItemStatus.WAITING, links__isnull=False)
    quiet = not run.items.filter(status__in=busy).exists() and waits.exists()
    return run.is_terminal or quiet


def pages(client) -> dict[str, bytes]:
    """Return every admin page of every object that the life has made."""
    seen = {}
    for model in apps.get_models():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        try:
            listing = reverse(f"{name}_changelist")
        except NoReverseMatch:
            continue
        seen[listing] = client.get(listing).content
        for row in model._default_manager.order_by("-pk")[:12]:
            for view in ("change", "history"):
                address = reverse(f"{name}_{view}", args=[row.pk])
                answer = client.get(address)
                seen[address] = answer.content
    seen["index"] = client.get(reverse("admin:index")).content
    return seen


def worker_log(crew) -> dict[str, bytes]:
    return {"worker.log": Path(crew.logs / "worker.log").read_bytes()}


def reprs(life: Life) -> dict[str, bytes]:
    """Return how the things that carry secrets show themselves."""
    instance = Instance.objects.first()
    run = Run.objects.last()
    credentials = credentials_of(life.organization)
    case = load_case(Item(pk=1, instance=instance), run)
    request = oauth_url(credentials, "box", case.oauth_client, state="x" * 20)
    shown = [
        case,
        case.app,
        case.oauth_client,
        credentials,
        request,
        Request.get(f"https://x/?t={life.secrets['user-secret']}"),
        life.organization.user_secret,
        instance.element_token,
        ReconnectLink.objects.first().token,
        *(str(one) for one in ReconnectLink.objects.all()),
    ]
    return {"reprs": "\n".join(repr(one) for one in shown).encode()}


@pytest.fixture
def life(worker, emulator, caplog):
    """A life that was lived: synced, probed, revoked, drilled, reconnected, and told off."""
    caplog.set_level(logging.DEBUG)
    it = Life(emulator)
    it.begin()
    it.run(RunKind.SYNC)
    own = ("user-secret", "organization-secret")
    it.echo("/ping", 401, "box-access-token", *own)
    it.echo("/ping", 500, "salesforce-element-token", *own)
    it.run(RunKind.PROBE)
    box = ("box-refresh-token", "box-client-secret")
    it.echo("*revoke", 400, *box, provider="box")
    it.echo("/instances", 400, "quickbooks-element-token", *own, times=2)
    it.run(RunKind.REVOKE)
    salesforce = ("salesforce-refresh-token", "salesforce-access-token")
    it.echo("*revoke", 403, *salesforce, provider="salesforce")
    it.run(RunKind.REVOKE, "salesforce", form="article")
    it.run(RunKind.RECONNECT)
    for provider in ELEMENTS:
        it.reconnect(provider)
    it.run(RunKind.DRILL, "box", self_consent=True)
    it.echo("/instances", 401, *own, times=0)
    it.run(RunKind.SYNC)
    return it


def test_no_secret_of_a_full_life_stands_anywhere(life, client, crew, caplog):
    life.user.is_superuser = True
    life.user.save()
    client.force_login(life.user)
    html = pages(client)
    places = {
        **database(),
        **dumpdata(),
        **broker_data(settings.STATE_DIR / "broker"),
        **worker_log(crew),
        **html,
        **reprs(life),
        "log": caplog.text.encode(),
    }

    assert len(life.secrets) > 20
    assert all(one["hits"] for one in life.emulator.control("faults")["faults"])
    leaks = found(life.secrets, places)
    assert leaks == []
    assert Item.objects.filter(outcome="reconnected").count() >= 3
    # The control: what does stand there is found by the same search.
    marked = found({"mark": MARK}, {**database(), **dumpdata(), **html})
    assert {"mark (raw) in dumpdata"} < set(marked)
    assert len(marked) > 8


@pytest.mark.parametrize("name", ["user-secret", "box-access-token"])
def test_a_planted_secret_is_found_however_it_is_written(
    worker, emulator, client, name
):
    secret = canary(f"control-{name}")
    organization = make_organization("Control")
    user = make_user("Rosa", organization, is_owner=True)
    client.force_login(user)
    instance = Instance.objects.create(
        uid="8b6f0f0e-58a9-4d0c-9f6f-0d9f6c1c2e11",
        remote_id="1",
        name=secret,
        organization=organization,
        element_key="box",
        status_since=timezone.now(),
        created_at=timezone.now(),
    )
    for number, one in enumerate(spellings(secret).values()):
        word = one.decode("latin-1").replace("\x00", "")[:128]
        InstanceTag.objects.create(instance=instance, name=f"{word}{number}"[:128])
    broker.client().set("planted", secret, ex=60)

    stored = found({name: secret}, database())
    dumped = found({name: secret}, dumpdata())
    kept = found({name: secret}, broker_data(settings.STATE_DIR / "broker"))
    shown = found({name: secret}, pages_of(client, instance))

    assert all(any(f"({how})" in one for one in stored) for how in ("raw", "hex"))
    assert any("(base64_0)" in one for one in stored)
    assert any("(percent)" in one for one in stored)
    assert dumped and kept and shown


def pages_of(client, instance) -> dict[str, bytes]:
    address = reverse("admin:instances_instance_change", args=[instance.pk])
    return {address: client.get(address).content}


def test_a_token_that_nobody_here_has_seen_is_masked_in_a_remote_text():
    said = "token T9s8pLkQwErTyUiOpAsD is bad, see https://developer.example.com/errors"

    told = redact.excerpt(said)

    assert told == said.replace("T9s8pLkQwErTyUiOpAsD", redact.MASK)
