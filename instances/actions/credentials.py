"""What owners do with organizations and provider apps: save them, set their secrets, test the connection.

Secrets go in and never come out: the audit says that one was changed, by whom and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib import redact
from ceadmin.teams.models import Membership, Organization, User
from instances.actions import connection
from instances.actions.calls import drive
from instances.actions.findings import Report
from instances.actions.load import app_of, callback_address, credentials_of
from instances.choices import InstanceStatus
from instances.cloud_elements import OAuthClient
from instances.models import Instance
from providers import catalogue
from providers.choices import CallbackMode, Flow
from providers.models import ProviderApp

#: The secrets of an organization, by the name of their field.
ORGANIZATION_SECRETS = ("user_secret", "organization_secret")


def save_organization(
    organization: Organization,
    secrets: Mapping[str, str],
    *,
    by: User,
    actor: Actor,
    now: datetime,
) -> None:
    """Save an organization; blank `secrets` keep what is there. Whoever adds one becomes its owner."""
    added = organization.pk is None
    fresh = {name: value for name, value in secrets.items() if value}
    with transaction.atomic():
        for name, value in fresh.items():
            setattr(organization, name, value)
        if fresh:
            organization.secrets_set_at, organization.secrets_set_by_name = now, str(by)
            organization.secrets_problem, organization.secrets_problem_at = "", None
        organization.save()
        if added:
            Membership.objects.create(
                organization=organization,
                user=by,
                is_owner=True,
                is_operator=True,
                is_revoker=True,
                is_auditor=True,
            )
        subject = Subject("organization", str(organization.uid), organization.name)
        done = Action.ORGANIZATION_ADDED if added else Action.ORGANIZATION_CHANGED
        facts = {
            "base_url": organization.base_url,
            "reauthenticate_by": organization.reauthenticate_by,
        }
        entries = [Entry(done, actor, subject, facts=facts)]
        entries += [
            Entry(Action.SECRET_CHANGED, actor, subject, facts={"secret": name})
            for name in fresh
        ]
        record_many(organization.chain, entries, at=now)
    redact.learn(*fresh.values())


def save_app(
    app: ProviderApp, secret: str, *, by: User, actor: Actor, now: datetime
) -> None:
    """Save a provider app; a blank `secret` keeps what is there."""
    added = app.pk is None
    with transaction.atomic():
        if secret:
            app.client_secret = secret
            app.secret_set_at, app.secret_set_by_name, app.last_problem = (
                now,
                str(by),
                "",
            )
        app.save()
        subject = Subject("provider_app", str(app.uid), app.name)
        done = Action.PROVIDER_APP_ADDED if added else Action.PROVIDER_APP_CHANGED
        facts = {
            "client_id": app.client_id,
            "callback_mode": app.callback_mode,
            "element_key": app.element_key,
        }
        entries = [
            Entry(done, actor, subject, provider_key=app.provider_key, facts=facts)
        ]
        if secret:
            entries.append(
                Entry(
                    Action.SECRET_CHANGED,
                    actor,
                    subject,
                    facts={"secret": "client_secret"},
                )
            )
        record_many(app.organization.chain, entries, at=now)
    redact.learn(secret)


def remove_app(app: ProviderApp, *, actor: Actor, now: datetime) -> None:
    """Remove a provider app; its instances stay, without one."""
    with transaction.atomic():
        subject = Subject("provider_app", str(app.uid), app.name)
        organization = app.organization
        app.delete()
        entry = Entry(
            Action.PROVIDER_APP_REMOVED, actor, subject, provider_key=app.provider_key
        )
        record_many(organization.chain, [entry], at=now)


def try_organization(
    organization: Organization, *, actor: Actor, now: datetime
) -> Report:
    """Return what the platform tells of an organization's secrets; raise SealError when a key is missing."""
    flow = connection.organization(
        credentials_of(organization), element_token=_known_token(organization)
    )
    report = drive(flow)
    problem = "" if report.ok else report.code
    with transaction.atomic():
        Organization.objects.filter(pk=organization.pk).update(
            secrets_problem=problem[:64], secrets_problem_at=now if problem else None
        )
        subject = Subject("organization", str(organization.uid), organization.name)
        _record_test(organization, subject, report, actor, now)
    return report


def _known_token(organization: Organization) -> str:
    """Return the element token of an instance that worked, to tell the two secrets apart."""
    working = Instance.objects.of(organization).filter(status=InstanceStatus.CONNECTED)
    instance = working.order_by("-probed_at", "pk").first()
    return instance.element_token.reveal() if instance else ""


def try_app(app: ProviderApp, *, actor: Actor, now: datetime) -> Report:
    """Return what the platform makes of a provider app; raise SealError when a key is missing."""
    case = app_of(app)
    ours = app.callback_mode == CallbackMode.OURS
    callback = callback_address(app.provider_key) if ours else app.callback_url
    client = OAuthClient(case.client_id, case.client_secret, callback, case.scope)
    provider = catalogue.find(app.provider_key)
    oauth1 = provider is not None and provider.flow == Flow.OAUTH1
    flow = connection.provider_app(
        credentials_of(app.organization), app.element_key, client, oauth1=oauth1
    )
    report = drive(flow)
    with transaction.atomic():
        ProviderApp.objects.filter(pk=app.pk).update(
            last_problem="" if report.ok else report.code[:64]
        )
        subject = Subject("provider_app", str(app.uid), app.name)
        _record_test(app.organization, subject, report, actor, now)
    return report


def _record_test(
    organization: Organization,
    subject: Subject,
    report: Report,
    actor: Actor,
    now: datetime,
) -> None:
    facts: dict[str, Any] = {"ok": report.ok, "finding": report.code}
    entry = Entry(
        Action.CONNECTION_TESTED, actor, subject, outcome=report.code[:32], facts=facts
    )
    record_many(organization.chain, [entry], at=now)
