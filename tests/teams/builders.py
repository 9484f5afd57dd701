"""One row of every registered model, in any organization, for the isolation walk.

A new ModelAdmin needs a builder here (or in a module that `test_isolation` imports):
`tests/teams/test_isolation.py` fails until there is one. It makes one saved row in the
given organization whose every visible text holds `mark`. Where the add page asks for
more than the row's own fields, `form` gives what to post.

    @builder("instances.Instance")
    def instance(organization, mark):
        return Instance.objects.create(organization=organization, name=mark, …)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.teams.models import Invitation, Membership, Organization, User
from instances.choices import InstanceStatus, RunKind
from instances.models import Instance, Item, ReconnectLink, Run, SavedView
from instances.models.instance import instance_uid
from providers import catalogue
from providers.models import (
    EnabledProvider,
    Limit,
    OwnProvider,
    OwnProviderVersion,
    ProviderApp,
)
from tests.providers.own_records import HOSTS
from tests.providers.own_records import text as record_text

AT = datetime(2026, 11, 23, tzinfo=UTC)

Build = Callable[[Organization, str], models.Model]
Form = Callable[[Organization], dict[str, Any]]


@dataclass(frozen=True)
class Builder:
    """How to make a row, and what to post to its add page."""

    build: Build
    form: Form | None = None


BUILDERS: dict[str, Builder] = {}


def builder(label: str, form: Form | None = None) -> Callable[[Build], Build]:
    """Register the function below as the builder of `app_label.Model`."""

    def register(build: Build) -> Build:
        BUILDERS[label] = Builder(build, form)
        return build

    return register


def member(organization: Organization, mark: str, **roles: bool) -> User:
    """Return a new user with a place in an organization."""
    user = User.objects.create_user(f"{mark}@example.com".lower(), name=mark)
    Membership.objects.create(organization=organization, user=user, **roles)
    return user


@builder("teams.Organization")
def organization_itself(organization: Organization, mark: str) -> Organization:
    return organization


@builder("teams.User")
def user(organization: Organization, mark: str) -> User:
    return member(organization, f"{mark}-user")


def membership_form(organization: Organization) -> dict[str, Any]:
    return {"organization": organization.pk, "email": "planted@example.com"}


@builder("teams.Membership", form=membership_form)
def membership(organization: Organization, mark: str) -> Membership:
    return member(organization, f"{mark}-member").memberships.get()


def invitation_form(organization: Organization) -> dict[str, Any]:
    return {"organization": organization.pk, "email": "planted@example.com"}


@builder("teams.Invitation", form=invitation_form)
def invitation(organization: Organization, mark: str) -> Invitation:
    return Invitation.objects.create(
        organization=organization,
        email=f"{mark}-invited@example.com".lower(),
        roles=["viewer"],
        token_hash=f"{mark}-hash",
        made_by_name=mark,
        made_at=AT,
        expires_at=AT,
    )


@builder("audit.Event")
def event(organization: Organization, mark: str) -> models.Model:
    with transaction.atomic():
        return record(
            Action.RUN_STARTED,
            chain=organization.chain,
            actor=SYSTEM,
            at=AT,
            subject=Subject("run", "", mark),
            reason=mark,
            ticket=mark,
            outcome=mark,
        )


def app_form(organization: Organization) -> dict[str, Any]:
    return {
        "organization": organization.pk,
        "name": "planted",
        "provider_key": "box",
        "element_key": "box",
        "client_id": "planted",
        "callback_mode": "ours",
        "site": "{}",
    }


@builder("providers.ProviderApp", form=app_form)
def provider_app(organization: Organization, mark: str) -> ProviderApp:
    return ProviderApp.objects.create(
        organization=organization,
        name=f"{mark}-app",
        provider_key="box",
        element_key="box",
        client_id=f"{mark}-client",
    )


def limit_form(organization: Organization) -> dict[str, Any]:
    return {
        "organization": organization.pk,
        "scope": "provider",
        "provider_key": "salesforce",
        "rate": "5",
    }


@builder("providers.Limit", form=limit_form)
def limit(organization: Organization, mark: str) -> Limit:
    app = provider_app(organization, f"{mark}-{Limit.objects.count()}")
    return Limit.objects.create(
        organization=organization, scope="app", provider_app=app, rate=7
    )


def enabled_form(organization: Organization) -> dict[str, Any]:
    return {
        "organization": organization.pk,
        "provider_key": "atlassian",
        "understood": "on",
    }


@builder("providers.EnabledProvider", form=enabled_form)
def enabled_provider(organization: Organization, mark: str) -> EnabledProvider:
    off = [record.key for record in catalogue.all() if record.needs_switch]
    off.remove("atlassian")  # the form's
    return EnabledProvider.objects.create(
        organization=organization,
        provider_key=off[EnabledProvider.objects.count() % len(off)],
        enabled_at=AT,
        enabled_by_name=mark,
    )


def own_form(organization: Organization) -> dict[str, Any]:
    return {
        "organization": organization.pk,
        "text": record_text(key="own_planted", element_keys=()),
        "vouched": HOSTS,
        "why": "planted",
    }


@builder("providers.OwnProvider", form=own_form)
def own_provider(organization: Organization, mark: str) -> OwnProvider:
    key = f"own_{mark.lower().replace('-', '_')}"
    number = OwnProvider.objects.filter(key__startswith=key).count()
    own = OwnProvider.objects.create(
        organization=organization,
        key=f"{key}{number or ''}",
        name=f"{mark} own",
        made_at=AT,
        changed_at=AT,
    )
    OwnProviderVersion(
        own=own,
        number=1,
        text=record_text(key=own.key, name=own.name, element_keys=()),
        hosts=HOSTS,
        why=mark,
        made_at=AT,
        made_by_name=mark,
    ).save()
    return own


@builder("instances.Instance")
def instance(organization: Organization, mark: str) -> Instance:
    remote_id = f"{mark}-{Instance.objects.count()}"
    return Instance.objects.create(
        uid=instance_uid(organization.uid, remote_id),
        remote_id=remote_id,
        name=mark,
        organization=organization,
        element_key="box",
        provider_key="box",
        account=mark,
        status=InstanceStatus.CONNECTED,
        status_since=AT,
        created_at=AT,
    )


@builder("instances.SavedView")
def saved_view(organization: Organization, mark: str) -> SavedView:
    number = SavedView.objects.count()
    return SavedView.objects.create(
        organization=organization,
        owner=member(organization, f"{mark}-keeper{number}"),
        name=f"{mark} {number}",
        query="status=connected",
        shared=True,
        created_at=AT,
    )


@builder("instances.Run")
def run(organization: Organization, mark: str) -> Run:
    return Run.objects.create(
        organization=organization,
        kind=RunKind.PROBE,
        reason=mark,
        ticket=mark,
        requested_by_name=mark,
        created_at=AT,
    )


@builder("instances.Item")
def item(organization: Organization, mark: str) -> Item:
    row = instance(organization, mark)
    return Item.objects.create(
        run=run(organization, mark),
        instance=row,
        number=1,
        instance_uid=row.uid,
        instance_name=mark,
        remote_id=row.remote_id,
        element_key="box",
    )


@builder("instances.ReconnectLink")
def reconnect_link(organization: Organization, mark: str) -> ReconnectLink:
    return ReconnectLink.objects.create(
        token_hash=f"{mark}-hash",
        instance=instance(organization, mark),
        made_by_name=mark,
        made_at=AT,
        expires_at=AT,
    )
