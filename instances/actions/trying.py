"""Try secrets before they are kept: with what was typed, and what is there for the rest."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Entry, Subject, record_many
from ceadmin.lib import redact
from ceadmin.lib.sayings import spoken
from ceadmin.lib.sealed import SealError
from ceadmin.teams.models import Organization
from ceadmin.teams.users import Hand
from instances.actions import connection
from instances.actions.calls import drive
from instances.actions.credentials import (
    ORGANIZATION_SECRETS,
    ask_about,
    changed_facts,
    known_token,
)
from instances.actions.findings import Report
from instances.cloud_elements import Credentials
from providers.models import ProviderApp


def try_organization(
    organization: Organization, typed: Mapping[str, str], *, hand: Hand, anyway: bool
) -> Report:
    """Return what the platform says of an organization with what was typed for it.

    A refusal is recorded, unless the secrets are kept `anyway`: then the change is.
    """
    redact.learn(*typed.values())
    try:
        user, own = (_secret(organization, name, typed) for name in _NAMES)
        credentials = Credentials(organization.base_url, user, own)
        token = known_token(organization) if organization.pk else ""
        report = drive(connection.organization(credentials, element_token=token))
    except SealError as error:
        report = _sealed(error)
    if not report.ok and not anyway:
        subject = Subject("organization", str(organization.uid), organization.name)
        _record(organization if organization.pk else None, subject, typed, report, hand)
    return report


def try_app(app: ProviderApp, secret: str, *, hand: Hand, anyway: bool) -> Report:
    """Return what the platform makes of a provider app with the secret that was typed."""
    redact.learn(secret)
    try:
        report = ask_about(app, secret)
    except SealError as error:
        report = _sealed(error)
    if not report.ok and not anyway:
        subject = Subject("provider_app", str(app.uid), app.name)
        _record(app.organization, subject, {"client_secret": secret}, report, hand)
    return report


_NAMES = ORGANIZATION_SECRETS


def _secret(organization: Organization, name: str, typed: Mapping[str, str]) -> str:
    kept: str = getattr(organization, name).reveal() if name not in typed else ""
    return typed.get(name) or kept


def _sealed(error: SealError) -> Report:
    return Report(ok=False, code="key_missing", sentence=spoken(str(error)))


def _record(
    organization: Organization | None,
    subject: Subject,
    typed: Mapping[str, str],
    report: Report,
    hand: Hand,
) -> None:
    """Record that typed secrets were refused; an organization that is none yet has no chain."""
    chain = organization.chain if organization else SYSTEM_CHAIN
    entries = [
        Entry(
            Action.SECRET_KEPT,
            hand.actor,
            subject,
            outcome=report.code[:32],
            facts={**changed_facts(name, report), "anyway": False},
        )
        for name in typed
    ]
    with transaction.atomic():
        record_many(chain, entries, at=hand.now)
