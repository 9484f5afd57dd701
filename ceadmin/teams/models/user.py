"""People who sign in, by their mail address."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.canonical import visible
from ceadmin.lib.named import named
from ceadmin.teams.validators import validate_language, validate_time_zone


class UserManager(BaseUserManager["User"]):
    """Makes users, and finds them by mail address however it is written."""

    def create_user(
        self, email: str, password: str | None = None, **facts: Any
    ) -> "User":
        """Make a user; without a password nobody can sign in as them yet."""
        user = self.model(email=email.strip().lower(), **facts)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **facts: Any
    ) -> "User":
        """Make a user who may do everything."""
        return self.create_user(email, password, is_superuser=True, **facts)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by mail address."""
        # Typed by anybody: NUL and lone surrogates would make the database raise.
        return self.get(email=visible(username or "").strip().lower())


@named(
    _("user"),
    _("users"),
    name=_("name"),
    time_zone=_("time zone"),
    language=_("language"),
    created_at=_("created at"),
)
class User(AbstractBaseUser):
    """Somebody who signs in. What they may do stands in their memberships."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("mail address"), unique=True)
    name = models.CharField(max_length=150, blank=True)

    time_zone = models.CharField(
        max_length=64, default="UTC", validators=[validate_time_zone]
    )
    language = models.CharField(
        max_length=16, default="en", validators=[validate_language]
    )

    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Off: cannot sign in, and may do nothing."),
    )
    is_staff = models.BooleanField(
        _("uses the admin"),
        default=True,
        help_text=_("Off: the admin is closed to them."),
    )
    is_superuser = models.BooleanField(
        _("superuser"),
        default=False,
        help_text=_("May do everything in every organization; it is recorded as such."),
    )
    # Counted up to end every session of theirs.
    session_round = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            # Sign-in looks for the small letters only.
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="user_email_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        """Write the mail address in small letters."""
        self.email = self.email.strip().lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Bind sessions to all that ends them: the password, a round, the admin itself."""
        bound = f"{self.password}|{self.session_round}|{self.is_staff}"
        salt = "ceadmin.teams.models.User.session"
        return salted_hmac(salt, bound, secret=secret, algorithm="sha256").hexdigest()

    def get_short_name(self) -> str:
        """Return what the admin's greeting says."""
        return str(self)

    def get_full_name(self) -> str:
        """Return the name, or '' where only the mail address is known."""
        return self.name

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Answer Django's own question: nobody but superusers has such permissions."""
        return self.is_active and self.is_superuser

    def has_perms(self, perm_list: Any, obj: object = None) -> bool:
        """Answer for several permissions at once."""
        return self.has_perm("", obj)

    def has_module_perms(self, app_label: str) -> bool:
        """Answer for a whole application."""
        return self.has_perm("")
