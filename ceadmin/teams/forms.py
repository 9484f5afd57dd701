"""Forms of users and members."""

import zoneinfo
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AdminUserCreationForm
from django.core.exceptions import ValidationError

from ceadmin.teams.choices import Role
from ceadmin.teams.members import is_last_owner
from ceadmin.teams.models import Membership, User
from ceadmin.teams.models.membership import role_flag

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
    _MembershipForm = forms.ModelForm[Membership]
    _UserCreationForm = AdminUserCreationForm[User]
else:
    _UserForm = _MembershipForm = forms.ModelForm
    _UserCreationForm = AdminUserCreationForm

ROLE_FLAGS = [role_flag(role) for role in Role if role is not Role.VIEWER]


class NewUserForm(_UserCreationForm):
    """A new user; without a password nobody can sign in as them yet."""

    class Meta:
        model = User
        fields = ("email", "name")


class UserForm(_UserForm):
    """A user, with the time zones and languages there are."""

    class Meta:
        model = User
        fields = (
            "email",
            "name",
            "time_zone",
            "language",
            "is_active",
            "is_staff",
            "is_superuser",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "time_zone" in self.fields:
            zones = [(zone, zone) for zone in sorted(zoneinfo.available_timezones())]
            self.fields["time_zone"].widget = forms.Select(choices=zones)
        if "language" in self.fields:
            self.fields["language"].widget = forms.Select(choices=settings.LANGUAGES)


class NewMembershipForm(_MembershipForm):
    """A new member, by mail address: whether that is known here already stays unsaid."""

    email = forms.EmailField(
        label="Mail address",
        max_length=User._meta.get_field("email").max_length,
        help_text="Somebody without an account gets one, without a password.",
    )

    class Meta:
        model = Membership
        fields = ("organization", "email", *ROLE_FLAGS)

    def clean(self) -> dict[str, Any]:
        """Refuse who is a member already."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        organization, email = cleaned.get("organization"), cleaned.get("email", "")
        if (
            organization
            and organization.memberships.filter(user__email=email.lower()).exists()
        ):
            self.add_error("email", f"{email} is a member of {organization} already.")
        return cleaned


class MembershipForm(_MembershipForm):
    """The roles of a member."""

    class Meta:
        model = Membership
        fields = ROLE_FLAGS

    def clean_is_owner(self) -> bool:
        """Leave the organization an owner."""
        is_owner: bool = self.cleaned_data["is_owner"]
        if not is_owner and is_last_owner(self.instance):
            raise ValidationError(
                f"{self.instance.organization} needs an owner: make somebody else one "
                "before.",
                code="last_owner",
            )
        return is_owner


def chosen_roles(form: forms.BaseForm) -> frozenset[Role]:
    """Return the roles ticked in a form."""
    return frozenset(
        role
        for role in Role
        if role is not Role.VIEWER and form.cleaned_data.get(role_flag(role))
    )
