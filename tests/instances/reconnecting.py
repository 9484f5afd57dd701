"""An instance that waits for a person, here and at the emulator, and the person's browser."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client
from django.utils import timezone

from ceadmin.lib import http
from ceadmin.teams.models import Organization
from instances import reconnect
from instances.actions.load import callback_address
from instances.choices import ItemStatus, RunKind, RunStatus
from instances.models import Instance, Item, ReconnectLink, Run
from instances.models.instance import instance_uid
from providers.models import ProviderApp
from tests.people import ORGANIZATION_SECRET, PASSWORD, USER_SECRET

#: Provider key → element key.
ELEMENTS = {
    "box": "box",
    "salesforce": "sfdc",
    "adobe_sign": "adobe-esign",
    "quickbooks": "quickbooks",
}
THEIR_CALLBACK = "https://app.customer.example/oauth/callback"
CLIENT_SECRET = "client-secret-canary-8Hq2"
ACCOUNT = "229876543"


@dataclass
class Waiting:
    """One instance whose grant is dead, its waiting item and its link."""

    emulator: object
    link: ReconnectLink
    remote_id: int
    provider: str

    @property
    def path(self) -> str:
        """The path of the link's page."""
        return urlsplit(reconnect.address_of(self.link)).path

    def fresh(self) -> ReconnectLink:
        """Return the link as it is now."""
        return ReconnectLink.objects.detailed().get(pk=self.link.pk)

    def truth(self) -> dict:
        """Return how the instance stands at the emulator."""
        return self.emulator.control(f"instances/{self.remote_id}")

    def heard(self, method: str, path: str) -> list[dict]:
        """Return what the emulator received of one kind of call."""
        return [
            row
            for row in self.emulator.log()
            if row["method"] == method and row["path"].endswith(path)
        ]

    def fault(self, kind: str, path: str, **rule) -> None:
        """Spoil an answer of the emulator."""
        self.emulator.control(
            "faults", {"kind": kind, "match": {"path": path}, "times": 1} | rule
        )


def waiting(
    emulator,
    organization: Organization,
    *,
    provider: str = "box",
    mode: str = "ours",
    state: str = "dead",
    kind: str = RunKind.RECONNECT,
    user=None,
    **options,
) -> Waiting:
    """Make everything that a person with a link needs, on both sides."""
    app = make_app(emulator, organization, provider, mode)
    remote = seed(emulator, organization, app, state)
    instance = mirror(organization, app, remote)
    run = Run.objects.create(
        organization=organization,
        requested_by=user,
        kind=kind,
        status=RunStatus.RUNNING,
        reason="a test",
        options=options,
        total=1,
        created_at=timezone.now(),
    )
    link = reconnect.make_link(
        instance, item=make_item(run, instance), user=user, now=timezone.now()
    )
    return Waiting(emulator, link, remote["id"], provider)


def make_app(emulator, organization, provider, mode):
    """Register an app with the provider and here."""
    theirs = mode == "theirs"
    emulator.control(
        "clients",
        {
            "provider": provider,
            "client_id": f"{provider}-client",
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [THEIR_CALLBACK, callback_address(provider, organization)],
        },
    )
    app = ProviderApp(
        name=f"Acme {provider}",
        organization=organization,
        provider_key=provider,
        element_key=ELEMENTS[provider],
        client_id=f"{provider}-client",
        callback_mode=mode,
        callback_url=THEIR_CALLBACK if theirs else "",
    )
    app.client_secret = CLIENT_SECRET
    app.save()
    return app


def seed(emulator, organization, app, state):
    """Make the instance at the platform."""
    made = emulator.control(
        "organizations",
        {
            "id": 1,
            "user_secret": USER_SECRET,
            "organization_secret": ORGANIZATION_SECRET,
        },
    )
    row = {
        "organization": made["id"],
        "element": app.element_key,
        "client_id": app.client_id,
        "account": "" if app.provider_key == "quickbooks" else ACCOUNT,
        "name": f"Acme’s {app.provider_key}",
        "callback_url": THEIR_CALLBACK,
        "state": state,
    }
    return emulator.control("instances", row)["instances"][0]


def mirror(organization, app, remote, status="needs_reauth"):
    """Make the instance here."""
    remote_id = str(remote["id"])
    instance = Instance(
        uid=instance_uid(organization.uid, remote_id),
        remote_id=remote_id,
        name=remote["name"],
        organization=organization,
        provider_app=app,
        element_key=app.element_key,
        provider_key=app.provider_key,
        callback_url=THEIR_CALLBACK,
        status=status,
        status_since=timezone.now(),
        created_at=timezone.now(),
    )
    instance.element_token = remote["token"]
    instance.save()
    return instance


def make_item(run, instance, number=1):
    """Make the item that waits for a person."""
    return Item.objects.create(
        run=run,
        instance=instance,
        number=number,
        instance_uid=instance.uid,
        instance_name=instance.name,
        remote_id=instance.remote_id,
        element_key=instance.element_key,
        provider_key=instance.provider_key,
        status=ItemStatus.WAITING,
        tries=1,
    )


class Browser:
    """A person's browser: our pages through Django's client, the provider's over HTTP."""

    def __init__(self) -> None:
        self.client = Client()

    def open(self, waiting: Waiting):
        """Open the link."""
        return self.client.get(waiting.path)

    def start(self, waiting: Waiting) -> str:
        """Press the button; return the provider's address on the page."""
        answer = self.client.post(waiting.path)
        assert answer.status_code == 200, answer.content
        return answer.context["url"]

    def decide(self, address: str, **form: str) -> str:
        """Answer the consent page; return where the provider sends the browser."""
        fields = {"decision": "allow"} | form
        real = real_address(address)
        answer = http.send(http.Request.form("POST", real, list(fields.items())))
        assert answer.status == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str):
        """Follow the provider's redirect to our callback."""
        parts = urlsplit(address)
        return self.client.get(f"{parts.path}?{parts.query}")

    def consent(self, waiting: Waiting, **form: str) -> str:
        """Start and answer the consent page; return where the provider sends the browser."""
        form = {"instance": str(waiting.remote_id)} | form
        return self.decide(self.start(waiting), **form)

    def reconnect(self, waiting: Waiting, **form: str):
        """Do the whole thing; return the page that the person ends on."""
        return self.land(self.come_back(self.consent(waiting, **form)))

    def land(self, answer):
        """Follow our own redirect to its page."""
        assert answer.status_code == 303, answer.content
        return self.client.get(answer["Location"])


def real_address(address: str) -> str:
    """Return the provider's own address of one that was rewritten for the emulator."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return address
    host, _, path = parts.path.lstrip("/").partition("/")
    return f"https://{host}/{path}?{parts.query}"


def query_of(address: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {
        name: values[0] for name, values in parse_qs(urlsplit(address).query).items()
    }


def callback_path(provider: str, **query: str) -> str:
    """Return a callback's path with a query."""
    return f"/oauth/callback/{provider}/?{urlencode(query)}"


def signed_in(user) -> Browser:
    """Return the browser of a member."""
    browser = Browser()
    assert browser.client.login(username=user.email, password=PASSWORD)
    return browser
