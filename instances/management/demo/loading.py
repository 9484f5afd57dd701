"""Load the demo's world on both sides; what is there already stays as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from ceadmin.audit.actors import SYSTEM
from ceadmin.teams.choices import Role
from ceadmin.teams.members import AlreadyMember, add_member
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand, add_user
from instances.actions.credentials import save_app, save_organization
from instances.actions.load import callback_address
from instances.management.demo import stand_in
from instances.management.demo.world import App, Seed, Somebody, Tenant, world
from instances.models import Instance
from providers.models import ProviderApp


def load(now: datetime) -> None:
    """Make people, organizations and apps here, and instances at the stand-in."""
    stand_in.tell("switches", {"keep_browser_here": True})
    people = [_user(somebody, now) for somebody in world().people]
    sue = next(user for user in people if user.is_superuser)
    for tenant in world().tenants:
        _load_tenant(tenant, sue, now)
    for somebody in world().people:
        _place(somebody, sue, now)


def password_of(mail: str) -> str:
    """Return the password that the demo gives a person: one of this world, not a known one."""
    return f"demo-{salted_hmac('demo people', mail).hexdigest()[:10]}"


def user_of(mail: str) -> User:
    """Return a person of the demo."""
    return User.objects.get(email=mail)


def _user(somebody: Somebody, now: datetime) -> User:
    known = User.objects.filter(email=somebody.mail).first()
    if known is not None:
        return known
    user = User(
        email=somebody.mail, name=somebody.name, is_superuser=somebody.superuser
    )
    user.set_password(password_of(somebody.mail))
    return add_user(user, Hand(SYSTEM, now))


def _place(somebody: Somebody, sue: User, now: datetime) -> None:
    for slug, roles in somebody.roles.items():
        organization = Organization.objects.get(slug=slug)
        hand = Hand(actor_of(sue, organization), now)
        wanted = [Role(role) for role in roles]
        try:
            add_member(organization, email=somebody.mail, roles=wanted, hand=hand)
        except AlreadyMember:
            continue


def _load_tenant(tenant: Tenant, sue: User, now: datetime) -> None:
    remote = stand_in.tell("organizations", {"id": tenant.number, "name": tenant.name})
    organization = _organization(tenant, remote, sue, now)
    for app in tenant.apps:
        callbacks = [tenant.callback_url, callback_address(app.provider, organization)]
        registered = stand_in.tell(
            "clients",
            {
                "provider": app.provider,
                "client_id": app.client_id,
                "redirect_uris": callbacks,
            },
        )
        _app(organization, tenant, app, registered["client_secret"], sue, now)
    stand_in.tell("instances", [_row(tenant, seed) for seed in tenant.seeds])


def _organization(
    tenant: Tenant, remote: dict[str, Any], sue: User, now: datetime
) -> Organization:
    known = Organization.objects.filter(slug=tenant.slug).first()
    if known is not None:
        return known
    made = Organization(name=tenant.name, slug=tenant.slug, base_url=tenant.base_url)
    secrets = {name: remote[name] for name in ("user_secret", "organization_secret")}
    save_organization(made, secrets, by=sue, hand=Hand(actor_of(sue, None), now))
    return made


def _app(
    organization: Organization,
    tenant: Tenant,
    app: App,
    secret: str,
    sue: User,
    now: datetime,
) -> None:
    if ProviderApp.objects.filter(organization=organization, name=app.name).exists():
        return
    made = ProviderApp(
        organization=organization,
        name=app.name,
        provider_key=app.provider,
        element_key=app.element,
        client_id=app.client_id,
        callback_mode=app.mode,
        callback_url=tenant.callback_url if app.mode == "theirs" else "",
    )
    save_app(made, secret, by=sue, hand=Hand(actor_of(sue, organization), now))


def _row(tenant: Tenant, seed: Seed) -> dict[str, Any]:
    return {
        "organization": tenant.number,
        "id": seed.number,
        "element": seed.app.element,
        "client_id": seed.app.client_id,
        "name": seed.name,
        "tags": list(seed.tags),
        "state": seed.state,
        "callback_url": tenant.callback_url,
    }


def is_mirrored(tenant: Tenant) -> bool:
    """Tell whether every instance was synced and probed before."""
    numbers = [str(seed.number) for seed in tenant.seeds]
    known = Instance.objects.filter(
        organization__slug=tenant.slug, remote_id__in=numbers, probed_at__isnull=False
    )
    return known.count() == len(numbers)


def revive_drills(tenant: Tenant) -> None:
    """Bring the drills' instances back to life where an earlier drill left them dead."""
    for seed in tenant.drills():
        truth = stand_in.ask(f"instances/{seed.number}")
        if truth["disabled"] or not truth["access_alive"]:
            stand_in.tell(f"instances/{seed.number}", {"state": "alive"}, "PATCH")


def greeting() -> list[str]:
    """Return where to go and who to be."""
    lines = [f"Open {settings.PUBLIC_URL}/admin/ and sign in as one of:"]
    for somebody in world().people:
        password = password_of(somebody.mail)
        lines.append(f"  {somebody.mail:<18} {password:<16} {somebody.does}")
    return lines
