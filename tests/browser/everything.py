"""A database in which every page has something to show, and the addresses of all its pages.

The addresses come from the URL resolver, so a page that is added is among them.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Role
from ceadmin.teams.models import Invitation, Membership, Organization, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from instances import reconnect, runs, selection
from instances.actions import own_records
from instances.actions.own_records import Draft
from instances.bringing import Problem
from instances.choices import RunKind
from instances.models import (
    BroughtList,
    Instance,
    Item,
    ReconnectLink,
    Run,
    SavedView,
)
from instances.views.public import FAILURES
from providers.models import EnabledProvider, Limit, OwnProvider, ProviderApp
from tests.instances.fleet import Fleet
from tests.people import Team
from tests.providers import own_records as own
from tests.teams.inviting import invited

#: Names of addresses that are no pages: they take a POST, send elsewhere or are data.
NO_PAGES = (
    *("logout", "jsi18n", "autocomplete", "view_on_site"),
    *("_act", "_do", "_test", "_sync", "_live", "_items", "_links", "_history", "_qr"),
    "_file",
    *("app_list", "switch", "healthz", "readyz", "audit_event_export"),
    *("instances_instance_export", "_columns", "_report"),
)
#: Records whose pages look different.
RECORDS = ("google", "atlassian", "spotify", "shopify", "generic_rfc7009")
MODELS = {
    "instances_instance": Instance,
    "instances_run": Run,
    "instances_item": Item,
    "instances_reconnectlink": ReconnectLink,
    "instances_savedview": SavedView,
    "providers_enabledprovider": EnabledProvider,
    "providers_limit": Limit,
    "providers_ownprovider": OwnProvider,
    "providers_providerapp": ProviderApp,
    "teams_organization": Organization,
    "teams_invitation": Invitation,
    "teams_membership": Membership,
    "teams_user": User,
    "audit_event": Event,
}

#: Pages of one row beside its own.
OF_ONE_ROW = {
    "auth_user_password_change": User,
    "providers_ownprovider_version": OwnProvider,
    "providers_ownprovider_write": OwnProvider,
    "teams_organization_brand": Organization,
    "teams_organization_policy": Organization,
}


def named(resolver: URLResolver, space: str = "") -> Iterator[str]:
    """Yield the name of every address."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{entry.namespace}:" if entry.namespace else space
            yield from named(entry, inner)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{space}{entry.name}"


def pages_of(name: str) -> Iterator[str]:
    """Yield the addresses of one name: once, or once for each row worth looking at."""
    plain = name.rpartition(":")[2]
    if name.startswith(("instances:", "teams:")) or plain.endswith(NO_PAGES):
        return
    model, _, kind = plain.rpartition("_")
    if kind in ("change", "delete") and model in MODELS:
        rows = telling_rows(MODELS[model])
        shown = rows if kind == "change" else rows[:1]
        yield from (reverse(name, args=[pk]) for pk in shown)
    elif plain in OF_ONE_ROW:
        yield reverse(name, args=[OF_ONE_ROW[plain].objects.earliest("pk").pk])
    elif plain == "audit_event_receipt":
        one = Event.objects.filter(action="revoke_answered").earliest("pk")
        yield reverse(name, args=[one.instance_uid, one.run_uid])
    elif plain == "audit_event_changelist":
        yield from (reverse(name), f"{reverse(name)}?q=nothing+such&at__gte=2026-01-01")
    elif plain == "provider":
        yield from (reverse(name, args=[key]) for key in RECORDS)
    elif plain == "instances_instance_brought":
        yield from (reverse(name, args=[one.uid]) for one in BroughtList.objects.all())
    else:
        yield reverse(name)


def older_versions() -> Iterator[str]:
    """Yield the pages of own records' first versions."""
    for row in OwnProvider.objects.all():
        page = reverse("admin:providers_ownprovider_version", args=[row.pk])
        yield f"{page}?number=1"


def telling_rows(model) -> list[int]:
    """Return one row of each kind that looks different."""
    fields = {
        Instance: ["status"],
        Run: ["kind", "status"],
        Item: ["run__kind", "outcome", "status"],
        ReconnectLink: ["status"],
        Event: ["actor_kind", "subject_type"],
        Invitation: ["status", "expires_at"],
    }
    rows = model.objects.order_by("pk")
    if model not in fields:
        return [rows.earliest("pk").pk]
    first: dict[tuple, int] = {}
    for *key, pk in rows.values_list(*fields[model], "pk"):
        first.setdefault(tuple(key), pk)
    return list(first.values())


def public_pages() -> Iterator[str]:
    """Yield what people without an account see: each link's page, and how it ended."""
    yield reverse("admin:login")
    yield "/nothing/here/"
    for pk in telling_rows(ReconnectLink):
        link = ReconnectLink.objects.get(pk=pk)
        if address := reconnect.address_of(link):  # an ended link has none
            yield urlsplit(address).path
        yield reverse("instances:paste", args=[link.uid])
    yield from INVITATIONS
    yield reverse("teams:kept_invitation")
    yield reverse("teams:joined")
    yield reverse("instances:done")
    for word in sorted(FAILURES):
        yield reverse("instances:failed", args=[word])


#: The addresses of the invitations that the world has: nothing keeps them but this.
INVITATIONS: list[str] = []


def every_page() -> list[str]:
    """Return every address there is with this database."""
    names = dict.fromkeys(named(get_resolver()))
    admin = [page for name in names for page in pages_of(name)]
    filtered = [
        reverse("admin:instances_instance_changelist") + "?status=connected",
        reverse("admin:instances_instance_changelist") + "?q=nothing+has+this+name",
        reverse("admin:instances_instance_changelist") + "?was=connected@2026-01-01",
        reverse("admin:instances_instance_changelist") + "?tag=eu&status=connected",
        reverse("admin:audit_event_changelist") + "?action__exact=run_started",
        "/admin/search/?q=box",
        reverse("admin:catalogue") + "?q=nothing+such&confidence=low",
        *older_versions(),
    ]
    return [*admin, *filtered, *public_pages()]


@pytest.fixture
def world(emulator, broker, site_url, team) -> Team:
    """Instances in every state, runs of every kind, links in every state, and Ada who sees all."""
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.seed("box", 6)
    fleet.seed("salesforce", 3)
    fleet.seed("adobe_sign", 3)
    fleet.seed("quickbooks", 2, state="dead")
    fleet.seed("box", 1, name="A very long name of an instance " * 4, state="disabled")
    fleet.sync()
    fleet.run(RunKind.PROBE)
    make_revocations(fleet)
    make_links(fleet)
    Limit.objects.create(
        organization=team.acme, scope="provider", provider_key="box", rate=5
    )
    EnabledProvider.objects.create(
        organization=team.acme,
        provider_key="atlassian",
        enabled_at=timezone.now(),
        enabled_by_name="Otto",
    )
    make_own_provider(team)
    Instance.objects.filter(name="box 5").update(status="degraded")
    Instance.objects.filter(name="box 4").update(status="missing")
    team.acme.secrets_problem = "organization_refused"
    team.acme.secrets_problem_at = timezone.now()
    team.acme.save()
    make_invitations(team)
    make_lists(team)
    team.otto.is_superuser = True
    team.otto.save()
    return team


def make_own_provider(team: Team) -> None:
    """Make an own provider with two versions."""
    hand = Hand(actor_of(team.otto, team.acme, ""), timezone.now())
    hosts = frozenset(own.HOSTS)
    first = Draft(own.text(), hosts, "our own server", "Otto")
    made = own_records.add(team.acme, first, hand=hand)
    second = Draft(own.text(hint=False), hosts, "it takes no hint", "Otto")
    own_records.change(made, second, seen=1, hand=hand)


def of(provider: str, status: str = "connected") -> list[int]:
    rows = Instance.objects.filter(provider_key=provider, status=status)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def make_revocations(fleet: Fleet) -> None:
    """Make runs that end well and badly, one that is paused, one drafted, one discarded."""
    refusal = {"status": 401, "body": '{"error":"invalid_client"}'}
    fleet.fault("status", "/oauth2/revoke", **refusal)
    fleet.fault("ignored_revoke", "/oauth2/revoke", times=2)
    fleet.run(RunKind.REVOKE, selection.of_instances(of("box")[:3]))
    fleet.run(RunKind.REVOKE, selection.of_instances(of("salesforce")[:1]))
    drill = fleet.run(
        RunKind.DRILL, selection.of_instances(of("adobe_sign")[:1]), self_consent=True
    )
    runs.consent(Item.objects.get(run=drill).pk, now=timezone.now())
    fleet.run(RunKind.DRILL, selection.of_instances(of("adobe_sign")[:1]))
    fleet.run(RunKind.DRILL, selection.of_instances(of("quickbooks", "needs_reauth")))
    fleet.draft(RunKind.REVOKE, selection.of_instances(of("salesforce")))
    gone = fleet.draft(RunKind.REVOKE)
    runs.discard(gone, user=fleet.user, now=timezone.now())
    held = fleet.draft(RunKind.PROBE)
    runs.pause(held, user=fleet.user, now=timezone.now())


def make_links(fleet: Fleet) -> None:
    """Make one link in each state."""
    fleet.run(RunKind.RECONNECT, selection.of_instances(of("box")))
    fleet.run(RunKind.RECONNECT, selection.of_filter({"provider": "quickbooks"}))
    states = ["denied", "failed", "expired", "cancelled", "wrong_account", "opened"]
    made = ReconnectLink.objects.filter(status="made").order_by("pk")
    for status, link in zip(states, made[1:], strict=False):
        told = {"problem": status, "problem_text": "What happened, in a sentence."}
        whose = {"expected_account": "229876543", "found_account": "990000001"}
        ReconnectLink.objects.filter(pk=link.pk).update(status=status, **told, **whose)


def make_lists(team: Team) -> None:
    """Keep a view and a list of every problem, as who is signed in did."""
    now = timezone.now()
    SavedView.objects.create(
        organization=team.acme,
        owner=team.otto,
        name="Dead at Box",
        query="provider=box&status=needs_reauth",
        shared=True,
        created_at=now,
    )
    problems = [[n, f"line {n}", one.value] for n, one in enumerate(Problem, 1)]
    found = list(Instance.objects.values_list("pk", flat=True))
    BroughtList.objects.create(
        user=team.otto, made_at=now, lines=20, found=found, problems=problems
    )


def make_invitations(team: Team) -> None:
    """Make one invitation in each state, and one for who is signed in."""
    names = ("open", "expired", "withdrawn", "accepted", "void")
    mails = [f"{name}@example.com" for name in names]
    paths = [invited(team.otto, team.acme, one, Role.REVOKER)[1] for one in mails]
    mine = invited(team.eve, team.other, "otto@example.com")[1]
    INVITATIONS[:] = [*paths, mine]
    row = Invitation.objects.filter
    row(email="expired@example.com").update(expires_at=timezone.now())
    row(email="withdrawn@example.com").update(status="withdrawn")
    row(email="accepted@example.com").update(status="accepted")
    row(email="void@example.com").update(made_by=team.vic)
