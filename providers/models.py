"""The OAuth applications that a team has registered with providers."""

import uuid
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q

from ceadmin.lib.sealed import SealedField
from ceadmin.teams.models import Organization
from providers import catalogue, sites
from providers.choices import CallbackMode
from providers.querysets import ProviderAppQuerySet
from providers.spec import Provider


class ProviderApp(models.Model):
    """One application registered with a provider: what its grants were given to."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=150)

    # Instances and audit rows speak of the organization: it goes only when they have gone.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="provider_apps"
    )

    provider_key = models.CharField("provider", max_length=64)
    element_key = models.CharField(
        max_length=64, help_text="The platform's name of the connector, such as sfdc."
    )
    client_id = models.CharField("client id", max_length=255)
    client_secret = SealedField("provider_app.client_secret")
    secret_set_at = models.DateTimeField(null=True, blank=True)
    secret_set_by_name = models.CharField(max_length=255, blank=True)
    callback_mode = models.CharField(
        max_length=8, choices=CallbackMode, default=CallbackMode.OURS
    )
    callback_url = models.CharField(
        "callback address",
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text="The address stored in the instances, when it is not ours.",
    )
    scope = models.CharField(max_length=2000, blank=True)
    site = models.JSONField(
        "site values",
        default=dict,
        blank=True,
        help_text="What the provider's record asks for and the instances do not tell.",
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
        """Its record; raises `UnknownProvider` when the catalogue no longer has it."""
        return catalogue.get(self.provider_key)

    def clean(self) -> None:
        """Refuse an unknown provider, a foreign element, and values that do not fit."""
        try:
            provider = self.provider
        except catalogue.UnknownProvider:
            raise ValidationError(
                {"provider_key": "The catalogue has no such provider."}
            ) from None
        errors = {
            **self._name_errors(),
            **self._element_errors(provider),
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
        return {"name": ["The organization has a provider app of this name."]}

    def _element_errors(self, provider: Provider) -> dict[str, list[str]]:
        known = (*provider.element_keys, *provider.related_element_keys)
        if not known or self.element_key in known:
            return {}
        return {"element_key": [f"{provider.name} has {', '.join(known)}."]}

    def _callback_errors(self) -> dict[str, list[str]]:
        if self.callback_mode == CallbackMode.OURS or self.callback_url:
            return {}
        return {"callback_url": ["Say which address the instances carry."]}

    def set_secret(self, plain: str, *, by_name: str, now: datetime) -> None:
        """Seal a new client secret and note who set it; the caller saves."""
        self.client_secret = plain
        self.secret_set_by_name, self.secret_set_at = by_name, now
