"""Client secrets that end on a day: told a month before, and listed by that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.frame import organizations_in_view
from ceadmin.site import Need
from providers.models import ProviderApp
from providers.querysets import ProviderAppQuerySet

#: So long before its day a secret is named.
WARNED = timedelta(days=30)


def expiring(apps: ProviderAppQuerySet) -> ProviderAppQuerySet:
    """Narrow to the apps whose secret is at its end, or soon will be, by the reader's own calendar."""
    return apps.expiring(timezone.localdate() + WARNED)


class ExpiringFilter(admin.SimpleListFilter):
    """Provider apps whose secret needs somebody."""

    title = _("client secret")
    parameter_name = "secret"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer those that end."""
        words = gettext("Expires within %(days)s days, or has expired")
        return [("expiring", words % {"days": WARNED.days})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to them."""
        if self.value() != "expiring":
            return queryset
        assert isinstance(queryset, ProviderAppQuerySet)
        return expiring(queryset)


def expiring_secrets(request: HttpRequest) -> Iterable[Need]:
    """Yield one line about the client secrets that end soon; of a single one its app and day."""
    own = ProviderApp.objects.filter(organization__in=organizations_in_view(request))
    apps = list(expiring(own).order_by("secret_expires_on", "pk")[:2])
    if not apps:
        return
    if len(apps) == 1:
        url = reverse("admin:providers_providerapp_change", args=[apps[0].pk])
        yield Need(_of_one(apps[0]), url, tone="warn")
        return
    url = f"{reverse('admin:providers_providerapp_changelist')}?secret=expiring"
    count = expiring(own).count()
    yield Need(_of_many(count), url, count, "warn")


def _of_many(count: int) -> str:
    words = ngettext(
        "%(count)s client secret expires within %(days)s days, or has expired",
        "%(count)s client secrets expire within %(days)s days, or have expired",
        count,
    )
    return words % {"count": ui.number(count), "days": WARNED.days}


def _of_one(app: ProviderApp) -> str:
    assert app.secret_expires_on is not None  # it was found by it
    left = (app.secret_expires_on - timezone.localdate()).days
    if left < 0:
        words = ngettext(
            "The client secret of %(app)s expired %(days)s day ago",
            "The client secret of %(app)s expired %(days)s days ago",
            -left,
        )
    elif left:
        words = ngettext(
            "The client secret of %(app)s expires in %(days)s day: set the next one",
            "The client secret of %(app)s expires in %(days)s days: set the next one",
            left,
        )
    else:
        words = gettext("The client secret of %(app)s expires today: set the next one")
    return words % {"app": app, "days": ui.number(abs(left))}
