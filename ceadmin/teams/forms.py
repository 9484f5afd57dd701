"""Forms of users and members."""

import zoneinfo
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    SetUnusablePasswordMixin,
)
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ceadmin.teams.choices import Role
from ceadmin.teams.invitations import why_not
from ceadmin.teams.members import (
    Unproved,
    is_last_owner,
    is_member,
    last_owned,
    needs_owner,
    require_proved,
)
from ceadmin.teams.models import Invitation, Membership, User
from ceadmin.teams.models.membership import role_flag

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
    _MembershipForm = forms.ModelForm[Membership]
    _InvitationForm = forms.ModelForm[Invitation]
    _UserCreationForm = AdminUserCreationForm[User]
    _PasswordForm = AdminPasswordChangeForm[User]
else:
    _UserForm = _MembershipForm = _InvitationForm = forms.ModelForm
    _UserCreationForm = AdminUserCreationForm
    _PasswordForm = AdminPasswordChangeForm

#: What forms of passwords say in Django's own words: its German lacks these.
LACKING = (
    gettext_noop("Password-based authentication"),
    gettext_noop("Enabled"),
    gettext_noop("Disabled"),
    gettext_noop(
        "Whether the user will be able to authenticate using a password or not. "
        "If disabled, they may still be able to authenticate using other backends, "
        "such as Single Sign-On or LDAP."
    ),
    gettext_noop("Password-based authentication was disabled."),
    gettext_noop("Conflicting form data submitted. Please try again."),
    gettext_noop("Set password: %s"),
)

ROLE_FLAGS = [role_flag(role) for role in Role if role is not Role.VIEWER]


class NewUserForm(_UserCreationForm):
    """A new user; without a password nobody can sign in as them yet."""

    class Meta:
        model = User
        fields = ("email", "name")


class OthersPasswordForm(_PasswordForm):
    """Somebody else's password, set by a superuser."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("usable_password")
        if field is not None:
            # Django puts its text together while it is loaded, before anybody reads it.
            field.help_text = format_html(
                '{}<ul id="id_unusable_warning" class="messagelist"><li class="warning">'
                "{}</li></ul>",
                SetUnusablePasswordMixin.usable_password_help_text,
                gettext(
                    "If disabled, the current password for this user will be lost."
                ),
            )


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

    def clean(self) -> dict[str, Any]:
        """Keep the way in for whoever owns an organization alone."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("is_active", "is_staff"):
            if name in cleaned and not cleaned[name] and name in self.changed_data:
                self._keep_owner(name)
        return cleaned

    def _keep_owner(self, name: str) -> None:
        # The form has written the answers into its row already; the database has not.
        stored = User.objects.filter(pk=self.instance.pk).first()
        alone = last_owned(stored) if stored else None
        if alone is not None:
            self.add_error(name, needs_owner(alone))


class NewMembershipForm(_MembershipForm):
    """A new member, by mail address: whether that is known here already stays unsaid."""

    email = forms.EmailField(
        label=_("Mail address"),
        max_length=User._meta.get_field("email").max_length,
        help_text=_("Somebody without an account gets one, without a password."),
    )

    class Meta:
        model = Membership
        fields = ("organization", "email", *ROLE_FLAGS)

    def clean(self) -> dict[str, Any]:
        """Refuse who is a member already, and whose address nobody proved."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        organization, email = cleaned.get("organization"), cleaned.get("email", "")
        if (
            organization
            and organization.memberships.filter(user__email=email.lower()).exists()
        ):
            self.add_error("email", is_member(email, organization))
        try:
            require_proved(email)
        except Unproved as problem:
            self.add_error("email", str(problem))
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
                needs_owner(self.instance.organization), code="last_owner"
            )
        return is_owner


class InvitationForm(_InvitationForm):
    """Whom to invite, in which roles; whether the address is known here stays unsaid."""

    class Meta:
        model = Invitation
        fields = ("organization", "email")
        help_texts: ClassVar = {
            "email": _(
                "Only who signs in with this address, or makes an account for it, can accept."
            )
        }

    def clean(self) -> dict[str, Any]:
        """Refuse who is a member or invited already."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        organization, email = cleaned.get("organization"), cleaned.get("email")
        problem = why_not(organization, email) if organization and email else None
        if problem is not None:
            self.add_error("email", problem.sentence)
        return cleaned


# The roles to offer, with the words that the page of a member has for them.
InvitationForm.declared_fields.update(forms.fields_for_model(Membership, ROLE_FLAGS))


class JoinForm(forms.Form):
    """Somebody new: a name, and a password that Django's validators find good."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=User._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password1 = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("Password once more"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, email: str, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self._email = email
        self.fields["password1"].help_text = " ".join(password_validators_help_texts())

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Refuse passwords that differ or are easy to guess."""
        values = super().clean() or self.cleaned_data
        first, second = values.get("password1"), values.get("password2")
        if first and second and first != second:
            self.add_error("password2", gettext("The two passwords are not the same."))
        elif first:
            self._judge(first, str(values.get("name", "")))
        return values

    @sensitive_variables()
    def _judge(self, password: str, name: str) -> None:
        try:
            validate_password(password, User(email=self._email, name=name))
        except ValidationError as problem:
            self.add_error("password1", problem)


def chosen_roles(form: forms.BaseForm) -> frozenset[Role]:
    """Return the roles ticked in a form."""
    return frozenset(
        role
        for role in Role
        if role is not Role.VIEWER and form.cleaned_data.get(role_flag(role))
    )
