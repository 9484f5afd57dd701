"""What owners do with organizations and provider apps: save them, set their secrets, test the connection.

Secrets go in and never come out: the audit says that one was changed, by whom and when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib import redact
from ceadmin.teams.models import Membership, Organization, User
from ceadmin.teams.users import Hand
from instances.actions import connection
from instances.actions.calls import drive
from instances.actions.causes import advice
from instances.actions.findings import Finding, Report
from instances.actions.load import app_of, callback_address, credentials_of
from instances.choices import InstanceStatus
from instances.cloud_elements import OAuthClient
from instances.models import Instance
from providers.book import book_of
from providers.choices import CallbackMode, Flow
from providers.models import ProviderApp

#: The secrets of an organization, by the name of their field.
ORGANIZATION_SECRETS = ("user_secret", "organization_secret")


def save_organization(
    organization: Organization,
    secrets: Mapping[str, str],
    *,
    by: User,
    hand: Hand,
    tried: Report | None = None,
) -> None:
    """Save an organization; blank `secrets` keep what is there. Whoever adds one becomes its owner.

    `tried`: what the platform said of the secrets before.
    """
    added = organization.pk is None
    fresh = {name: value for name, value in secrets.items() if value}
    with transaction.atomic():
        if fresh:
            _set_secrets(organization, fresh, by, hand.now, tried)
        organization.save()
        if added:
            _first_owner(organization, by)
        saved = _saved_organization(organization, hand.actor, added=added)
        changed = [
            Entry(
                Action.SECRET_CHANGED,
                hand.actor,
                saved.subject,
                facts=changed_facts(name, tried),
            )
            for name in fresh
        ]
        record_many(organization.chain, [saved, *changed], at=hand.now)
    redact.learn(*fresh.values())


def _set_secrets(
    organization: Organization,
    fresh: Mapping[str, str],
    by: User,
    now: datetime,
    tried: Report | None,
) -> None:
    for name, value in fresh.items():
        setattr(organization, name, value)
    organization.secrets_set_at, organization.secrets_set_by_name = now, str(by)
    problem = _problem(tried)
    organization.secrets_problem = problem
    organization.secrets_problem_at = now if problem else None


def _problem(tried: Report | None) -> str:
    return "" if tried is None or tried.ok else tried.code[:64]


def _first_owner(organization: Organization, by: User) -> None:
    Membership.objects.create(
        organization=organization,
        user=by,
        is_owner=True,
        is_operator=True,
        is_revoker=True,
        is_auditor=True,
    )


def _saved_organization(
    organization: Organization, actor: Actor, *, added: bool
) -> Entry:
    subject = Subject("organization", str(organization.uid), organization.name)
    done = Action.ORGANIZATION_ADDED if added else Action.ORGANIZATION_CHANGED
    facts = {
        "base_url": organization.base_url,
        "reauthenticate_by": organization.reauthenticate_by,
    }
    return Entry(done, actor, subject, facts=facts)


def changed_facts(name: str, tried: Report | None) -> dict[str, Any]:
    """Return what the audit keeps of a changed secret: which, and what its test said."""
    if tried is None:
        return {"secret": name}
    return {"secret": name, "finding": tried.code, "anyway": not tried.ok}


def save_app(
    app: ProviderApp,
    secret: str,
    *,
    by: User,
    hand: Hand,
    tried: Report | None = None,
) -> None:
    """Save a provider app; a blank `secret` keeps what is there."""
    added = app.pk is None
    with transaction.atomic():
        if secret:
            app.client_secret = secret
            app.secret_set_at, app.secret_set_by_name = hand.now, str(by)
            app.last_problem = _problem(tried)
        app.save()
        saved = _saved_app(app, hand.actor, added=added)
        entries = [saved]
        if secret:
            facts = changed_facts("client_secret", tried)
            action, subject = Action.SECRET_CHANGED, saved.subject
            entries.append(Entry(action, hand.actor, subject, facts=facts))
        record_many(app.organization.chain, entries, at=hand.now)
    redact.learn(secret)


def _saved_app(app: ProviderApp, actor: Actor, *, added: bool) -> Entry:
    subject = Subject("provider_app", str(app.uid), app.name)
    done = Action.PROVIDER_APP_ADDED if added else Action.PROVIDER_APP_CHANGED
    facts: dict[str, Any] = {
        "client_id": app.client_id,
        "callback_mode": app.callback_mode,
        "element_key": app.element_key,
        "site": redact.mapping(app.site),
    }
    if app.secret_expires_on:
        facts["secret_expires_on"] = app.secret_expires_on.isoformat()
    return Entry(done, actor, subject, provider_key=app.provider_key, facts=facts)


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
        credentials_of(organization), element_token=known_token(organization)
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


def known_token(organization: Organization) -> str:
    """Return the element token of an instance that worked, to tell the two secrets apart."""
    working = Instance.objects.of(organization).filter(status=InstanceStatus.CONNECTED)
    instance = working.order_by(F("probed_at").desc(nulls_last=True), "pk").first()
    return instance.element_token.reveal() if instance else ""


def problem_words(code: str) -> str:
    """Return what a problem with an organization's secrets means, and what to do."""
    if code in Finding.values:
        return str(Finding(code).label)
    return advice(code)


def try_app(app: ProviderApp, *, actor: Actor, now: datetime) -> Report:
    """Return what the platform makes of a provider app; raise SealError when a key is missing."""
    report = ask_about(app, app_of(app).client_secret)
    with transaction.atomic():
        ProviderApp.objects.filter(pk=app.pk).update(
            last_problem="" if report.ok else report.code[:64]
        )
        subject = Subject("provider_app", str(app.uid), app.name)
        _record_test(app.organization, subject, report, actor, now)
    return report


def ask_about(app: ProviderApp, secret: str) -> Report:
    """Return what the platform makes of a provider app with this secret; raise SealError."""
    ours = app.callback_mode == CallbackMode.OURS
    callback = (
        callback_address(app.provider_key, app.organization)
        if ours
        else app.callback_url
    )
    client = OAuthClient(app.client_id, secret, callback, app.scope)
    provider = book_of(app.organization).find(app.provider_key)
    oauth1 = provider is not None and provider.flow == Flow.OAUTH1
    return drive(
        connection.provider_app(
            credentials_of(app.organization), app.element_key, client, oauth1=oauth1
        )
    )


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
