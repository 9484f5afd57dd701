"""Addresses: the admin, what the apps add, and the two that monitoring asks."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.generic import RedirectView

from ceadmin import health

urlpatterns = [
    path("", login_not_required(RedirectView.as_view(pattern_name="admin:index"))),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("ceadmin.teams.urls")),
    path("", include("instances.urls")),
]

handler400 = "ceadmin.problems.unreadable"
handler403 = "ceadmin.problems.not_allowed"
handler404 = "ceadmin.problems.not_found"
handler500 = "ceadmin.problems.broken"
