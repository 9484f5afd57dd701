"""The OAuth applications that a team has registered with providers."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.sealed import SealedField
from ceadmin.teams.models import Organization
from providers import catalogue, sites
from providers.book import Book, elements_of
from providers.choices import CallbackMode, LimitScope
from providers.own import OwnProvider, OwnProviderVersion
from providers.querysets import ProviderAppQuerySet
from providers.rules import MOST
from providers.spec import Provider

__all__ = [
    "EnabledProvider",
    "Limit",
    "OwnProvider",
    "OwnProviderVersion",
    "ProviderApp",
    "enabled_keys",
]


@named(
    _("provider app"),
    _("provider apps"),
    name=_("name"),
    organization=_("organization"),
    element_key=_("element key"),
    client_secret=_("client secret"),
    callback_mode=_("callback mode"),
    scope=_("scope"),
    secret_set_at=_("secret set at"),
    secret_set_by_name=_("secret set by"),
    last_problem=_("last problem"),
    created_at=_("created at"),
)
class ProviderApp(models.Model):
    """One application registered with a provider: what its grants were given to."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=150)

    # Instances and audit rows speak of the organization: it goes only when they have gone.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="provider_apps"
    )

    provider_key = models.CharField(_("provider"), max_length=64)
    element_key = models.CharField(
        max_length=64,
        help_text=_("The platform's name of the connector, such as sfdc."),
    )
    client_id = models.CharField(_("client id"), max_length=255)
    client_secret = SealedField("provider_app.client_secret")
    secret_set_at = models.DateTimeField(null=True, blank=True)
    secret_set_by_name = models.CharField(max_length=255, blank=True)
    secret_expires_on = models.DateField(
        _("secret expires on"),
        null=True,
        blank=True,
        help_text=_(
            "Where the provider lets it expire: the overview says so a month before."
        ),
    )
    callback_mode = models.CharField(
        max_length=8, choices=CallbackMode, default=CallbackMode.OURS
    )
    callback_url = models.CharField(
        _("callback address"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("The address stored in the instances, when it is not ours."),
    )
    scope = models.CharField(max_length=2000, blank=True)
    site = models.JSONField(
        _("site values"),
        default=dict,
        blank=True,
        help_text=_(
            "What the provider's record asks for and the instances do not tell."
        ),
    )

    # A short code; '' when the last test or call found nothing wrong.
    last_problem = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProviderAppQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], name="provider_app_name_once"
            ),
            models.CheckConstraint(
                condition=Q(callback_mode__in=CallbackMode.values),
                name="provider_app_callback_mode_known",
            ),
            models.CheckConstraint(
                condition=Q(callback_mode=CallbackMode.OURS) | ~Q(callback_url=""),
                name="provider_app_theirs_has_address",
            ),
        ]
        indexes = [
            # Sync looks for the app of an instance by element key and client id.
            models.Index(
                fields=["organization", "element_key", "client_id"],
                name="provider_app_for_instance",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def provider(self) -> Provider:
        """Its record; raises `UnknownProvider` when its organization has it no longer."""
        return self._book.get(self.provider_key)

    @property
    def _book(self) -> Book:
        return Book(self.organization_id)

    @property
    def consent_host(self) -> str:
        """Return the host at which a consent ends, "" where it comes back here.

        From a host of the customer's nothing comes here, unless their application sends
        the browser on or a member pastes the address.
        """
        if self.callback_mode != CallbackMode.THEIRS:
            return ""
        return urlsplit(self.callback_url).hostname or self.callback_url

    def clean(self) -> None:
        """Refuse an unknown provider, a foreign element, and values that do not fit."""
        book = self._book
        try:
            provider = book.get(self.provider_key)
        except catalogue.UnknownProvider:
            raise ValidationError(
                {"provider_key": gettext("The catalogue has no such provider.")}
            ) from None
        errors = {
            **self._name_errors(),
            **self._element_errors(provider, book),
            **self._callback_errors(),
        }
        problems = sites.problems(provider, self.site)
        if problems:
            errors["site"] = problems
        if errors:
            raise ValidationError(errors)

    def _name_errors(self) -> dict[str, list[str]]:
        # A form that does not show the organization leaves its constraint unasked.
        same = ProviderApp.objects.filter(
            organization=self.organization_id, name=self.name
        )
        if not same.exclude(pk=self.pk).exists():
            return {}
        return {"name": [gettext("The organization has a provider app of this name.")]}

    def _element_errors(self, provider: Provider, book: Book) -> dict[str, list[str]]:
        known = elements_of(provider)
        if self.element_key in known:
            return {}
        if known:
            words = gettext("%(provider)s has %(elements)s.")
            told = {"provider": provider.name, "elements": ", ".join(known)}
            return {"element_key": [words % told]}
        # A record for any element lets its owner say where tokens are sent.
        other = book.for_element(self.element_key)
        if other is not None:
            words = gettext(
                "The catalogue knows this element: choose %(name)s as the provider, whose "
                "record says where its tokens may be sent."
            )
            return {"element_key": [words % {"name": other.name}]}
        return {}

    def _callback_errors(self) -> dict[str, list[str]]:
        if self.callback_mode == CallbackMode.OURS or self.callback_url:
            return {}
        return {"callback_url": [gettext("Say which address the instances carry.")]}

    def set_secret(self, plain: str, *, by_name: str, now: datetime) -> None:
        """Seal a new client secret and note who set it; the caller saves."""
        self.client_secret = plain
        self.secret_set_by_name, self.secret_set_at = by_name, now


@named(organization=_("organization"))
class EnabledProvider(models.Model):
    """A record that is off by itself, switched on for one organization by an owner."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="enabled_providers"
    )
    provider_key = models.CharField(_("provider"), max_length=64)
    enabled_at = models.DateTimeField(_("switched on"))
    enabled_by_name = models.CharField(_("switched on by"), max_length=255)

    class Meta:
        verbose_name = _("provider switched on")
        verbose_name_plural = _("providers switched on")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "provider_key"], name="provider_enabled_once"
            ),
        ]

    def __str__(self) -> str:
        known = catalogue.find(self.provider_key)
        return known.name if known else self.provider_key

    def clean(self) -> None:
        """Refuse what the catalogue does not have, what needs no switch, and what is on."""
        known = catalogue.find(self.provider_key)
        if known is None or not known.needs_switch:
            raise ValidationError({"provider_key": [_NEEDS_NO_SWITCH]})
        same = EnabledProvider.objects.filter(
            organization=self.organization_id, provider_key=self.provider_key
        )
        if same.exclude(pk=self.pk).exists():
            raise ValidationError(
                {"provider_key": [gettext("It is switched on already.")]}
            )


_NEEDS_NO_SWITCH = _("Choose a record that is off and has a call to make.")


def enabled_keys(organization: Organization) -> frozenset[str]:
    """Return the keys of the records that an organization's owners switched on; one query."""
    rows = EnabledProvider.objects.filter(organization=organization)
    return frozenset(rows.values_list("provider_key", flat=True))


@named(
    _("limit"),
    _("limits"),
    organization=_("organization"),
    provider_app=_("provider app"),
)
class Limit(models.Model):
    """How many calls an organization allows in one place, instead of what the record says."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="limits"
    )
    scope = models.CharField(_("limits calls to"), max_length=16, choices=LimitScope)
    provider_key = models.CharField(_("provider"), max_length=64, blank=True)
    provider_app = models.ForeignKey(
        ProviderApp,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="limits",
    )
    rate = models.FloatField(
        _("calls a second"),
        null=True,
        blank=True,
        help_text=_(
            "0.5 is one call in two seconds. Empty: as the provider's record says."
        ),
    )
    concurrency = models.PositiveIntegerField(
        _("calls at once"),
        null=True,
        blank=True,
        help_text=_("Empty: as the provider's record says."),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=LimitScope.values), name="limit_scope_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    scope=LimitScope.PLATFORM,
                    provider_key="",
                    provider_app__isnull=True,
                )
                | Q(scope=LimitScope.PROVIDER, provider_app__isnull=True)
                & ~Q(provider_key="")
                | Q(scope=LimitScope.APP, provider_key="", provider_app__isnull=False),
                name="limit_names_its_scope",
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=True) | Q(rate__gt=0, rate__lte=MOST),
                name="limit_rate_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(concurrency__isnull=True)
                | Q(concurrency__gt=0, concurrency__lte=MOST),
                name="limit_concurrency_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(rate__isnull=False) | Q(concurrency__isnull=False),
                name="limit_says_something",
            ),
            models.UniqueConstraint(
                fields=["organization", "scope", "provider_key"],
                condition=Q(provider_app__isnull=True),
                name="limit_once_per_provider",
            ),
            models.UniqueConstraint(fields=["provider_app"], name="limit_once_per_app"),
        ]

    def __str__(self) -> str:
        return self.place

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store a place without what does not belong to it."""
        if self.scope != LimitScope.PROVIDER:
            self.provider_key = ""
        if self.scope != LimitScope.APP:
            self.provider_app = None
        super().save(*args, **kwargs)

    @property
    def place(self) -> str:
        """What is limited, for people."""
        if self.scope == LimitScope.APP and self.provider_app is not None:
            return self.provider_app.name
        if self.scope == LimitScope.PROVIDER:
            known = self._book.find(self.provider_key)
            return known.name if known else self.provider_key
        return str(LimitScope.PLATFORM.label)

    @property
    def _book(self) -> Book:
        return Book(self.organization_id)

    def clean(self) -> None:
        """Refuse what limits nothing, everything, or nobody."""
        errors = {name: [words] for name, words in self._problems().items() if words}
        if errors:
            raise ValidationError(errors)

    def _problems(self) -> dict[str, str | Promise]:
        provider, app = self.scope == LimitScope.PROVIDER, self.scope == LimitScope.APP
        known = self._book.find(self.provider_key) is not None
        rows = Limit.objects.filter(
            organization=self.organization_id,
            scope=self.scope,
            provider_key=self.provider_key if provider else "",
            provider_app=self.provider_app if app else None,
        )
        both_empty = self.rate is None and self.concurrency is None
        return {
            "provider_key": _("Choose the provider.") if provider and not known else "",
            "provider_app": self._app_problem() if app else "",
            "rate": _SAYS_NOTHING if both_empty else _number(self.rate),
            "concurrency": _number(self.concurrency),
            "scope": _TWICE if rows.exclude(pk=self.pk).exists() else "",
        }

    def _app_problem(self) -> str | Promise:
        if self.provider_app is None:
            return _("Choose the app.")
        theirs = self.provider_app.organization_id
        mine = theirs == self.organization_id
        return "" if mine else _("It is another organization's.")


_SAYS_NOTHING = _("Say how many calls a second, or how many at once.")
_TWICE = _("There is a limit for this already: change that one.")


def _number(value: float | None) -> str:
    if value is None or 0 < value <= MOST:
        return ""
    words = gettext(
        "A limit is above 0 and at most %(most)s. To stop calls altogether, pause the run "
        "or leave the provider out of it."
    )
    return words % {"most": MOST}
