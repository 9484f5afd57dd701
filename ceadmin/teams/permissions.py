"""Who may do what: one function decides, for every interface and every job."""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.audit.choices import ActorKind
from ceadmin.teams.choices import ROLES_FOR, SUPERUSER, Act, Role
from ceadmin.teams.models import Membership, Organization, SecondFactor, User
from ceadmin.teams.models.membership import role_flag


class NotAllowed(PermissionDenied):
    """Somebody may not do something in an organization."""

    #: Whether the audit keeps it already; else the page that answers sees to it.
    recorded = False

    def __init__(self, act: Act, organization: Organization | None) -> None:
        self.act = act
        self.organization = organization
        super().__init__(self._said())

    def _said(self) -> str:
        words = {"act": Act(self.act).label, "organization": self.organization}
        if self.organization:
            text = gettext("You are not allowed to %(act)s in %(organization)s.")
        else:
            text = gettext("You are not allowed to %(act)s.")
        return text % words

    @property
    def recorded_as(self) -> str:
        """Return its sentence as the audit keeps it: in English, whoever was refused."""
        with translation.override("en"):
            return self._said()


def may(user: User | AnonymousUser, act: Act, organization: Organization) -> bool:
    """Say whether a user may do something in an organization, as things stand now."""
    return organizations(user, act).filter(pk=organization.pk).exists()


def require(user: User | AnonymousUser, act: Act, organization: Organization) -> None:
    """Raise `NotAllowed` unless a user may do something in an organization."""
    if not may(user, act, organization):
        raise NotAllowed(act, organization)


def organizations(
    user: User | AnonymousUser, act: Act = Act.VIEW
) -> QuerySet[Organization]:
    """Return the organizations in which a user may do something."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Organization.objects.none()
    if user.is_superuser:
        return Organization.objects.filter(_factor_enough(user))
    # One call of filter(): user and role have to be of the same membership.
    return Organization.objects.filter(
        _held(Act(act)), _factor_enough(user), memberships__user=user
    )


def members_who_may(act: Act, organization: Organization) -> QuerySet[User]:
    """Return the members whose roles let them do something, by name.

    Superusers may, too: they look after the installation, and nobody is sent to them.
    """
    roles = Membership.objects.filter(_held(act, ""), organization=organization)
    people = User.objects.filter(pk__in=roles.values("user"), is_active=True)
    if Organization.objects.filter(
        pk=organization.pk, policy__second_factor=True
    ).exists():
        factors = SecondFactor.objects.filter(confirmed_at__isnull=False)
        people = people.filter(pk__in=factors.values("user"))
    return people.order_by("name", "email")


def closed_without_factor(user: User | AnonymousUser) -> QuerySet[Organization]:
    """Return the organizations in which a user may do nothing before they set up a second factor."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Organization.objects.none()
    closed = Organization.objects.filter(~_factor_enough(user))
    return closed if user.is_superuser else closed.filter(memberships__user=user)


def sees_everything(user: User | AnonymousUser) -> bool:
    """Say whether no organization is closed to a user: lists need no narrowing."""
    if isinstance(user, AnonymousUser) or not (user.is_active and user.is_superuser):
        return False
    return not closed_without_factor(user).exists()


def acts_anywhere(user: User | AnonymousUser) -> frozenset[Act]:
    """Return what a user may do in at least one organization."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return frozenset()
    if user.is_superuser:
        return frozenset(Act)
    memberships = Membership.objects.filter(
        user=user, organization__in=organizations(user)
    )
    return _acts(role for member in memberships for role in member.roles)


def roles_of(user: User, organization: Organization | None) -> frozenset[str]:
    """Return the roles in which a user acts, as the audit writes them."""
    held: set[str] = {SUPERUSER} if user.is_superuser else set()
    if organization:
        for member in Membership.objects.filter(user=user, organization=organization):
            held |= {role.value for role in member.roles}
    return frozenset(held)


def actor_of(user: User, organization: Organization | None, address: str = "") -> Actor:
    """Return a user as the actor of an audit event."""
    return Actor(
        uid=user.uid,
        kind=ActorKind.PERSON,
        name=user.name,
        user_id=user.pk,
        roles=roles_of(user, organization),
        address=address,
        mail=user.email,
    )


def background_actor() -> Actor:
    """Return who acts when nobody asked for it: the schedule."""
    return SCHEDULE


def _held(act: Act, membership: str = "memberships__") -> Q:
    """Return the question whether a membership, reached by a path, allows an act."""
    roles = ROLES_FOR[act]
    if Role.VIEWER in roles:
        return Q()
    flags = [f"{membership}{role_flag(role)}" for role in sorted(roles)]
    return Q(*((flag, True) for flag in flags), _connector=Q.OR)


def _factor_enough(user: User) -> Q:
    """Return the question whether an organization takes a user as they sign in.

    Where it wants a second factor of everybody, a membership without one counts for
    nothing, and so does a superuser's power.
    """
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False)
    return ~Q(policy__second_factor=True) | Q(Exists(factor))


def _acts(roles: Iterable[Role]) -> frozenset[Act]:
    held = frozenset(roles)
    return frozenset(act for act, enough in ROLES_FOR.items() if held & enough)
